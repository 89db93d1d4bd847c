"""The sources of the site: pages made from notebooks, figures, texts and docstrings."""

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import landing
import links
import rooms
from html_tables import captions, environment, title_of

from inbol_lib import paths

ROOT = paths.ROOT
FIGURES = paths.figures(paths.PUBLISHED)
TEXTS = ("docs/glossary.md", "docs/teachers.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
#: sections of the README that the site shows elsewhere
ELSEWHERE = ("The notebooks", "Results")
#: tag of a cell -> the tag with which MyST-NB folds it
FOLDED = {"parameters": "hide-input", "solution": "hide-cell"}
PAPER = "table"
#: tables that have a page of their own or none
NOT_LISTED = ("claims",)


def stage(folder: Path) -> None:
    """Write all sources of the site into a folder, which must not exist."""
    for part in ("notebooks", "figures", "docs", "results", "api"):
        (folder / part).mkdir(parents=True)
    for book in sorted((ROOT / "notebooks").glob("*.ipynb")):
        (folder / "notebooks" / book.name).write_text(folded(book.read_text()))
    for file in FIGURES.iterdir():
        if file.suffix in (".png", ".svg", ".csv", ".tex", ".json", ".parquet"):
            shutil.copy(file, folder / "figures")
    for name, text in {**rendered_pages(), **dict(reference())}.items():
        (folder / name).write_text(text)
    for name in TEXTS:
        (folder / name).write_text(own_text((ROOT / name).read_text(), name))
    (folder / "guide.md").write_text(guide())


def folded(book: str) -> str:
    """Return a notebook in which parameters and solutions are folded."""
    read = json.loads(book)
    for cell in read["cells"]:
        tags = cell["metadata"].get("tags", [])
        cell["metadata"]["tags"] = tags + [FOLDED[tag] for tag in tags if tag in FOLDED]
    return json.dumps(read)


def on_site(path: str) -> bool:
    """Tell whether a path of the repository is one of the site's sources too."""
    file = Path(path)
    pages = path in TEXTS or (file.parts[0] == "notebooks" and file.suffix == ".ipynb")
    return pages or (file.parts[0] == "figures" and file.suffix in (".png", ".csv", ".svg"))


def own_text(text: str, name: str) -> str:
    """Return one of the project's texts with links that work on the site."""
    return links.rewritten(text, name, on_site)


def guide() -> str:
    """Return how to run the study, from the README."""
    parts = links.sections((ROOT / "README.md").read_text())
    kept = [part for heading, part in parts.items() if heading not in ELSEWHERE]
    return own_text("# Run it yourself\n\n" + "".join(kept), "README.md")


def reference() -> list[tuple[str, str]]:
    """Return (file name, text) of the reference's pages."""
    return [(f"api/{name}", text) for name, text in rooms.pages()]


def published_figures() -> list[str]:
    """Return the names of the published figures, those of captions.yaml first and in its order."""
    return in_order([file.stem for file in FIGURES.glob("*.png")], captions()["figures"])


def published_tables() -> list[str]:
    """Return the names of the published tables: those with a Markdown version, and the bench."""
    there = [file.stem for file in FIGURES.glob("*.csv")]
    tables = [name for name in there if (FIGURES / f"{name}.md").exists()]
    named = [name for name in there if name in captions()["tables"]]
    listed = in_order({*tables, *named} - set(NOT_LISTED), captions()["tables"])
    return [name for name in listed if len((FIGURES / f"{name}.csv").read_text().splitlines()) > 1]


def in_order(names: Sequence[str] | set[str], order: dict[str, Any]) -> list[str]:
    """Return names in a given order, others after them by the alphabet."""
    places = list(order)
    return sorted(names, key=lambda name: (places.index(name) if name in order else 999, name))


def note_of(name: str) -> str:
    """Return what stands under the Markdown version of a table, such as that sizes are reduced."""
    file = FIGURES / f"{name}.md"
    lines = file.read_text().splitlines() if file.exists() else []
    return " ".join(line for line in lines if line and not line.startswith("|"))


def described(name: str, kind: str) -> dict[str, str]:
    """Return what a template needs to show a figure or a table."""
    words = captions()[kind].get(name, {})
    title = title_of(name, kind)
    files = [f"{name}.{ending}" for ending in ("csv", "svg", "tex")]
    return {
        "name": name,
        "title": title,
        "see": " ".join(words.get("see", "").split()),
        "alt": " ".join(words.get("alt", title).split()),
        "note": note_of(name) if kind == "tables" else "",
        "files": [file for file in files if (FIGURES / file).exists()],
    }


def rendered_pages() -> dict[str, str]:
    """Return path -> text of the pages that templates make."""
    figures = [described(name, "figures") for name in published_figures()]
    tables = [described(name, "tables") for name in published_tables()]
    books = [f"notebooks/{book.stem}" for book in sorted((ROOT / "notebooks").glob("*.ipynb"))]
    readme = own_text((ROOT / "README.md").read_text(), "README.md")
    values = {
        "figures": figures,
        "of_the_paper": [each for each in tables if each["name"].startswith(PAPER)],
        "controls": [each for each in tables if not each["name"].startswith(PAPER)],
        "books": books,
        "findings": links.block(readme, "findings"),
        **landing.facts(FIGURES),
    }
    pages = {"index.md": "index.md", "results/index.md": "results.md"}
    pages |= {f"results/{name}.md": f"{name}.md" for name in ("claims", "figures", "tables")}
    pages |= {"results/controls.md": "controls.md"}
    return {
        path: environment().get_template(name).render(values) for path, name in pages.items()
    }
