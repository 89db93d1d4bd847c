"""Draw what a scene shows, then photograph it."""

from functools import cache

import numpy as np
from PIL import Image, ImageDraw, ImageFilter, ImageFont

from inbol_lib.micro.world.drawing import photography
from inbol_lib.micro.world.drawing.canvas import CELL, EDGE, ZOOM
from inbol_lib.micro.world.drawing.flags import LARGE, SMALL, flag_of
from inbol_lib.micro.world.drawing.shapes import draw_shape
from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import TALLEST, Scene, Thing, digit_scans

LARGE_RADIUS, SMALL_RADIUS = 11.0, 7.2  # of a shape, in pixels
DIGIT_EDGE = 20  # of a handwritten digit, in pixels
SHRINKS = 0.5  # how much of their size things lose where the trouble is "small"
LETTER_EDGE = 26  # of the letters on a sign, in pixels


def render(scene: Scene) -> Image.Image:
    """Draw a scene as an RGB picture of 72 x 72 pixels; the same scene gives the same pixels."""
    rng = rng_of("render", scene.image_id.partition("~")[0])  # an edit leaves all else as it is
    if scene.kind == "blank":
        return photography.blank(scene, rng)
    canvas = photography.ground(rng)
    if scene.country:
        _draw_flag(canvas, scene, rng)
    elif scene.word:
        _draw_sign(canvas, scene, rng)
    elif scene.bars:
        _draw_chart(canvas, scene)
    else:
        for thing in scene.things:
            _draw_thing(canvas, thing, scene, rng)
    return photography.spoil(canvas, scene, rng)


def _shrunk(scene: Scene) -> float:
    return 1 - SHRINKS * scene.nuisance if scene.trouble == "small" else 1.0


def _draw_thing(canvas: Image.Image, thing: Thing, scene: Scene, rng: np.random.Generator) -> None:
    x, y = _centre(thing, scene.kind, rng)
    if thing.hidden == "removed":
        return
    if thing.shape == "digit":
        _draw_digit(canvas, thing.sample, x, y, _shrunk(scene))
    else:
        radius = (LARGE_RADIUS if thing.large else SMALL_RADIUS) * ZOOM * _shrunk(scene)
        draw_shape(canvas, thing.shape, (x, y), radius, COLOURS[thing.colour], thing.pattern)
    if thing.hidden:
        _HIDE[thing.hidden](canvas, x, y)


def _put_box(canvas: Image.Image, x: float, y: float) -> None:
    """Put a cardboard box in front of what stands at a point."""
    half, draw = 0.47 * CELL * ZOOM, ImageDraw.Draw(canvas)
    box = (x - half, y - half, x + half, y + half)
    draw.rectangle(box, fill=(196, 160, 112), outline=(120, 92, 60), width=ZOOM)
    draw.line((x - half, y, x + half, y), fill=(120, 92, 60), width=ZOOM)


def _smudge(canvas: Image.Image, x: float, y: float) -> None:
    """Wipe over what stands at a point until only a stain is left."""
    half = int(0.5 * CELL * ZOOM)
    box = (int(x) - half, int(y) - half, int(x) + half, int(y) + half)
    stain = canvas.crop(box).filter(ImageFilter.GaussianBlur(9 * ZOOM))
    mask = Image.new("L", stain.size)
    ImageDraw.Draw(mask).ellipse((0, 0, *stain.size), fill=255)
    canvas.paste(stain, box[:2], mask.filter(ImageFilter.GaussianBlur(2 * ZOOM)))


_HIDE = {"covered": _put_box, "smudged": _smudge}


def _centre(thing: Thing, kind: str, rng: np.random.Generator) -> tuple[float, float]:
    """Return where a thing is drawn: in its cell, or off the grid in "free" and "bad" pictures."""
    reach = 6.0 if kind in ("free", "bad") else 1.8
    shift = rng.uniform(-reach, reach, 2)
    x = (thing.column + 0.5) * CELL + shift[0]
    y = (thing.row + 0.5) * CELL + shift[1]
    margin = DIGIT_EDGE // 2
    x, y = np.clip([x, y], margin, EDGE - margin)
    return float(x) * ZOOM, float(y) * ZOOM


