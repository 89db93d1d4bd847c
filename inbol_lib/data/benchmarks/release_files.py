"""Find and read the files of an official release, which people unpack in different ways."""

import hashlib
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from inbol_lib.data.pictures import inside
from inbol_lib.data.texts import from_json
from inbol_lib.errors import ParameterError

COCO = "http://images.cocodataset.org/zips"

#: Folders of pictures, which may be links to where there is room for them.
LINKED = ("train2014", "val2014", "val2017", "oven_images", "train", "val", "test")

Picture = Callable[[], Path | bytes]  # a picture that is not read before this is called


def digest(text: str) -> bytes:
    """Return a stable hash, for orders and divisions that depend on nothing else."""
    return hashlib.sha256(text.encode()).digest()


def located(home: Path, patterns: str) -> list[Path]:
    """Return the files in a folder or its subfolders that fit one of the `patterns`.

    Patterns are divided by "|", as in "a.json|b*.json".
    """
    found: set[Path] = set()
    for pattern in patterns.split("|"):
        found.update(home.glob(pattern))
        found.update(home.glob(f"*/{pattern}"))
    return sorted(path for path in found if path.is_file())


def read_json(home: Path, name: str) -> Any:
    """Return the content of the JSON file `name`.

    Raises
    ------
    ParameterError
        When it is no JSON.
    """
    return json_in(located(home, name)[0])


def json_in(path: Path) -> Any:
    """Return the content of a JSON file; raises ParameterError when it is none."""
    return _read(path, path.read_bytes())


def json_lines(path: Path) -> Iterator[Any]:
    """Yield the values on the lines of a JSONL file; raises ParameterError where one is none."""
    with path.open("rb") as lines:
        for number, line in enumerate(lines, 1):
            if line.strip():
                yield _read(f"{path}, line {number}", line)


def _read(place: Path | str, content: bytes) -> Any:
    try:
        return from_json(content.decode("utf-8-sig"))
    except ValueError as error:
        raise ParameterError(f"{place} is no JSON in UTF-8: {error}; get it again") from None


def picture(home: Path, *names: str) -> Picture:
    """Return a picture: the first of the files `names` that exists.

    Files lie in the benchmark's folder, its `images` folder or the shared `coco` folder. Calling
    the picture raises FileNotFoundError where none of them does, and ValueError where a name or a
    link leads out of all these folders.
    """
    return partial(_find, home, names)


def _find(home: Path, names: tuple[str, ...]) -> Path:
    folders = (home, home / "images", home.parent / "coco")
    outside = ""
    for folder in folders:
        for name in names:
            file = folder / name
            if not _stays(folder, name):
                outside = outside or name
            elif file.is_file():
                return file
    if outside:
        raise ValueError(f"image path {outside!r} leaves the folder")
    raise FileNotFoundError(
        f"there is no {' or '.join(names)} in {folders[0]}, {folders[1]} or {folders[2]}"
    )


def _stays(folder: Path, name: str) -> bool:
    """Return whether a name stays in a folder, of which some subfolders may be links."""
    first, _, rest = name.partition("/")
    return inside(folder / first, rest) if first in LINKED else inside(folder, name)


def coco(home: Path, part: str, image_id: int) -> Picture:
    """Return a photograph of COCO; `part` is train2014, val2014 or val2017.

    The photographs of 2014 have the part in their name.
    """
    name = f"{image_id:012d}.jpg"
    if part.endswith("2014"):
        name = f"COCO_{part}_{name}"
    return picture(home, f"{part}/{name}", name)
