"""Charts of the two controls of whether methods look at the picture."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from matplotlib.axes import Axes

from inbol_lib.report.plots.looks import METHODS, label


def picture_controls(
    pairs: pd.DataFrame, blind: pd.DataFrame, axes: Sequence[Axes]
) -> Sequence[Axes]:
    """Draw how often methods win a minimal pair, and how often they refuse without a picture.

    Parameters
    ----------
    pairs, blind : pd.DataFrame
        As `tables.picture_controls` makes them, of one model; either may be empty.
    axes : sequence of two Axes
    """
    _by_kind(pairs, "edit", "both", axes[0])
    axes[0].set(ylabel="right and refused (%)", title="Minimal pairs won")
    _by_kind(blind, "picture", "refr", axes[1])
    axes[1].set(ylabel="refused (%)", title="Known questions, by picture")
    if axes[1].containers:
        axes[1].legend(loc="center left", bbox_to_anchor=(1, 0.5))
    return axes


def _by_kind(table: pd.DataFrame, kind: str, value: str, ax: Axes) -> None:
    """Draw a value with its interval for each kind and method, the methods side by side."""
    ax.set_ylim(-4, 104)  # marks at the ends are whole
    if table.empty:
        ax.text(0.5, 0.5, "none asked", transform=ax.transAxes, ha="center")
        return
    kinds = table[kind].unique().tolist()
    methods = table.method.unique().tolist()
    for place, method in enumerate(methods):
        mine = table[table.method == method].set_index(kind).reindex(kinds)
        at = np.arange(len(kinds)) + 0.18 * (place - (len(methods) - 1) / 2)
        spread = [mine[value] - mine.lo, mine.hi - mine[value]]
        look = METHODS[method]
        style = {"fmt": look.mark, "color": look.colour, "label": label(method), "capsize": 2}
        ax.errorbar(at, mine[value], np.maximum(spread, 0), **style)
    ax.set_xticks(range(len(kinds)), kinds, rotation=25)
