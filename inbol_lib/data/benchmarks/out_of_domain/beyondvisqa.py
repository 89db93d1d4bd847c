"""BeyondVisQA, of MM-SAP: 400 questions of six types that no image answers (Wang et al., 2024). Each is asked alone: its five options, one
of which declines, are not shown, as the paper's text reads.

Its files could not be inspected, so any table is read that has a `question` column and one that names or holds the image.
"""

import base64
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pandas as pd

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.release_files import located, picture
from inbol_lib.errors import ParameterError

PAGE = "https://huggingface.co/datasets/Elliotwang/MM-SAP"
FILES = "*.json|*.jsonl|*.tsv|*.csv|*.parquet"
IMAGES = (
    "image",
    "image_path",
    "img",
    "img_path",
    "image_name",
    "image_file",
    "file_name",
    "image_id",
)
NAMES = ("id", "question_id", "index", "qid")


def table(path: Path) -> list[dict]:
    """The rows of a table file, a JSON object of objects included."""
    if path.suffix == ".parquet":
        return pd.read_parquet(path).to_dict("records")
    if path.suffix in (".tsv", ".csv"):
        return pd.read_csv(
            path, sep="\t" if path.suffix == ".tsv" else ",", dtype=str, keep_default_na=False
        ).to_dict("records")
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".jsonl":
        return [json.loads(line) for line in text.split("\n") if line.strip()]
    content = json.loads(text)
    if isinstance(content, dict):  # one object for each id, or a list under some key
        lists = [v for v in content.values() if isinstance(v, list)]
        content = (
            lists[0]
            if lists
            else [{"id": k, **v} for k, v in content.items() if isinstance(v, dict)]
        )
    return [row for row in content if isinstance(row, dict)]


def official(home: Path, split: str) -> Iterator[dict]:
    """MM-SAP has two more parts: where several files hold questions, those are read whose path says "beyond"."""
    tables = {
        path: rows
        for path in located(home, FILES)
        if (rows := table(path)) and "question" in rows[0]
    }
    named = {
        path: rows
        for path, rows in tables.items()
        if "beyond" in str(path.relative_to(home)).lower()
    }
    if not tables or (len(tables) > 1 and not named):
        seen = ", ".join(str(p.relative_to(home)) for p in tables) or "none"
        raise ParameterError(
            f"BeyondVisQA: one file of {home} with a question column is needed, or 'beyond' in its name; found: {seen}"
        )
    for path, rows in (named or tables).items():
        for row in rows:
            key = next((k for k in IMAGES if row.get(k) is not None), None)
            if key is None:
                raise ParameterError(
                    f"BeyondVisQA: {path} has no image column; one of {', '.join(IMAGES)} is read, it has {', '.join(row)}"
                )
            yield row | {"image": _picture(home, row[key]), "part": path.stem}


def _picture(home: Path, cell):
    """A file's name, its bytes (as parquet's image columns have them) or its base64."""
    if isinstance(cell, dict):
        cell = cell["bytes"] or cell["path"]
    if isinstance(cell, bytes):
        return lambda: cell
    name = str(cell)
    if len(name) > 300:  # longer than any path: the picture itself
        return partial(base64.b64decode, name)
    names = [name] if Path(name).suffix else [f"{name}.jpg", f"{name}.png"]
    return picture(home, *names, *(Path(n).name for n in names))


def question(row: dict, number: int) -> dict:
    name = next((str(row[k]) for k in NAMES if row.get(k) is not None), f"row-{number}")
    return {"id": name, "question": row["question"], "answers": []}


BENCHMARK = Benchmark(
    name="beyondvisqa", title="BeyondVisQA", licence="licence not stated", size="size not known",
    splits={"test": "test"}, published={"test": ((400, 400),)}, files={"test": {FILES: PAGE}}, images=f"images: {PAGE}, in images/",
    official=official, question=question,
    note="Raw files on the Hub (Elliotwang/MM-SAP); copy them into the folder. Their format could not be verified.",
)  # fmt: skip
