"""Pictures of the questions shown, read and decoded one at a time."""

import io
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow.parquet as pq
from datasets import Dataset
from PIL import Image

from inbol_lib.data.pictures import as_rgb, opened

#: source -> its question rows, made or read again; None where they cannot be
Loader = Callable[[str], Dataset | None]


@dataclass
class Pictures:
    """Finds the picture of a question.

    Attributes
    ----------
    files
        (source, id) -> the parquet file that holds the question and its row there.
    load
        Gives the rows of sources that lie in no file.
    """

    files: dict[tuple[str, str], tuple[Path, int]] = field(default_factory=dict)
    load: Loader = lambda _: None
    _loaded: dict[str, tuple[Dataset | None, dict[str, int]]] = field(
        default_factory=dict, repr=False
    )

    def find(self, source: str, name: str, image_id: str) -> Image.Image | None:
        """Return the picture of a question in RGB, None where it cannot be had.

        Parameters
        ----------
        source, name, image_id : str
            Source and id of the question, and id of its picture.

        Raises
        ------
        OSError
            When a file that held it is gone or broken.
        """
        if (source, name) in self.files:
            return _from_file(*self.files[source, name])
        if source not in self._loaded:
            table = self.load(source)
            names = [] if table is None else table["image_id"]
            self._loaded[source] = table, {one: place for place, one in enumerate(names)}
        table, places = self._loaded[source]
        return as_rgb(table[places[image_id]]["image"]) if image_id in places else None


def _from_file(file: Path, row: int) -> Image.Image:
    """Read the row group that a picture lies in, and decode that picture alone."""
    table = pq.ParquetFile(file)
    for group in range(table.num_row_groups):
        size = table.metadata.row_group(group).num_rows
        if row < size:
            cell = table.read_row_group(group, columns=["image"])["image"][row].as_py()
            source = io.BytesIO(cell["bytes"]) if cell["bytes"] else Path(cell["path"])
            return as_rgb(opened(source))
        row -= size
    raise OSError(f"{file} has fewer rows than it had; open the view again")
