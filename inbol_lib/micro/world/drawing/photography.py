"""What spoils a picture: blur, haze, darkness, things in front of it, and clutter.

Each picture has one trouble, as strong as its nuisance, so that a picture may be hard for a reason
that a person can see.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from inbol_lib.micro.world.drawing.canvas import EDGE, ZOOM
from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.scenes import Scene

SENSOR_NOISE = 3.0  # standard deviation, in levels of 0 to 255


def spoil(canvas: Image.Image, scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Return the photograph of a drawing, EDGE x EDGE pixels.

    "bad" photographs are out of focus and far too dark or too bright as well, so that nobody could
    answer anything about them.
    """
    if scene.trouble == "covered":
        _cover(canvas, scene.nuisance, rng)
    elif scene.trouble == "cluttered":
        _clutter(canvas, scene.nuisance, rng)
    picture = canvas.resize((EDGE, EDGE), Image.Resampling.BOX)
    if scene.trouble == "faint":
        picture = ImageEnhance.Contrast(picture).enhance(1 - 0.85 * scene.nuisance)
    elif scene.trouble == "blurred":
        picture = picture.filter(ImageFilter.GaussianBlur(5.0 * scene.nuisance))
    elif scene.trouble == "dim":
        picture = ImageEnhance.Brightness(picture).enhance(1 - 0.88 * scene.nuisance)
    if scene.kind == "bad":
        picture = picture.filter(ImageFilter.GaussianBlur(5.0 + 4 * scene.nuisance))
        picture = ImageEnhance.Brightness(picture).enhance(float(rng.choice([0.2, 0.4, 1.5])))
    pixels = np.asarray(picture, dtype=np.float32)
    return to_picture(pixels + rng.normal(0, SENSOR_NOISE, pixels.shape))


def _cover(canvas: Image.Image, strength: float, rng: np.random.Generator) -> None:
    """Lay leaves and sticks over the picture."""
    draw = ImageDraw.Draw(canvas)
    for _ in range(round(1 + 7 * strength)):
        x, y = rng.uniform(0, EDGE, 2) * ZOOM
        green = (int(rng.integers(60, 110)), int(rng.integers(90, 130)), int(rng.integers(40, 70)))
        if rng.random() < 0.5:
            dx, dy = rng.uniform(-26, 26, 2) * ZOOM
            draw.line((x, y, x + dx, y + dy), fill=(110, 85, 60), width=int(3.5 * ZOOM))
        else:
            wide, high = rng.uniform(5, 11, 2) * ZOOM
            draw.ellipse((x - wide, y - high, x + wide, y + high), fill=green)


def _clutter(canvas: Image.Image, strength: float, rng: np.random.Generator) -> None:
    """Scatter confetti: specks of every colour, smaller than any object."""
    draw, palette = ImageDraw.Draw(canvas), list(COLOURS.values())
    for _ in range(round(10 + 110 * strength)):
        x, y = rng.uniform(0, EDGE, 2) * ZOOM
        edge = float(rng.uniform(1.0, 2.6)) * ZOOM
        draw.rectangle((x, y, x + edge, y + edge), fill=palette[int(rng.integers(len(palette)))])


def ground(rng: np.random.Generator) -> Image.Image:
    """Return an empty canvas: a light tint that may shade off, or fine stripes like a wall's."""
    edge = EDGE * ZOOM
    tint = rng.integers(212, 250, 3)
    pixels = np.broadcast_to(tint.astype(np.float32), (edge, edge, 3)).copy()
    style = rng.random()
    if style < 0.4:
        slope = np.linspace(0, float(rng.uniform(10, 34)), edge, dtype=np.float32)
        pixels -= (slope[:, None] if rng.random() < 0.5 else slope[None, :])[..., None]
    elif style < 0.6:
        lines = (np.arange(edge) // (2 * ZOOM)) % 4 == 0
        pixels -= 12 * lines[None, :, None].astype(np.float32)
    return to_picture(pixels)


def blank(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Return a plain black or white picture, or one of noise alone."""
    level = 0 if rng.random() < 0.5 else 255
    shape = (EDGE, EDGE, 3)
    if scene.plain:
        return to_picture(level + rng.normal(0, 3, shape))
    return to_picture(rng.uniform(0, 255, shape))


def to_picture(pixels: np.ndarray) -> Image.Image:
    """Return an RGB picture from levels of 0 to 255, which are cut where they overshoot."""
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
