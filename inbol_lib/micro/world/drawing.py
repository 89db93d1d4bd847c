"""From a scene to its picture: things and flags are drawn enlarged, scaled down, then spoilt.

Pictures are small (48 x 48 pixels) so that small models can see them. They are drawn at four times
that size because Pillow draws hard edges, which scaling down smooths.
"""

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from inbol_lib.micro.world.entities import COLOURS, Country
from inbol_lib.micro.world.randomness import rng_of
from inbol_lib.micro.world.scenes import Scene, Thing, digit_scans

EDGE = 48  # of a picture, in pixels
CELL = 16  # edge of one cell of the 3 x 3 grid, in pixels
ZOOM = 4  # drawn pixels to a pixel of the picture
DIGIT_EDGE = 14  # of a handwritten digit, in pixels
LARGE, SMALL = 6.6, 3.9  # radius of a shape, in pixels

Colour = tuple[int, int, int]


def render(scene: Scene) -> Image.Image:
    """Draw a scene as an RGB picture of 48 x 48 pixels; the same scene gives the same pixels."""
    rng = rng_of("render", scene.image_id)
    tint = tuple(int(value) for value in rng.integers(215, 250, 3))
    canvas = Image.new("RGB", (EDGE * ZOOM, EDGE * ZOOM), tint)
    if scene.country:
        _draw_flag(canvas, scene, rng)
    else:
        for thing in scene.things:
            _draw_thing(canvas, thing, scene.kind, rng)
    if scene.kind == "blank":
        return _blank(scene, rng)
    return _spoil(canvas.resize((EDGE, EDGE), Image.Resampling.BOX), scene, rng)


# --- shapes and digits ------------------------------------------------------------------------


def _draw_thing(canvas: Image.Image, thing: Thing, kind: str, rng: np.random.Generator) -> None:
    x, y = _centre(thing, kind, rng)
    if thing.shape == "digit":
        _draw_digit(canvas, thing.sample, x, y)
        return
    radius = (LARGE if thing.large else SMALL) * ZOOM
    _draw_shape(ImageDraw.Draw(canvas), thing.shape, x, y, radius, COLOURS[thing.colour])


def _centre(thing: Thing, kind: str, rng: np.random.Generator) -> tuple[float, float]:
    """Return where a thing is drawn: in its cell, or off the grid in "free" and "bad" pictures."""
    reach = 4.0 if kind in ("free", "bad") else 1.2
    shift = rng.uniform(-reach, reach, 2)
    x = (thing.column + 0.5) * CELL + shift[0]
    y = (thing.row + 0.5) * CELL + shift[1]
    margin = DIGIT_EDGE // 2
    x, y = np.clip([x, y], margin, EDGE - margin)
    return float(x) * ZOOM, float(y) * ZOOM


def _draw_digit(canvas: Image.Image, sample: int, x: float, y: float) -> None:
    ink = digit_scans().images[sample] / 16.0
    edge = DIGIT_EDGE * ZOOM
    scan = Image.fromarray((255 * (1 - ink)).astype(np.uint8))
    tile = scan.resize((edge, edge), Image.Resampling.BICUBIC)
    canvas.paste(tile.convert("RGB"), (int(x - edge / 2), int(y - edge / 2)))


def _draw_shape(
    draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, radius: float, fill: Colour
) -> None:
    """Draw a shape around (x, y) that reaches about `radius` far."""
    box = (x - radius, y - radius, x + radius, y + radius)
    match shape:
        case "circle":
            draw.ellipse(box, fill=fill)
        case "ring":
            width = max(1, int(radius * 0.42))
            draw.ellipse(box, outline=fill, width=width)
        case "square":
            half = 0.88 * radius
            draw.rectangle((x - half, y - half, x + half, y + half), fill=fill)
        case "triangle":
            foot = y + 0.85 * radius
            draw.polygon([(x, y - radius), (x + radius, foot), (x - radius, foot)], fill=fill)
        case "diamond":
            up, side = 1.1 * radius, 0.75 * radius
            draw.polygon([(x, y - up), (x + side, y), (x, y + up), (x - side, y)], fill=fill)
        case "cross":
            half = 0.33 * radius
            draw.rectangle((x - radius, y - half, x + radius, y + half), fill=fill)
            draw.rectangle((x - half, y - radius, x + half, y + radius), fill=fill)
        case "heart":
            _draw_heart(draw, x, y, radius, fill)
        case "star":
            draw.polygon(_star(x, y, radius), fill=fill)


