"""Read the tables in which the Hugging Face Hub keeps a benchmark."""

import ast
import io
import re
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from datasets import Dataset, Image, load_dataset
from huggingface_hub.constants import HF_HOME

from inbol_lib.data.benchmarks.release_files import located
from inbol_lib.data.pictures import as_rgb, inside, opened

BATCH = 1000  # rows that are read at once


@dataclass(frozen=True)
class Hub:
    """A repository of the Hub, and the configs of it that are read (None: its only one)."""

    repo: str
    configs: tuple[str | None, ...] = (None,)

    def parquet_files(self, home: Path, split: str) -> list[list[Path]]:
        """Return the parquet files of each config in a copy of the repository.

        [] unless the copy in `home` holds every config.
        """
        files = located(home, f"{split}-*.parquet")
        parts = [
            [file for file in files if _is_of(config, file.parent, home)] for config in self.configs
        ]
        return parts if all(parts) else []

    def tables(self, split: str, revision: str | None) -> list[Dataset]:
        """Return the configs' tables from the Hub, at `revision` (None: the newest).

        Raises
        ------
        OSError, ValueError
            When the Hub can not be reached or has no such repository, config or split.
        """
        return [
            load_dataset(self.repo, config, split=split, revision=revision)
            for config in self.configs
        ]


def _is_of(config: str | None, folder: Path, home: Path) -> bool:
    """Tell whether a config's files lie in `folder`; an only config's may lie in `home` itself."""
    return folder in (home, home / "data") if config is None else folder.name == config


def unread(table: Dataset) -> Iterator[dict]:
    """Yield the rows of a table with a Picture in place of each picture, without reading it.

    None stands where a row holds no picture.
    """
    columns = [name for name, kind in table.features.items() if isinstance(kind, Image)]
    raw = {name: _undecoded(table, name) for name in columns}
    held = {name: _held(column, name) for name, column in raw.items()}
    for number, row in enumerate(_rows(table.remove_columns(columns))):
        pictures = {
            name: partial(_cell, raw[name], name, number) if held[name][number] else None
            for name in columns
        }
        yield row | pictures


def _undecoded(table: Dataset, name: str) -> Dataset:
    return table.select_columns([name]).cast_column(name, Image(decode=False))


def _held(column: Dataset, name: str) -> list[bool]:
    """Tell for each row whether it holds a picture."""
    held: list[bool] = []
    for batch in column.with_format("arrow").iter(BATCH):
        held += batch[name].is_valid().to_pylist()
    return held


def _rows(table: Dataset) -> Iterator[dict]:
    for batch in table.with_format("arrow").iter(BATCH):
        yield from batch.to_pylist()


def _cell(column: Dataset, name: str, number: int) -> Path | bytes:
    cell = column[number][name]
    if cell["bytes"] is not None:
        return cell["bytes"]
    if not inside(Path(HF_HOME), cell["path"]):  # where files from the Hub lie
        raise ValueError(f"image path {cell['path']!r} leaves the folder")
    return Path(cell["path"])


def rgb(source: Path | bytes) -> bytes:
    """Return a picture's file as it is if its pixels are RGB, otherwise as PNG in RGB.

    Raises
    ------
    OSError, ValueError
        When it is not a picture, or is cut off.
    """
    data = source if isinstance(source, bytes) else source.read_bytes()
    with opened(io.BytesIO(data)) as image:
        image.load()  # a file that is cut off can be opened, too
        if image.mode == "RGB" and "transparency" not in image.info:
            return data  # whoever decodes it turns it upright
        converted = io.BytesIO()
        as_rgb(image).save(converted, "PNG")
    return converted.getvalue()


def listed(value: str | list[str]) -> list[str]:
    """Return a list, also where the Hub holds it written as text; [text] for any other text."""
    if not isinstance(value, str):
        return list(value)
    if re.fullmatch(r"\[(?:['\"].*['\"])?\]", value, re.S):
        return [str(item) for item in ast.literal_eval(value)]
    return [value]


def agreed(answers: Iterable[str], least: int) -> list[str]:
    """Return the answers that at least `least` people gave, the most frequent first.

    Where no answer has that many, the most frequent one alone.
    """
    stripped = (answer.strip() for answer in answers)
    counted = Counter(answer for answer in stripped if answer).most_common()
    enough = [answer for answer, times in counted if times >= least]
    return enough or [answer for answer, _ in counted[:1]]
