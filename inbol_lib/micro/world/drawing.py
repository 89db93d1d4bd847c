"""TODO."""

import numpy as np
from PIL import Image, ImageDraw, ImageEnhance, ImageFilter

from inbol_lib.micro.world.entities import COLOURS, Country, rng_of
from inbol_lib.micro.world.scenes import CELL, EDGE, ZOOM, Scene, Thing, _digits

# --- drawing --------------------------------------------------------------------------------------------------------


def render(scene: Scene) -> Image.Image:
    """The picture, 48 x 48 RGB, deterministic in the scene's id."""
    rng = rng_of("render", scene.image_id)
    tint = tuple(int(v) for v in rng.integers(215, 250, 3))
    canvas = Image.new("RGB", (EDGE * ZOOM, EDGE * ZOOM), tint)
    if scene.country:
        canvas = _draw_flag(canvas, scene, rng)
    for thing in () if scene.country else scene.things:
        _draw_thing(canvas, thing, scene.kind, rng)
    picture = canvas.resize((EDGE, EDGE), Image.Resampling.BOX)
    if scene.kind == "blank":
        return _blank(scene, rng)
    return _spoil(picture, scene, rng)


def _centre(cell: int, kind: str, rng: np.random.Generator) -> tuple[float, float]:
    reach = 4.0 if kind in ("free", "bad") else 1.2
    dx, dy = rng.uniform(-reach, reach, 2)
    x, y = (cell % 3 + 0.5) * CELL + dx, (cell // 3 + 0.5) * CELL + dy
    return float(np.clip(x, 7, EDGE - 7)) * ZOOM, float(np.clip(y, 7, EDGE - 7)) * ZOOM


def _draw_thing(canvas: Image.Image, thing: Thing, kind: str, rng: np.random.Generator) -> None:
    x, y = _centre(thing.cell, kind, rng)
    if thing.shape == "digit":
        scan = _digits().images[thing.sample] / 16.0
        tile = Image.fromarray((255 * (1 - scan)).astype(np.uint8)).resize(
            (14 * ZOOM, 14 * ZOOM), Image.Resampling.BICUBIC
        )
        canvas.paste(tile.convert("RGB"), (int(x - 7 * ZOOM), int(y - 7 * ZOOM)))
        return
    radius = (6.6 if thing.large else 3.9) * ZOOM
    _draw_shape(ImageDraw.Draw(canvas), thing.shape, x, y, radius, COLOURS[thing.colour])


def _star(x: float, y: float, r: float) -> list[tuple[float, float]]:
    angles = np.arange(10) * np.pi / 5 - np.pi / 2
    return [(x + r * (1.1 if i % 2 == 0 else 0.45) * np.cos(a), y + r * (1.1 if i % 2 == 0 else 0.45) * np.sin(a))
            for i, a in enumerate(angles)]  # fmt: skip


def _draw_shape(
    draw: ImageDraw.ImageDraw, shape: str, x: float, y: float, r: float, fill: tuple
) -> None:
    box = (x - r, y - r, x + r, y + r)
    if shape == "circle":
        draw.ellipse(box, fill=fill)
    elif shape == "ring":
        draw.ellipse(box, outline=fill, width=max(1, int(r * 0.42)))
    elif shape == "square":
        draw.rectangle((x - 0.88 * r, y - 0.88 * r, x + 0.88 * r, y + 0.88 * r), fill=fill)
    elif shape == "triangle":
        draw.polygon([(x, y - r), (x + r, y + 0.85 * r), (x - r, y + 0.85 * r)], fill=fill)
    elif shape == "diamond":
        draw.polygon(
            [(x, y - 1.1 * r), (x + 0.75 * r, y), (x, y + 1.1 * r), (x - 0.75 * r, y)], fill=fill
        )
    elif shape == "cross":
        draw.rectangle((x - r, y - 0.33 * r, x + r, y + 0.33 * r), fill=fill)
        draw.rectangle((x - 0.33 * r, y - r, x + 0.33 * r, y + r), fill=fill)
    elif shape == "heart":
        draw.ellipse((x - r, y - 0.9 * r, x, y + 0.1 * r), fill=fill)
        draw.ellipse((x, y - 0.9 * r, x + r, y + 0.1 * r), fill=fill)
        draw.polygon(
            [(x - 0.95 * r, y - 0.2 * r), (x + 0.95 * r, y - 0.2 * r), (x, y + r)], fill=fill
        )
    else:
        draw.polygon(_star(x, y, r), fill=fill)


def _draw_flag(canvas: Image.Image, scene: Scene, rng: np.random.Generator) -> Image.Image:
    width, height = (46, 34) if scene.kind == "flag" else (32, 24)
    flag = Image.new("RGB", (width * ZOOM, height * ZOOM))
    _draw_bands(flag, scene.country)
    if scene.things:
        emblem = scene.things[0]
        _draw_shape(
            ImageDraw.Draw(flag),
            emblem.shape,
            width * ZOOM / 2,
            height * ZOOM / 2,
            height * ZOOM * 0.24,
            COLOURS[emblem.colour],
        )
    if scene.kind == "far":
        flag = flag.rotate(
            float(rng.uniform(-12, 12)), fillcolor=canvas.getpixel((0, 0)), expand=True
        )
    shift = (
        rng.uniform(-1.5, 1.5, 2) * ZOOM if scene.kind == "flag" else rng.uniform(-5, 5, 2) * ZOOM
    )
    corner = (
        int((canvas.width - flag.width) / 2 + shift[0]),
        int((canvas.height - flag.height) / 2 + shift[1]),
    )
    canvas.paste(flag, corner)
    return canvas


def _draw_bands(flag: Image.Image, country: Country) -> None:
    draw, (w, h) = ImageDraw.Draw(flag), flag.size
    first, second, *rest = (COLOURS[c] for c in country.colours)
    third = rest[0] if rest else second
    draw.rectangle((0, 0, w, h), fill=first)
    match country.layout:
        case "h3":
            draw.rectangle((0, h / 3, w, 2 * h / 3), fill=second)
            draw.rectangle((0, 2 * h / 3, w, h), fill=third)
        case "v3":
            draw.rectangle((w / 3, 0, 2 * w / 3, h), fill=second)
            draw.rectangle((2 * w / 3, 0, w, h), fill=third)
        case "h2":
            draw.rectangle((0, h / 2, w, h), fill=second)
        case "v2":
            draw.rectangle((w / 2, 0, w, h), fill=second)
        case "cross":
            draw.rectangle((0.3 * w, 0, 0.46 * w, h), fill=second)
            draw.rectangle((0, 0.39 * h, w, 0.61 * h), fill=second)
        case "saltire":
            draw.line((0, 0, w, h), fill=second, width=int(0.2 * h))
            draw.line((0, h, w, 0), fill=second, width=int(0.2 * h))
        case "canton":
            draw.rectangle((0, 0, 0.45 * w, 0.5 * h), fill=second)
        case "border":
            draw.rectangle((0, 0, w - 1, h - 1), outline=second, width=int(0.18 * h))
        case _:
            draw.polygon([(0, h), (w, h), (w, 0)], fill=second)


def _spoil(picture: Image.Image, scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Worse photographs for larger nuisance: lower contrast, blur, noise. Bad photographs are dark or cropped as well."""
    u = scene.nuisance
    picture = ImageEnhance.Contrast(picture).enhance(1 - 0.6 * u)
    if u > 0.3:
        picture = picture.filter(ImageFilter.GaussianBlur((u - 0.3) * 1.6))
    if scene.kind == "bad":
        picture = picture.filter(ImageFilter.GaussianBlur(3.0 + 3 * u))
        picture = ImageEnhance.Brightness(picture).enhance(float(rng.choice([0.15, 0.35, 1.5])))
    pixels = np.asarray(picture, dtype=np.float32)
    pixels = pixels + rng.normal(0, 4 + 52 * u**2, pixels.shape)
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))


def _blank(scene: Scene, rng: np.random.Generator) -> Image.Image:
    """Black or white, or noise."""
    level = 0 if rng.random() < 0.5 else int(rng.integers(200, 256))
    pixels = (
        level + rng.normal(0, 3, (EDGE, EDGE, 3))
        if scene.plain
        else rng.uniform(0, 255, (EDGE, EDGE, 3))
    )
    return Image.fromarray(np.clip(pixels, 0, 255).astype(np.uint8))
