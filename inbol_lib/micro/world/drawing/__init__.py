"""From a scene to its picture: things are drawn enlarged, scaled down, then spoilt.

Pictures are small (72 x 72 pixels) so that small models can see them. They are drawn at three times
that size because Pillow draws hard edges, which scaling down smooths.
"""

from inbol_lib.micro.world.drawing.canvas import EDGE
from inbol_lib.micro.world.drawing.pictures import render

__all__ = ["EDGE", "render"]
