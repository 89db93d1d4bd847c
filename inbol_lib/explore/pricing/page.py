"""The page about a cost: methods in their order, and their gains at all costs."""

from typing import Any

import numpy as np
import pandas as pd

from inbol_lib.explore.parts import rendered
from inbol_lib.explore.pricing.gains import MOST, Resampled, best_by_cost, ranking
from inbol_lib.report.plots.looks import METHODS, OUTCOMES

WIDTH, HEIGHT = 500, 300  # of the chart, in pixels
LEFT, RIGHT, TOP, BOTTOM = 50, 12, 12, 66  # its margins
LOWEST = -100.0  # points; where nothing but wrong answers stands at a cost of 1
POINTS = 41  # of a line or band
TRACK = 300  # width of an interval's track, in pixels


def page(resampled: Resampled, cost: float, fixed: dict[str, Any], note: str) -> str:
    """Return the HTML about a cost.

    Parameters
    ----------
    resampled : Resampled
    cost : float
        From 0 to `MOST`.
    fixed : dict
        `lines(resampled)`: what does not depend on the cost.
    note : str
        Where the outcomes come from.
    """
    table = ranking(resampled, cost)
    return rendered(
        "ranking.html",
        cost=cost,
        pays=100 * cost / (1 + cost),
        rows=_rows(table),
        chart=fixed | {"here": _x(cost)},
        tied=_tied(table),
        note=note,
    )


def _rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the lines of the table, with the places of gain and interval in percent."""
    least, most = min(0.0, table.lo.min()), max(0.0, table.hi.max())
    span = max(most - least, 1.0) * 1.04

    def at(value: float) -> float:
        return 100 * (value - least) / span + 2

    rows = []
    for row in table.to_dict("records"):
        ends = {"from": at(row["lo"]), "to": at(row["hi"]), "at": at(row["gain"]), "zero": at(0.0)}
        words = {"correct": "correct", "refusal": "refusal", "wrong": "incorrect"}
        parts = [(word, row[name], OUTCOMES[word].colour) for name, word in words.items()]
        rows.append(row | ends | {"parts": parts})
    return rows


def _tied(table: pd.DataFrame) -> bool:
    """Return whether the second method's interval reaches into the first one's."""
    return len(table) > 1 and bool(table.hi[1] >= table.lo[0])


def lines(resampled: Resampled) -> dict[str, Any]:
    """Return lines, bands, ticks and the strip of best methods of the chart, in pixels."""
    costs = np.linspace(0, MOST, POINTS)
    seen, lo, hi = [], [], []
    for cost in costs:
        gains, drawn = resampled.gains(cost)
        low, high = np.quantile(drawn, [0.025, 0.975], axis=1)
        seen.append(gains), lo.append(low), hi.append(high)
    seen, lo, hi = (np.array(values).T for values in (seen, lo, hi))
    top = max(10.0, 10 * np.ceil(hi.max() / 10))
    xs = [_x(cost) for cost in costs]
    curves = []
    for place, method in enumerate(resampled.methods):
        upper = [f"{x:.1f},{_y(value, top):.1f}" for x, value in zip(xs, hi[place], strict=True)]
        lower = [f"{x:.1f},{_y(value, top):.1f}" for x, value in zip(xs, lo[place], strict=True)]
        path = [f"{x:.1f},{_y(value, top):.1f}" for x, value in zip(xs, seen[place], strict=True)]
        curves.append((method, " ".join(path), " ".join(upper + lower[::-1])))
    strip = [(_x(a), _x(b), method, a, b) for a, b, method in best_by_cost(resampled)]
    size = {"size": (WIDTH, HEIGHT), "left": LEFT, "right": WIDTH - RIGHT, "top": TOP}
    ticks = [(_x(cost), f"{cost:.0f}") for cost in np.arange(0, MOST + 1, 2)]
    heights = [
        (_y(value, top), f"{value:+.0f}".replace("-", "−").replace("+0", "0"))
        for value in (LOWEST, LOWEST / 2, 0.0, top)
    ]
    return size | {
        "foot": HEIGHT - BOTTOM,
        "curves": curves,
        "strip": strip,
        "ticks": ticks,
        "heights": heights,
        "zero": _y(0.0, top),
        "looks": METHODS,
    }


def _x(cost: float) -> float:
    return LEFT + (WIDTH - LEFT - RIGHT) * cost / MOST


def _y(value: float, top: float) -> float:
    return TOP + (HEIGHT - TOP - BOTTOM) * (top - value) / (top - LOWEST)
