"""TODO."""

import hashlib
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path

COCO = "http://images.cocodataset.org/zips"

Picture = Callable[[], Path | bytes]  # reads nothing before it is called


def digest(text: str) -> bytes:
    """A stable hash, for orders and divisions that depend on nothing else."""
    return hashlib.sha256(text.encode()).digest()


def located(home: Path, patterns: str) -> list[Path]:
    """Files in the folder or in a folder of it that fit one of the `patterns` ("a.json|b*.json")."""
    return sorted(
        {
            f
            for p in patterns.split("|")
            for f in (*home.glob(p), *home.glob(f"*/{p}"))
            if f.is_file()
        }
    )


def read_json(home: Path, name: str):
    """What the JSON file `name` holds."""
    return json.loads(located(home, name)[0].read_text(encoding="utf-8"))


def picture(home: Path, *names: str) -> Picture:
    """The first of the files `names` that lies in the benchmark's folder, its `images` folder or the shared `coco` folder."""
    return partial(_find, home, names)


def _find(home: Path, names: tuple[str, ...]) -> Path:
    for folder in (home, home / "images", home.parent / "coco"):
        for name in names:
            if (file := folder / name).is_file():
                return file
    raise FileNotFoundError(
        f"there is no {' or '.join(names)} in {home}, {home / 'images'} or {home.parent / 'coco'}"
    )


def coco(home: Path, part: str, image_id: int) -> Picture:
    """COCO's photograph: `part` is train2014, val2014 or val2017; those of 2014 have it in their name."""
    name = f"{image_id:012d}.jpg" if part.endswith("2017") else f"COCO_{part}_{image_id:012d}.jpg"
    return picture(home, f"{part}/{name}", name)
