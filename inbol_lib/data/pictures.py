"""Pictures as people see them, in RGB, whatever file they come from (ours).

Pillow's own conversion loses what people's files hold: it cuts 16-bit and floating-point pixels off
at white, shows transparency as black, and leaves a photograph on its side.
"""

import numpy as np
from PIL import Image, ImageOps

WHITE = (255, 255, 255, 255)


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