def _draw_heart(draw: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: Colour) -> None:
    top, bottom = y - 0.9 * radius, y + 0.1 * radius
    draw.ellipse((x - radius, top, x, bottom), fill=fill)
    draw.ellipse((x, top, x + radius, bottom), fill=fill)
    side, shoulder = 0.95 * radius, y - 0.2 * radius
    draw.polygon([(x - side, shoulder), (x + side, shoulder), (x, y + radius)], fill=fill)


def _star(x: float, y: float, radius: float) -> list[tuple[float, float]]:
    """Return the ten corners of a star, from its top, in turn far from the centre and near it."""
    corners = []
    for number, angle in enumerate(np.arange(10) * np.pi / 5 - np.pi / 2):
        reach = radius * (1.1 if number % 2 == 0 else 0.45)
        corners.append((x + reach * np.cos(angle), y + reach * np.sin(angle)))
    return corners


# --- flags ------------------------------------------------------------------------------------


def _draw_flag(canvas: Image.Image, scene: Scene, rng: np.random.Generator) -> None:
    """Draw a flag into the middle: large and straight ("flag"), or small and tilted ("far")."""
    width, height = (46, 34) if scene.kind == "flag" else (32, 24)
    flag = Image.new("RGB", (width * ZOOM, height * ZOOM))
    _draw_bands(flag, scene.country)
    for emblem in scene.things:
        x, y, radius = flag.width / 2, flag.height / 2, flag.height * 0.24
        _draw_shape(ImageDraw.Draw(flag), emblem.shape, x, y, radius, COLOURS[emblem.colour])
    reach = 1.5
    if scene.kind == "far":
        reach, angle = 5, float(rng.uniform(-12, 12))
        flag = flag.rotate(angle, fillcolor=canvas.getpixel((0, 0)), expand=True)
    shift = rng.uniform(-reach, reach, 2) * ZOOM
    left = int((canvas.width - flag.width) / 2 + shift[0])
    top = int((canvas.height - flag.height) / 2 + shift[1])
    canvas.paste(flag, (left, top))


def _draw_bands(flag: Image.Image, country: Country) -> None:
    draw = ImageDraw.Draw(flag)
    width, height = flag.size
    first, second, *rest = (COLOURS[name] for name in country.colours)
    draw.rectangle((0, 0, width, height), fill=first)
    match country.layout:
        case "h3":
            draw.rectangle((0, height / 3, width, 2 * height / 3), fill=second)
            draw.rectangle((0, 2 * height / 3, width, height), fill=rest[0])
        case "v3":
            draw.rectangle((width / 3, 0, 2 * width / 3, height), fill=second)
            draw.rectangle((2 * width / 3, 0, width, height), fill=rest[0])
        case "h2":
            draw.rectangle((0, height / 2, width, height), fill=second)
        case "v2":
            draw.rectangle((width / 2, 0, width, height), fill=second)
        case "cross":
            draw.rectangle((0.3 * width, 0, 0.46 * width, height), fill=second)
            draw.rectangle((0, 0.39 * height, width, 0.61 * height), fill=second)
        case "saltire":
            draw.line((0, 0, width, height), fill=second, width=int(0.2 * height))
            draw.line((0, height, width, 0), fill=second, width=int(0.2 * height))
        case "canton":
            draw.rectangle((0, 0, 0.45 * width, 0.5 * height), fill=second)
        case "border":
            draw.rectangle((0, 0, width - 1, height - 1), outline=second, width=int(0.18 * height))
        case "diagonal":
            draw.polygon([(0, height), (width, height), (width, 0)], fill=second)


# --- photography ------------------------------------------------------------------------------


def _spoil(picture: Image.Image, scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Return a worse photograph: nuisance lowers the contrast, blurs and adds noise.

    "bad" photographs are out of focus and far too dark or too bright as well, so that nobody could
    answer anything about them.
    """
    nuisance = scene.nuisance
    picture = ImageEnhance.Contrast(picture).enhance(1 - 0.6 * nuisance)
    if nuisance > 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur((nuisance - 0.3) * 1.6))
    if scene.kind == "bad":
        picture = picture.filter(ImageFilter.GaussianBlur(3.0 + 3 * nuisance))
        picture = ImageEnhance.Brightness(picture).enhance(float(rng.choice([0.15, 0.35, 1.5])))
    pixels = np.asarray(picture, dtype=np.float32)
    return _picture(pixels + rng.normal(0, 4 + 52 * nuisance**2, pixels.shape))


def _blank(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Return a plain black or bright picture, or one of noise alone."""
    level = 0 if rng.random() < 0.5 else int(rng.integers(200, 256))
    shape = (EDGE, EDGE, 3)
    if scene.plain:
        return _picture(level + rng.normal(0, 3, shape))
    return _picture(rng.uniform(0, 255, shape))


def _picture(pixels: np.ndarray) -> Image.Image:
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
