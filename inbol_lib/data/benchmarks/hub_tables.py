"""TODO."""

import ast
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path

from datasets import Dataset, Image
from PIL import Image as Pictures


def unread(table: Dataset) -> Iterator[dict]:
    """The rows of a Hub table with a Picture in place of each picture, None where there is none: no picture is read."""
    columns = [name for name, kind in table.features.items() if isinstance(kind, Image)]
    raw = {
        name: table.select_columns([name]).cast_column(name, Image(decode=False))
        for name in columns
    }
    there = {
        name: [
            v
            for batch in t.with_format("arrow").iter(1000)
            for v in batch[name].is_valid().to_pylist()
        ]
        for name, t in raw.items()
    }
    texts = (
        row
        for batch in table.remove_columns(columns).with_format("arrow").iter(1000)
        for row in batch.to_pylist()
    )
    for i, row in enumerate(texts):
        yield row | {
            name: partial(_cell, raw[name], name, i) if there[name][i] else None for name in columns
        }


def _cell(table: Dataset, name: str, i: int) -> Path | bytes:
    cell = table[i][name]
    return cell["bytes"] if cell["bytes"] is not None else Path(cell["path"])


def rgb(source: Path | bytes) -> bytes:
    """The file of a picture, as it is where its pixels are RGB, else as PNG in RGB. Raises OSError or ValueError on any other file."""
    data = source if isinstance(source, bytes) else source.read_bytes()
    with Pictures.open(io.BytesIO(data)) as image:
        image.load()  # a cut file opens, too
        if image.mode == "RGB":
            return data
        image.convert("RGB").save(file := io.BytesIO(), "PNG")
    return file.getvalue()


def listed(value: str | list[str]) -> list[str]:
    """A list, also where the Hub holds it written as text; [text] for any other text."""
    if not isinstance(value, str):
        return list(value)
    return (
        [str(v) for v in ast.literal_eval(value)]
        if re.fullmatch(r"\[(?:['\"].*['\"])?\]", value, re.S)
        else [value]
    )


def agreed(answers: Iterable[str], least: int) -> list[str]:
    """The answers that at least `least` people gave, the most frequent first; the most frequent alone where none has that many."""
    counted = Counter(a for a in (a.strip() for a in answers) if a).most_common()
    return [answer for answer, times in counted if times >= least] or [
        answer for answer, _ in counted[:1]
    ]
