"""Where the picture of a question of one's own comes from: the world, a file, or a few words."""

import io
from functools import lru_cache
from pathlib import Path

from datasets import Dataset
from PIL import Image

from inbol_lib.data.pictures import as_rgb, opened
from inbol_lib.errors import ParameterError
from inbol_lib.explore.asking import words
from inbol_lib.explore.asking.answering import Shown
from inbol_lib.explore.asking.shapes import drawn
from inbol_lib.micro import world
from inbol_lib.micro.world.scenes import Thing

BLOCK = 40  # questions of the world that are made at a time
MOST = 4000  # questions of the world to choose from


@lru_cache(maxsize=4)
def _block(source: str, many: int, seed: int) -> Dataset:
    return world.questions(source, "test", many, seed)


def of_world(source: str, number: int, seed: int = 0) -> tuple[Shown, str]:
    """Return a picture of the micro world's test split, and the question that goes with it.

    Parameters
    ----------
    source : str
        One of the world's sources.
    number : int
        Which of its questions, from 1 to `MOST`.
    seed : int
        `data_seed` of the parameters.

    Raises
    ------
    ParameterError
        When source or number are not there.
    """
    allowed = (*world.SOURCES, *world.OOD_SOURCES)
    if source not in allowed or not 1 <= number <= MOST:
        raise ParameterError(
            f"given {source!r}, {number}; sources are {', '.join(allowed)}, numbers 1 to {MOST}"
        )
    rows = _block(source, -(-number // BLOCK) * BLOCK, seed)
    row = rows[number - 1]
    return Shown(as_rgb(row["image"]), row["image_id"], row["image_id"]), row["question"]


def of_file(file: str | Path | bytes, name: str = "") -> Shown:
    """Return a picture from a file, or from its bytes.

    Raises
    ------
    ParameterError
        When there is no picture, or it is too large.
    """
    name = name or (Path(file).name if not isinstance(file, bytes) else "picture")
    source = io.BytesIO(file) if isinstance(file, bytes) else Path(file).expanduser()
    try:
        with opened(source) as picture:
            return Shown(as_rgb(picture), name)
    except FileNotFoundError:
        raise ParameterError(f"{source} does not exist; give the path of a picture") from None
    except (OSError, SyntaxError, ValueError) as error:
        raise ParameterError(
            f"{name!r} is not a picture that can be read ({error}); PNG, JPEG, GIF, WebP and other "
            "formats of Pillow are"
        ) from None


def of_words(text: str) -> Shown:
    """Return a picture of what a few words describe.

    Parameters
    ----------
    text : str
        Such as "a red circle left of a blue square"; see `words.read`.

    Raises
    ------
    ParameterError
        As in `words.read` and `words.laid_out`.
    """
    things, relations = words.read(text)
    cells = words.laid_out(things, relations)
    placed = [
        Thing(one.shape, one.colour, one.large, cell, pattern=one.pattern)
        for one, cell in zip(things, cells, strict=True)
    ]
    return Shown(drawn(placed), f"drawn from: {text.strip()}")


def of_picture(picture: Image.Image) -> Shown:
    """Return a picture that is there already."""
    return Shown(as_rgb(picture), "your picture")