def _draw_digit(canvas: Image.Image, sample: int, x: float, y: float, scale: float) -> None:
    """Paste the scan of a digit as ink, without its paper."""
    ink = (255 * digit_scans().images[sample] / 16.0).astype(np.uint8)
    edge = int(DIGIT_EDGE * ZOOM * scale)
    mask = Image.fromarray(ink).resize((edge, edge), Image.Resampling.BICUBIC)
    canvas.paste((25, 25, 40), (int(x - edge / 2), int(y - edge / 2)), mask)


def _draw_flag(canvas: Image.Image, scene: Scene, rng: np.random.Generator) -> None:
    """Draw a flag into the middle: large and straight ("flag"), or small and tilted ("far")."""
    scale = _shrunk(scene)
    width, height = LARGE if scene.kind == "flag" else SMALL
    flag = flag_of(scene.country, scene.things, (int(width * scale), int(height * scale)))
    reach, angle = 2.0, 0.0
    if scene.kind == "far":
        reach, angle = 8.0, float(rng.uniform(-12, 12))
    mask = Image.new("L", flag.size, 255).rotate(angle, expand=True)
    flag = flag.rotate(angle, expand=True)
    shift = rng.uniform(-reach, reach, 2) * ZOOM
    left = int((canvas.width - flag.width) / 2 + shift[0])
    top = int((canvas.height - flag.height) / 2 + shift[1])
    canvas.paste(flag, (left, top), mask)


def _draw_sign(canvas: Image.Image, scene: Scene, rng: np.random.Generator) -> None:
    """Draw a board on a post with a word in white, or in black on a light board."""
    draw, scale = ImageDraw.Draw(canvas), _shrunk(scene)
    x, y = (EDGE / 2 + rng.uniform(-2, 2, 2)) * ZOOM
    wide, high = 32 * ZOOM * scale, 17 * ZOOM * scale
    board = COLOURS[scene.things[0].colour]
    draw.rectangle((x - 2 * ZOOM, y, x + 2 * ZOOM, EDGE * ZOOM), fill=(120, 95, 70))
    draw.rounded_rectangle((x - wide, y - high, x + wide, y + high), 4 * ZOOM, fill=board)
    light = sum(board) > 420
    ink = (20, 20, 20) if light else (250, 250, 250)
    draw.text(
        (x, y), scene.word, fill=ink, font=_font(int(LETTER_EDGE * ZOOM * scale)), anchor="mm"
    )


@cache
def _font(edge: int) -> ImageFont.FreeTypeFont:
    return ImageFont.load_default(edge)


def _draw_chart(canvas: Image.Image, scene: Scene) -> None:
    """Draw bars on a white sheet with a line for every unit of height."""
    draw, scale = ImageDraw.Draw(canvas), _shrunk(scene)
    wide, high = 30 * ZOOM * scale, 30 * ZOOM * scale
    middle = EDGE * ZOOM / 2
    left, foot = middle - wide, middle + high
    draw.rectangle((left, middle - high, middle + wide, foot), fill=(252, 252, 252))
    unit = 2 * high / (TALLEST + 0.5)
    for level in range(1, TALLEST + 1):
        y = foot - level * unit
        draw.line((left, y, middle + wide, y), fill=(205, 205, 205), width=ZOOM)
    room = 2 * wide / len(scene.bars)
    for bar in scene.bars:
        start = left + (bar.cell + 0.5) * room - 0.3 * min(room, wide)
        top = foot - bar.height * unit
        draw.rectangle((start, top, start + 0.6 * min(room, wide), foot), COLOURS[bar.colour])
    draw.line((left, foot, middle + wide, foot), fill=(50, 50, 50), width=ZOOM)
