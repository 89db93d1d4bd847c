"""The sources of the site: pages made from notebooks, figures, texts and docstrings."""

import json
import re
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import landing
import rooms
from markup import links
from markup.cleaning import clean_output
from markup.figures import described
from markup.tables import captions, environment

from inbol_lib import paths

ROOT = paths.ROOT
FIGURES = paths.figures(paths.PUBLISHED)
TEXTS = ("docs/glossary.md", "docs/teachers.md", "ARCHITECTURE.md", "CONTRIBUTING.md")
#: sections of the README that the site shows elsewhere
ELSEWHERE = ("The notebooks", "Results")
#: tag of a cell -> the tag with which MyST-NB folds it
FOLDED = {"parameters": "hide-input", "solution": "hide-cell"}
PROMPTS = ("show", "hide")
#: endings of the published files that the site offers
PUBLISHED = (".png", ".svg", ".csv", ".tex", ".json", ".parquet")
PAPER = "table"
#: tables that have a page of their own or none
NOT_LISTED = ("claims",)


def stage(folder: Path) -> None:
    """Write all sources of the site into an empty folder."""
    for part in ("notebooks", "docs", "results", "api", "extra/figures"):
        (folder / part).mkdir(parents=True)
    for book in sorted((ROOT / "notebooks").glob("*.ipynb")):
        (folder / "notebooks" / book.name).write_text(shown(book.read_text()))
    for file in FIGURES.iterdir():
        if file.suffix in PUBLISHED:
            shutil.copy(file, folder / "extra" / "figures")
    # Sphinx copies what its pages show; all other files are only linked to.
    shutil.copytree(folder / "extra" / "figures", folder / "figures", ignore=not_in_texts)
    for name, text in {**rendered_pages(), **dict(reference())}.items():
        (folder / name).write_text(text)
    for name in TEXTS:
        (folder / name).write_text(own_text((ROOT / name).read_text(), name))
    (folder / "guide.md").write_text(guide())


def not_in_texts(folder: str, names: list[str]) -> list[str]:
    """Return the files of figures/ that none of the project's texts shows as a picture."""
    texts = "".join((ROOT / name).read_text() for name in ("README.md", *TEXTS))
    wanted = set(re.findall(r"!\[[^\]]*\]\((?:\.\./)?figures/([^)]+)\)", texts))
    return [name for name in names if name not in wanted]


def shown(book: str) -> str:
    """Return a notebook with clean outputs, in which parameters and solutions are folded."""
    read = json.loads(book)
    for cell in read["cells"]:
        for output in cell.get("outputs", []):
            clean_output(output)
        tags = cell["metadata"].get("tags", [])
        for tag in [tag for tag in tags if tag in FOLDED]:
            cell["metadata"]["tags"] = [*cell["metadata"]["tags"], FOLDED[tag]]
            words = {f"code_prompt_{does}": f"{does.title()} the {tag}" for does in PROMPTS}
            cell["metadata"]["mystnb"] = words
    return json.dumps(read)


def on_site(path: str) -> bool:
    """Tell whether a file of the repository is a page of the site."""
    return path in TEXTS or (path.startswith("notebooks/") and path.endswith(".ipynb"))


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


def rendered_pages() -> dict[str, str]:
    """Return path -> text of the pages that templates make."""
    figures = [described(FIGURES, name, "figures") for name in published_figures()]
    tables = [described(FIGURES, name, "tables") for name in published_tables()]
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
    return {path: environment().get_template(name).render(values) for path, name in pages.items()}
