"""Grids of pictures with captions, and the lines of text in them."""

import textwrap
from collections.abc import Sequence

import matplotlib.pyplot as plt
from PIL import Image

from inbol_lib.report.plots.looks import OUTCOMES, label


def picture_grid(
    pictures: Sequence[Image.Image], captions: Sequence[str], columns: int = 4, width: float = 3.5
) -> plt.Figure:
    """Draw enlarged pictures with a caption under each (Figs. 9 and 12).

    Parameters
    ----------
    pictures, captions : sequences of one length
        A caption may have several lines, each of at most 28 letters.
    columns : int
        How many pictures stand side by side.
    width : float
        Width of a picture with its margins, in inches.
    """
    rows = -(-len(pictures) // columns)
    lines = max(caption.count("\n") for caption in captions) + 1
    size = (width * columns, rows * (width * 0.75 + 0.25 * lines))
    figure, axes = plt.subplots(rows, columns, figsize=size, squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture, caption in zip(axes.flat, pictures, captions, strict=False):
        ax.imshow(picture, interpolation="nearest")
        ax.set_title(caption, y=-0.04, va="top", fontsize=14, weight="normal", loc="left")
    return figure


def wrap(text: str, width: int = 28, longest: int = 0, indent: str = "") -> str:
    """Break a text into lines; an empty one becomes a dash.

    Parameters
    ----------
    text : str
    width : int
        Letters in a line, with its indent.
    longest : int
        Whatever goes beyond so many letters is cut and marked with an ellipsis; 0 cuts nothing.
    indent : str
        Stands before every line but the first.
    """
    text = textwrap.shorten(text, longest, placeholder="…") if longest else text
    return "\n".join(textwrap.wrap(text, width, subsequent_indent=indent)) or "–"


def spoken(method: str, response: str, outcome: str) -> str:
    """Return what a method said as lines of a caption, after the sign of its outcome."""
    said = f"{OUTCOMES[outcome].sign} {label(method)}: {wrap(response, longest=40)}"
    return wrap(said, 29, indent="    ")
