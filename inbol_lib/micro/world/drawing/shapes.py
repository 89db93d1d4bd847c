"""Coloured shapes with their patterns: each is a mask that is filled with plain paint or more."""

from collections.abc import Callable

import numpy as np
from PIL import Image, ImageDraw

from inbol_lib.micro.world.drawing.canvas import ZOOM, Colour, mixed

Points = list[tuple[float, float]]
WHITE = (250, 250, 250)


def draw_shape(
    canvas: Image.Image,
    shape: str,
    centre: tuple[float, float],
    radius: float,
    fill: Colour,
    pattern: str = "plain",
) -> None:
    """Draw a shape around a point of the canvas; it reaches about `radius` far (drawn pixels)."""
    edge = 2 * int(1.2 * radius) + 2
    mask = Image.new("L", (edge, edge))
    _MASKS[shape](ImageDraw.Draw(mask), edge / 2, radius)
    paint = _paint(edge, radius, fill, pattern)
    x, y = centre
    canvas.paste(paint, (round(x - edge / 2), round(y - edge / 2)), mask)


def _paint(edge: int, radius: float, fill: Colour, pattern: str) -> Image.Image:
    """Fill a square: plain, or with lighter stripes or dots (darker ones would look black)."""
    paint = Image.new("RGB", (edge, edge), fill)
    if pattern == "plain":
        return paint
    draw, light = ImageDraw.Draw(paint), mixed(fill, WHITE, 0.55)
    step = max(3 * ZOOM, int(0.62 * radius))
    if pattern == "striped":
        for start in range(-edge, edge, step):
            draw.line((start, edge, start + edge, 0), fill=light, width=max(ZOOM, int(0.4 * step)))
        return paint
    dot = max(ZOOM, int(0.27 * step))
    for row, y in enumerate(range(step // 2, edge, int(0.8 * step))):
        for x in range(step // 2 * (1 + row % 2), edge, step):
            draw.ellipse((x - dot, y - dot, x + dot, y + dot), fill=light)
    return paint


def _scaled(points: Points) -> Callable[[ImageDraw.ImageDraw, float, float], None]:
    """Return a drawer of the polygon whose corners are given in radii around the centre."""

    def drawer(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
        draw.polygon([(centre + x * radius, centre + y * radius) for x, y in points], fill=255)

    return drawer


def _circle(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
    draw.ellipse(_box(centre, radius), fill=255)


def _ring(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
    draw.ellipse(_box(centre, radius), outline=255, width=max(1, int(0.42 * radius)))


def _moon(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
    draw.ellipse(_box(centre, radius), fill=255)
    left, top, right, bottom = _box(centre, 0.85 * radius)
    shift = 0.55 * radius
    draw.ellipse((left + shift, top, right + shift, bottom), fill=0)


def _cross(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
    half = 0.33 * radius
    draw.rectangle((centre - radius, centre - half, centre + radius, centre + half), fill=255)
    draw.rectangle((centre - half, centre - radius, centre + half, centre + radius), fill=255)


def _heart(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
    top, bottom = centre - 0.9 * radius, centre + 0.1 * radius
    draw.ellipse((centre - radius, top, centre, bottom), fill=255)
    draw.ellipse((centre, top, centre + radius, bottom), fill=255)
    side, shoulder = 0.95 * radius, centre - 0.2 * radius
    foot = (centre, centre + radius)
    draw.polygon([(centre - side, shoulder), (centre + side, shoulder), foot], fill=255)


def _drop(draw: ImageDraw.ImageDraw, centre: float, radius: float) -> None:
    low, reach = centre + 0.35 * radius, 0.7 * radius
    draw.ellipse((centre - reach, low - reach, centre + reach, low + reach), fill=255)
    side = 0.62 * radius
    tip = (centre, centre - 1.1 * radius)
    draw.polygon([tip, (centre + side, low - 0.3 * reach), (centre - side, low - 0.3 * reach)], 255)


def _box(centre: float, radius: float) -> tuple[float, float, float, float]:
    return centre - radius, centre - radius, centre + radius, centre + radius


def _around(n: int, *reaches: float) -> Points:
    """Return `n` corners from the top on; their distances from the centre take turns."""
    angles = np.arange(n) * 2 * np.pi / n - np.pi / 2
    return [
        (reaches[k % len(reaches)] * np.cos(angle), reaches[k % len(reaches)] * np.sin(angle))
        for k, angle in enumerate(angles)
    ]


_MASKS: dict[str, Callable[[ImageDraw.ImageDraw, float, float], None]] = {
    "circle": _circle,
    "square": _scaled([(-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)]),
    "triangle": _scaled([(0, -1), (1, 0.85), (-1, 0.85)]),
    "star": _scaled(_around(10, 1.1, 0.45)),
    "cross": _cross,
    "diamond": _scaled([(0, -1.1), (0.75, 0), (0, 1.1), (-0.75, 0)]),
    "ring": _ring,
    "heart": _heart,
    "moon": _moon,
    "arrow": _scaled(
        [(0, -1.1), (0.85, -0.1), (0.32, -0.1), (0.32, 1), (-0.32, 1), (-0.32, -0.1), (-0.85, -0.1)]
    ),
    "hexagon": _scaled(_around(6, 1.0)),
    "drop": _drop,
}
