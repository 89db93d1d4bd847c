"""Published figures as HTML, and what is said about figures and tables."""

from pathlib import Path
from typing import Any

from PIL import Image

from markup.tables import captions, environment, title_of

ENDINGS = ("csv", "svg", "tex")


def figure_html(folder: Path, name: str, at: str) -> str:
    """Return a figure as HTML.

    Parameters
    ----------
    folder : Path
        Where its files lie.
    name : str
        The files' name without its ending.
    at : str
        Address of the folder, as the page has to name it, with a slash at its end.
    """
    with Image.open(folder / f"{name}.png") as picture:
        width, height = picture.size
    page = environment().get_template("figure.html")
    return page.render(at=at, width=width, height=height, **described(folder, name, "figures"))


def described(folder: Path, name: str, kind: str) -> dict[str, Any]:
    """Return name, title, what to see, the text for those who do not, notes and data files."""
    words = captions()[kind].get(name, {})
    title = title_of(name, kind)
    files = [f"{name}.{ending}" for ending in ENDINGS]
    return {
        "name": name,
        "title": title,
        "see": " ".join(words.get("see", "").split()),
        "alt": " ".join(words.get("alt", title).split()),
        "note": note_of(folder, name) if kind == "tables" else "",
        "files": [file for file in files if (folder / file).exists()],
    }


def note_of(folder: Path, name: str) -> str:
    """Return what stands under the Markdown version of a table, such as that sizes are reduced."""
    file = folder / f"{name}.md"
    text = file.read_text() if file.exists() else ""
    _, _, below = f"\n{text}".rpartition("\n|")
    return " ".join(below.partition("\n")[2].split())
