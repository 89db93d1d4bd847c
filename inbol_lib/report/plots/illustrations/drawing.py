"""Texts, pictures and bars stacked in an axes, with and without a frame."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.offsetbox import (
    AnchoredOffsetbox,
    DrawingArea,
    OffsetBox,
    OffsetImage,
    TextArea,
    VPacker,
)
from PIL import Image

from inbol_lib.report.plots.looks import OUTCOMES

BOLD = {"weight": "bold"}


class Words(NamedTuple):
    """A text and its Matplotlib properties."""

    text: str
    properties: dict[str, Any] = {}  # never changed, only read


#: What can be stacked: a text, a picture, or a weight in [0, 1], which becomes a bar.
Item = Words | Image.Image | float


def show(picture: Image.Image, ax: plt.Axes) -> None:
    """Draw a picture into the upper left corner of an axes, without ticks."""
    ax.imshow(picture, interpolation="nearest")
    ax.set_anchor("NW")
    ax.axis("off")


def framed(text: str, outcome: str) -> Words:
    """Return a text in a frame that has the colour of an outcome."""
    colour = OUTCOMES[outcome].colour
    frame = {"boxstyle": "round,pad=0.35", "fc": (colour, 0.25), "ec": colour, "lw": 2}
    return Words(text, {"bbox": frame})


def stack(ax: plt.Axes, items: Sequence[Item], sep: float = 14) -> None:
    """Draw items under each other, `sep` points apart, into an axes of their own."""
    ax.axis("off")
    child = _packed(items, sep, "left")
    ax.add_artist(AnchoredOffsetbox("upper left", child=child, frameon=False, pad=0, borderpad=0))


def box(ax: plt.Axes, items: Sequence[Item], colour: str = "#999999", arrow: bool = False) -> None:
    """Draw items under each other in a coloured frame, on request with an arrow from above."""
    ax.set(xticks=[], yticks=[], facecolor=(colour, 0.12))
    ax.spines[:].set(visible=True, color=colour, linewidth=2)
    child = _packed(items, 10, "center")
    ax.add_artist(AnchoredOffsetbox("upper center", child=child, frameon=False, pad=0.5))
    if arrow:
        look = {"arrowstyle": "-|>", "lw": 2, "color": "#555555"}
        ax.annotate("", (0.5, 1), (0, 22), "axes fraction", "offset points", look)


def _packed(items: Sequence[Item], sep: float, align: str) -> VPacker:
    children = [_artist(item, align) for item in items]
    return VPacker(children=children, pad=0, sep=sep, align=align)


def _artist(item: Item, align: str) -> OffsetBox:
    if isinstance(item, Words):
        return TextArea(item.text, textprops={"multialignment": align, **item.properties})
    if isinstance(item, Image.Image):
        enlarged = item.convert("RGB").resize((100, 100), Image.Resampling.NEAREST)
        return OffsetImage(np.asarray(enlarged), interpolation="nearest")
    return _weight_bar(item)


def _weight_bar(weight: float) -> DrawingArea:
    """Return a bar that is filled as far as the weight says."""
    area, look = DrawingArea(120, 10), {"height": 10, "ec": "#222222"}
    area.add_artist(plt.Rectangle((0, 0), 120, fc="white", **look))
    area.add_artist(plt.Rectangle((0, 0), 120 * weight, fc="#222222", **look))
    return area
