"""The reference of the library: a page for each room, written from the docstrings."""

from collections.abc import Iterator
from functools import cache
from pathlib import Path

from inbol_lib import paths

LIBRARY = paths.ROOT / "inbol_lib"
#: modules that are programs and have nothing to call
PROGRAMS = {"__main__"}
GROUND = "ground_floor"


def rooms() -> list[str]:
    """Return the names of the rooms, in alphabetical order."""
    return sorted(file.parent.name for file in LIBRARY.glob("*/__init__.py"))


def modules(room: str) -> list[str]:
    """Return the full names of a room's modules, the room itself first."""
    files = sorted((LIBRARY / room).rglob("*.py"))
    names = [file.relative_to(paths.ROOT).with_suffix("").parts for file in files]
    kept = [name for name in names if name[-1] not in PROGRAMS]
    return sorted(".".join(name).removesuffix(".__init__") for name in kept)


def ground_floor() -> list[str]:
    """Return the modules that stand beside the rooms."""
    stems = sorted(file.stem for file in LIBRARY.glob("*.py"))
    return [f"inbol_lib.{stem}" for stem in stems if stem not in {*PROGRAMS, "__init__"}]


def page(heading: str, names: list[str], whole: str | None = None) -> str:
    """Return a page of the reference.

    Parameters
    ----------
    heading : str
    names : list of str
        Modules, each a section.
    whole : str, optional
        The module whose docstring says what all of them are about.
    """
    lines = [heading, "=" * len(heading), ""]
    if whole:
        lines += [f".. automodule:: {whole}", "   :members:", ""]
    for name in names:
        title = name.removeprefix("inbol_lib.")
        lines += [title, "-" * len(title), "", f".. automodule:: {name}", "   :members:", ""]
    return "\n".join(lines)


def index() -> str:
    """Return the first page of the reference."""
    lines = ["The library", "===========", "", ".. automodule:: inbol_lib", ""]
    lines += ["Every page is a room, written from its docstrings; the way through them is on", ""]
    lines[-2] += " :doc:`the map of the house </ARCHITECTURE>`."
    lines += [".. toctree::", "   :maxdepth: 1", ""]
    lines += [f"   {name}" for name in [*rooms(), GROUND]]
    return "\n".join(lines) + "\n"


def pages() -> Iterator[tuple[str, str]]:
    """Yield (file name, text) of the reference's pages."""
    yield "index.rst", index()
    for room in rooms():
        whole, *inside = modules(room)
        yield f"{room}.rst", page(room, inside, whole)
    yield f"{GROUND}.rst", page("The ground floor", ground_floor())


def module_of(file: str) -> str | None:
    """Return the full name of the module that the reference describes; None if it has none.

    Parameters
    ----------
    file : str
        Path of a file or folder in the repository, such as "inbol_lib/training/lora.py".
    """
    path = Path(file)
    if path.parts[:1] != ("inbol_lib",) or path.suffix not in ("", ".py"):
        return None
    name = ".".join(path.with_suffix("").parts).removesuffix(".__init__")
    return name if name in _described() else None


@cache
def _described() -> set[str]:
    """Return all modules of the reference; asked for every link of the project's texts."""
    in_rooms = (module for room in rooms() for module in modules(room))
    return {"inbol_lib", *ground_floor(), *in_rooms}
