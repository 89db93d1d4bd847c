"""Stacked bars of outcomes, and s_trust beside them."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from inbol_lib.report.plots.looks import METHODS, OUTCOMES, label


def outcome_bars(shares: pd.DataFrame, ax: plt.Axes, least: float = 7) -> plt.Axes:
    """Draw a stacked bar of outcomes for each row, the first row on top.

    Parameters
    ----------
    shares : pd.DataFrame
        Columns: any of `OUTCOMES`, in percent. The index names the bars.
    ax : plt.Axes
    least : float
        Parts smaller than this, in percent, have no number written into them.
    """
    places, start = np.arange(len(shares))[::-1], np.zeros(len(shares))
    for outcome, look in OUTCOMES.items():
        if outcome not in shares:
            continue
        parts = shares[outcome]
        style = {"color": look.colour, "hatch": look.hatch, "edgecolor": "white"}
        bars = ax.barh(places, parts, 0.68, start, label=look.word, **style)
        ax.bar_label(
            bars,
            [f"{part:.0f}" if part >= least else "" for part in parts],
            label_type="center",
            color="white" if outcome == "correct" else "black",
            bbox={"fc": look.colour, "ec": "none", "pad": 1.5},
        )
        start = start + parts.to_numpy()
    ax.set(yticks=places, yticklabels=shares.index, xlim=(0, 100))
    ax.grid(False)
    return ax


def method_bars(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Draw the outcomes of each method, and beside them s_trust with its interval.

    The axis of s_trust spans at least -20 to 40 points, so that the figures of several models can
    be compared.

    Parameters
    ----------
    table : pd.DataFrame
        Columns: method, acc, refr, s_trust, lo, hi (percentage points).
    ax : plt.Axes
    """
    wrong = 100 - table.acc - table.refr
    shares = pd.DataFrame({"correct": table.acc, "refusal": table.refr, "incorrect": wrong})
    outcome_bars(shares.set_axis([label(method) for method in table.method]), ax)
    ax.set_xlabel("test questions (%)")
    ax.legend(ncols=3, loc="upper left", bbox_to_anchor=(0, -0.2), borderpad=0, columnspacing=1.2)
    _trust_beside(table, ax)
    return ax


def _trust_beside(table: pd.DataFrame, ax: plt.Axes) -> None:
    """Draw s_trust with its interval to the right of `ax`, and write the numbers next to it."""
    beside = ax.inset_axes([1.12, 0, 0.4, 1], sharey=ax)
    beside.axvline(0, color="#888888", lw=1)
    for place, row in zip(ax.get_yticks(), table.itertuples(), strict=True):
        look = METHODS[row.method]
        error = [[row.s_trust - row.lo], [row.hi - row.s_trust]]
        beside.errorbar(row.s_trust, place, xerr=error, fmt=look.mark, color=look.colour, capsize=4)
        numbers = f"{row.s_trust:+.1f}  [{row.lo:+.1f}, {row.hi:+.1f}]".replace("-", "−")
        beside.text(1.04, place, numbers, va="center", transform=beside.get_yaxis_transform())
    span = min(-20, table.lo.min() - 2), max(40, table.hi.max() + 2)
    beside.set(xlabel="s_trust [95 %]", xlim=span)
    beside.tick_params(labelleft=False, left=False)
