"""Pictures as people see them, in RGB, whatever file they come from (ours).

Pillow's own conversion loses what people's files hold: it cuts 16-bit and floating-point pixels off
at white, shows transparency as black, and leaves a photograph on its side.
"""

import warnings
from pathlib import Path
from typing import BinaryIO

import numpy as np
from PIL import Image, ImageOps

WHITE = (255, 255, 255, 255)
#: Pixels of the largest picture that is read: a small file may unpack to more than fits in memory.
MOST_PIXELS = 50_000_000


class TooLarge(ValueError):
    """A picture has more pixels than are read."""


def opened(source: Path | BinaryIO) -> Image.Image:
    """Open a picture, which is not decoded before it is used.

    Parameters
    ----------
    source : Path or binary file

    Raises
    ------
    TooLarge
        When it has more than `MOST_PIXELS` pixels.
    OSError, SyntaxError, ValueError
        When it is no picture.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        try:
            image = Image.open(source)
        except Image.DecompressionBombError:  # Pillow's own limit, which is higher
            raise TooLarge(_too_large("more than 178,000,000")) from None
    if image.width * image.height > MOST_PIXELS:
        image.close()
        raise TooLarge(_too_large(f"{image.width * image.height:,}"))
    return image


def _too_large(given: str) -> str:
    return f"it has {given} pixels; at most {MOST_PIXELS:,} are read: make it smaller"


def inside(folder: Path, name: str) -> bool:
    """Return whether a path that data names stays in a folder, also where links lead.

    The folder itself may be a link.

    Raises
    ------
    OSError, ValueError
        When no file can have such a name.
    """
    return (folder / name).resolve().is_relative_to(folder.resolve())


def as_rgb(image: Image.Image) -> Image.Image:
    """Return a picture upright, with 8 bits a channel, transparency on white.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any mode; a picture of several frames gives its first.

    Raises
    ------
    OSError, ValueError
        When the file behind it is cut off or broken.
    """
    image = ImageOps.exif_transpose(image)
    if image.mode.startswith(("I", "F")):
        return Image.fromarray(_eight_bits(np.asarray(image))).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        opaque = image.convert("RGBA")
        canvas = Image.new("RGBA", opaque.size, WHITE)
        return Image.alpha_composite(canvas, opaque).convert("RGB")
    return image.convert("RGB")


def _eight_bits(pixels: np.ndarray) -> np.ndarray:
    """Scale grey values to 0 to 255, by the range that they are written in.

    That is 1 for fractions, 255, 65,535 (16 bits), or else the highest value that occurs.
    """
    values = np.nan_to_num(pixels.astype(np.float64), nan=0.0, posinf=0.0, neginf=0.0).clip(min=0)
    highest = values.max(initial=0.0)
    fractions = np.issubdtype(pixels.dtype, np.floating) and highest <= 1
    ranges = [1.0] if fractions else [255.0, 65535.0]
    if pixels.dtype.itemsize == 2:
        ranges = [65535.0]
    white = next((limit for limit in ranges if highest <= limit), highest)
    return np.rint(values * (255 / white)).astype(np.uint8)
