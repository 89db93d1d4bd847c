"""Find and read the files of an official release, which people unpack in different ways."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

COCO = "http://images.cocodataset.org/zips"

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
    """Return the content of the JSON file `name`."""
    return json.loads(located(home, name)[0].read_text(encoding="utf-8"))


def picture(home: Path, *names: str) -> Picture:
    """Return a picture: the first of the files `names` that exists.

    Files lie in the benchmark's folder, its `images` folder or the shared `coco` folder. Calling
    the picture raises FileNotFoundError where none of them does.
    """
    return partial(_find, home, names)


def _find(home: Path, names: tuple[str, ...]) -> Path:
    folders = (home, home / "images", home.parent / "coco")
    for folder in folders:
        for name in names:
            file = folder / name
            if file.is_file():
                return file
    raise FileNotFoundError(
        f"there is no {' or '.join(names)} in {folders[0]}, {folders[1]} or {folders[2]}"
    )


def coco(home: Path, part: str, image_id: int) -> Picture:
    """Return a photograph of COCO; `part` is train2014, val2014 or val2017.

    The photographs of 2014 have the part in their name.
    """
    name = f"{image_id:012d}.jpg"
    if part.endswith("2014"):
        name = f"COCO_{part}_{name}"
    return picture(home, f"{part}/{name}", name)
