"""Draw coloured shapes on a grid, for pictures that are described in words."""

from collections.abc import Callable, Sequence

import numpy as np
from PIL import Image, ImageDraw

ZOOM = 4  # drawn pixels to a pixel of the picture, because Pillow draws hard edges
LARGE, SMALL = 0.41, 0.25  # radius of a shape, as a share of its cell's edge
PAPER = (233, 233, 233)  # behind the shapes

Colour = tuple[int, int, int]
Drawing = Callable[[ImageDraw.ImageDraw, float, float, float, Colour], None]


def _polygon(*corners: tuple[float, float]) -> Drawing:
    """Return what draws a polygon; its corners are given in radii from the centre."""

    def draw(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: Colour) -> None:
        pen.polygon([(x + radius * a, y + radius * b) for a, b in corners], fill=fill)

    return draw


def _circle(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: Colour) -> None:
    pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=fill)


def _ring(pen: ImageDraw.ImageDraw, x: float, y: float, radius: float, fill: Colour) -> None:
    box = (x - radius, y - radius, x + radius, y + radius)
    pen.ellipse(box, outline=fill, width=max(1, round(0.42 * radius)))


def _star(points: int = 5, inner: float = 0.45) -> Drawing:
    turns = np.arange(2 * points) * np.pi / points - np.pi / 2
    reach = np.where(np.arange(2 * points) % 2 == 0, 1.1, inner)
    corners = np.stack([reach * np.cos(turns), reach * np.sin(turns)], axis=1)
    return _polygon(*corners.tolist())


def _heart() -> Drawing:
    turns = np.linspace(0, 2 * np.pi, 60)
    across = 16 * np.sin(turns) ** 3
    up = 13 * np.cos(turns) - 5 * np.cos(2 * turns) - 2 * np.cos(3 * turns) - np.cos(4 * turns)
    return _polygon(*np.stack([across / 16, -up / 16], axis=1).tolist())


_W = 0.33  # half the width of a cross's arm
#: shape -> what draws it
DRAWN: dict[str, Drawing] = {
    "circle": _circle,
    "ring": _ring,
    "square": _polygon((-0.88, -0.88), (0.88, -0.88), (0.88, 0.88), (-0.88, 0.88)),
    "triangle": _polygon((0, -1), (1, 0.85), (-1, 0.85)),
    "diamond": _polygon((0, -1.1), (0.75, 0), (0, 1.1), (-0.75, 0)),
    "star": _star(),
    "heart": _heart(),
    "cross": _polygon(
        *((-_W, -1), (_W, -1), (_W, -_W), (1, -_W), (1, _W), (_W, _W)),
        *((_W, 1), (-_W, 1), (-_W, _W), (-1, _W), (-1, -_W), (-_W, -_W)),
    ),
}


def drawn(things: Sequence[tuple[str, Colour, bool, int]], side: int, edge: int) -> Image.Image:
    """Draw shapes into the cells of a grid.

    Parameters
    ----------
    things : sequence of (shape, colour, large, cell)
        A name of `DRAWN`, red, green and blue from 0 to 255, whether it is large, and its cell,
        counted row by row from 0.
    side : int
        Cells on an edge of the grid.
    edge : int
        Edge of the picture, in pixels.
    """
    canvas = Image.new("RGB", (edge * ZOOM, edge * ZOOM), PAPER)
    pen, cell_edge = ImageDraw.Draw(canvas), edge * ZOOM / side
    for shape, colour, large, cell in things:
        row, column = divmod(cell, side)
        x, y = (column + 0.5) * cell_edge, (row + 0.5) * cell_edge
        DRAWN[shape](pen, x, y, (LARGE if large else SMALL) * cell_edge, colour)
    return canvas.resize((edge, edge), Image.Resampling.BOX)
