"""TODO."""

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
from PIL import Image

from inbol_lib.report.plots.looks import OUTCOMES, label


def picture_grid(
    pictures: Sequence[Image.Image], captions: Sequence[str], columns: int = 4, width: float = 3.5
) -> plt.Figure:
    """Enlarged pictures with a caption under each (Fig. 9 and 12); `width` of each in inches, 28 letters of a caption."""
    rows = -(-len(pictures) // columns)
    lines = max(c.count("\n") for c in captions) + 1
    figure, axes = plt.subplots(
        rows,
        columns,
        figsize=(width * columns, rows * (width * 0.75 + 0.25 * lines)),
        squeeze=False,
    )
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture, caption in zip(axes.flat, pictures, captions, strict=False):
        ax.imshow(picture, interpolation="nearest")
        ax.set_title(caption, y=-0.04, va="top", fontsize=14, weight="normal", loc="left")
    return figure


def wrap(text: str, width: int = 28, longest: int = 0, indent: str = "") -> str:
    """`text` in lines of `width` letters, all but the first indented; what goes beyond `longest` letters is cut, with a mark."""
    text = textwrap.shorten(text, longest, placeholder="…") if longest else text
    return "\n".join(textwrap.wrap(text, width, subsequent_indent=indent)) or "–"


def spoken(method: str, response: str, outcome: str) -> str:
    """What a method said, behind the sign of what became of it, as lines of a caption."""
    return wrap(
        f"{OUTCOMES[outcome][3]} {label(method)}: {wrap(response, longest=40)}", 29, indent="    "
    )
