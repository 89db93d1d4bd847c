"""What the settings do: thresholds (Fig. 10), composition (Fig. 11), and the amount of data."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from inbol_lib.report.plots.looks import METHODS


def threshold_heatmap(cells: pd.DataFrame, ax: plt.Axes, value: str = "score") -> plt.Axes:
    """Draw a score for every pair of thresholds, the best one framed (Fig. 10).

    Under each score stands half the width of the interval of the in-domain s_trust.

    Parameters
    ----------
    cells : pd.DataFrame
        Columns: delta_known, delta_unknown, `value` (in [0, 1]), lo, hi (percentage points).
    ax : plt.Axes
    value : str
        The column that is drawn.
    """
    import seaborn as sns  # takes most of a second, and no other figure needs it

    halves = (cells.hi - cells.lo) / 2
    texts = [f"{score:.2f}\n±{half:.0f}" for score, half in zip(cells[value], halves, strict=True)]
    grid, text = _grid(cells, value), _grid(cells.assign(text=texts), "text").fillna("")
    legend = {"label": "normalised s_trust\n(±: points in domain)"}
    look = {"cmap": "viridis", "vmin": 0, "vmax": 1, "linewidths": 2, "cbar_kws": legend}
    sns.heatmap(grid, ax=ax, annot=text, fmt="", **look)
    row, column = np.unravel_index(np.nanargmax(grid.to_numpy()), grid.shape)
    ax.add_patch(plt.Rectangle((column, row), 1, 1, fill=False, ec="black", lw=4, clip_on=False))
    ax.set(xlabel="threshold for known", ylabel="threshold for unknown")
    ax.tick_params(axis="y", rotation=0)
    ax.grid(False)
    return ax


def _grid(cells: pd.DataFrame, value: str) -> pd.DataFrame:
    """Return a column as a grid of the thresholds, the highest `delta_unknown` on top."""
    grid = cells.pivot(index="delta_unknown", columns="delta_known", values=value)
    return grid.sort_index(ascending=False)


def composition_curves(table: pd.DataFrame, x: str, ax: plt.Axes) -> plt.Axes:
    """Draw s_trust in and out of domain, with intervals, against a composition (Fig. 11).

    The colour is that of the method that is trained.

    Parameters
    ----------
    table : pd.DataFrame
        Columns: `x`, method, id_s_trust, lo, hi; and ood_s_trust, ood_lo, ood_hi where there are
        out-of-domain sets (percentage points).
    x : str
        The column that holds the composition.
    ax : plt.Axes
    """
    places = np.arange(len(table))
    _trust_curve(table, places, ("id_s_trust", "lo", "hi"), ax, label="in domain", ls="-")
    if "ood_s_trust" in table:
        look = {"label": "out of domain", "ls": "--", "mfc": "white"}
        _trust_curve(table, places + 0.05, ("ood_s_trust", "ood_lo", "ood_hi"), ax, **look)
    ax.set(xticks=places, xticklabels=table[x])
    ax.set(ylabel="s_trust (points)", xlabel=x.replace("_", " "))
    ax.margins(x=0.1)
    ax.label_outer(remove_inner_ticks=True)  # panels side by side share the axis
    ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2), columnspacing=1.2)
    return ax


def _trust_curve(
    table: pd.DataFrame,
    places: np.ndarray,
    columns: tuple[str, str, str],
    ax: plt.Axes,
    **look: str,
) -> None:
    """Draw one line; `columns` hold the value and the ends of its interval."""
    value, lo, hi = (table[column] for column in columns)
    error = np.abs(pd.concat([lo - value, hi - value], axis=1)).T
    method = METHODS[table.method.iloc[0]]
    style = {"marker": method.mark, "color": method.colour, "capsize": 4, "elinewidth": 1.4}
    ax.errorbar(places, value, error, **style, **look)


def growth(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Draw in-domain s_trust with its interval against the number of instructions.

    Parameters
    ----------
    table : pd.DataFrame
        Columns: method, instructions, pairs, and id_s_trust, lo, hi (percentage points).
    ax : plt.Axes
    """
    ordered = table.sort_values("instructions", kind="stable").groupby("method", sort=False)
    for place, (method, part) in enumerate(ordered):
        look = METHODS[method]
        error = [part.id_s_trust - part.lo, part.hi - part.id_s_trust]
        style = {"color": look.colour, "marker": look.mark, "capsize": 3, "elinewidth": 1.4}
        beside = part.instructions * 1.03**place  # so that intervals do not hide each other
        ax.errorbar(beside, part.id_s_trust, error, label=look.label, **style)
    sizes = table[["instructions", "pairs"]].drop_duplicates().sort_values("instructions")
    names = [f"{size.instructions:,}\n{size.pairs:,}" for size in sizes.itertuples()]
    ax.set_xscale("log")
    ax.set_xticks(sizes.instructions, names)
    ax.minorticks_off()
    ax.set(xlabel="instructions (above) and preference pairs (below)", ylabel="in-domain s_trust")
    ax.legend()
    return ax
