"""BeyondVisQA, of MM-SAP: 400 questions of six types that no image answers (Wang et al., 2024).

Each is asked alone: its five options, one of which declines, are not shown, which is how we read
the paper. Its files could not be inspected, so any table is read that has a `question` column and a
column that names or holds the image.
"""

import base64
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.benchmarks.release_files import Picture, json_in, json_lines, located, picture
from inbol_lib.errors import ParameterError

PAGE = "https://huggingface.co/datasets/Elliotwang/MM-SAP"
FILES = "*.json|*.jsonl|*.tsv|*.csv|*.parquet"
LONGEST_PATH = 300  # characters: anything longer is the picture itself
#: columns that may hold the image, and columns that may hold the id
IMAGES = ("image", "image_path", "img", "img_path", "image_name", "image_file", "file_name")
IMAGES += ("image_id",)
NAMES = ("id", "question_id", "index", "qid")


def table(path: Path) -> list[dict]:
    """Return the rows of a table file, whatever its format."""
    match path.suffix:
        case ".parquet":
            return pd.read_parquet(path).to_dict("records")
        case ".tsv" | ".csv":
            divider = "\t" if path.suffix == ".tsv" else ","
            cells = pd.read_csv(path, sep=divider, dtype=str, keep_default_na=False)
            return cells.to_dict("records")
        case ".jsonl":
            return list(json_lines(path))
        case _:
            return _json_rows(json_in(path))


def _json_rows(content: Any) -> list[dict]:
    """Return the rows of a JSON file: a list, a list under some key, or one object for each id."""
    if isinstance(content, dict):
        lists = [value for value in content.values() if isinstance(value, list)]
        content = lists[0] if lists else _with_ids(content)
    return [row for row in content if isinstance(row, dict)]


def _with_ids(content: dict) -> list[dict]:
    return [{"id": name, **row} for name, row in content.items() if isinstance(row, dict)]


def official(home: Path, split: str) -> Iterator[dict]:
    """Yield the rows of the tables of questions.

    Raises
    ------
    ParameterError
        When it is not clear which tables these are, or which column holds the image.
    """
    for path, rows in _tables(home).items():
        for row in rows:
            column = _first_filled(row, IMAGES)
            if column is None:
                raise ParameterError(
                    f"BeyondVisQA: {path} has no image column; it needs one of "
                    f"{', '.join(IMAGES)}, and has {', '.join(row)}"
                )
            yield row | {"image": _picture(home, row[column]), "part": path.stem}


def _tables(home: Path) -> dict[Path, list[dict]]:
    """Return file -> rows, for files that hold questions.

    MM-SAP has two more parts: where several files hold questions, those whose path says "beyond"
    are taken.
    """
    tables = {path: table(path) for path in located(home, FILES)}
    asking = {path: rows for path, rows in tables.items() if rows and "question" in rows[0]}
    named = {path: rows for path, rows in asking.items() if _says_beyond(path, home)}
    if not asking or (len(asking) > 1 and not named):
        seen = ", ".join(str(path.relative_to(home)) for path in asking) or "none"
        raise ParameterError(
            f"BeyondVisQA: {home} needs exactly one file with a question column, or 'beyond' in "
            f"the names of those to be read; found: {seen}"
        )
    return named or asking


def _says_beyond(path: Path, home: Path) -> bool:
    return "beyond" in str(path.relative_to(home)).lower()


def _first_filled(row: dict, columns: Iterable[str]) -> str | None:
    return next((column for column in columns if row.get(column) is not None), None)


def _picture(home: Path, cell: Any) -> Picture:
    """Return the picture that a cell names or holds.

    The cell is a file's name, its bytes (as in parquet's image columns) or its base64.
    """
    if isinstance(cell, dict):
        cell = cell["bytes"] or cell["path"]
    if isinstance(cell, bytes):
        return lambda: cell
    name = str(cell)
    if len(name) > LONGEST_PATH:
        return partial(base64.b64decode, name)
    names = [name] if Path(name).suffix else [f"{name}.jpg", f"{name}.png"]
    return picture(home, *names, *(Path(name).name for name in names))


def question(row: dict, number: int) -> dict:
    """Return the question of a row, without its options."""
    column = _first_filled(row, NAMES)
    name = f"row-{number}" if column is None else str(row[column])
    return {"id": name, "question": row["question"], "answers": []}


BENCHMARK = Benchmark(
    name="beyondvisqa",
    title="BeyondVisQA",
    licence="licence not stated",
    size="size not known",
    splits={"test": "test"},
    published={"test": (Count(400, 400),)},
    files={"test": {FILES: PAGE}},
    images=f"images: {PAGE}, in images/",
    official=official,
    question=question,
    note=(
        "Raw files on the Hub (Elliotwang/MM-SAP); copy them into the folder. "
        "Their format could not be verified."
    ),
)
