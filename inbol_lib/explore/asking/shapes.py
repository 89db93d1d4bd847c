"""Draw coloured shapes on a grid, for pictures that are described in words."""

from collections.abc import Sequence

from PIL import Image

from inbol_lib.micro.world.drawing.canvas import CELL, EDGE, ZOOM
from inbol_lib.micro.world.drawing.pictures import LARGE_RADIUS, SMALL_RADIUS
from inbol_lib.micro.world.drawing.shapes import draw_shape
from inbol_lib.micro.world.entities import COLOURS
from inbol_lib.micro.world.scenes import Thing

PAPER = (233, 233, 233)  # behind the shapes


def drawn(things: Sequence[Thing]) -> Image.Image:
    """Draw shapes as the world does, each in the middle of its cell, on clean paper.

    Parameters
    ----------
    things : sequence of Thing
        Coloured shapes.

    Returns
    -------
    PIL.Image.Image
        RGB, as large as the pictures of the world.
    """
    canvas = Image.new("RGB", (EDGE * ZOOM, EDGE * ZOOM), PAPER)
    for one in things:
        centre = ((one.column + 0.5) * CELL * ZOOM, (one.row + 0.5) * CELL * ZOOM)
        radius = (LARGE_RADIUS if one.large else SMALL_RADIUS) * ZOOM
        draw_shape(canvas, one.shape, centre, radius, COLOURS[one.colour], one.pattern)
    return canvas.resize((EDGE, EDGE), Image.Resampling.BOX)
