"""Reading what a figure writes, and where."""

from collections.abc import Iterator
from itertools import combinations
from typing import NamedTuple
from unittest import mock

import matplotlib.pyplot as plt
from matplotlib.text import Text
from matplotlib.transforms import Bbox

SMALLEST = 13.9  # points; figures are printed at half their size


class Written(NamedTuple):
    """A text of a figure, where it stands in pixels, and its size in points."""

    text: str
    box: Bbox
    size: float


def texts(figure: plt.Figure) -> list[Written]:
    """Draw a figure and return its texts; hidden ones and those outside the axes do not count."""
    drawn: dict[int, Text] = {}
    draw = Text.draw

    def recorded(text: Text, renderer) -> None:
        drawn[id(text)] = text
        draw(text, renderer)

    with mock.patch.object(Text, "draw", recorded):
        figure.canvas.draw()
    seen = [text for text in drawn.values() if text.get_visible() and text.get_text().strip()]
    return [Written(t.get_text(), t.get_window_extent(), t.get_fontsize()) for t in seen]


def overlapping(read: list[Written]) -> Iterator[tuple[str, str]]:
    """Yield pairs of texts that share more than a pixel in width and in height."""
    for one, other in combinations(read, 2):
        width = min(one.box.x1, other.box.x1) - max(one.box.x0, other.box.x0)
        height = min(one.box.y1, other.box.y1) - max(one.box.y0, other.box.y0)
        if width > 1 and height > 1:
            yield one.text, other.text
