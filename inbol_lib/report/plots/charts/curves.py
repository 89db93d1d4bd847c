"""Curves against confidence, coverage and training steps."""

from itertools import cycle, pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from inbol_lib.report.plots.looks import DASHES, KINDS, METHODS, SELECTIVE, label


def confidence_histogram(
    records: pd.DataFrame, ax: plt.Axes, delta_known: float = 0.8, delta_unknown: float = 0.2
) -> plt.Axes:
    """Draw the share of questions at each confidence, a line per source, the classes shaded.

    Parameters
    ----------
    records : pd.DataFrame
        Columns: source, confidence (in [0, 1]).
    ax : plt.Axes
    delta_known, delta_unknown : float
        The thresholds between the classes.
    """
    _shade_classes(ax, delta_known, delta_unknown)
    sources = records.groupby("source", sort=False)
    for (source, part), mark in zip(sources, cycle("os^Dv"), strict=False):
        share = part.confidence.round(2).value_counts(normalize=True).sort_index()
        ax.plot(share.index, 100 * share.values, marker=mark, label=source)
    ax.set(xlabel="confidence (share of right samples)", ylabel="questions (%)", xlim=(-0.05, 1.05))
    ax.set_ylim(0, ax.get_ylim()[1] * 1.2)
    # over the mixed questions, where curves are low
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.88))
    return ax


def _shade_classes(ax: plt.Axes, delta_known: float, delta_unknown: float) -> None:
    edges = pairwise((-0.05, delta_unknown + 0.05, delta_known - 0.05, 1.05))
    above = {"ha": "center", "va": "top", "transform": ax.get_xaxis_transform()}
    for (lo, hi), (kind, colour) in zip(edges, KINDS.items(), strict=True):
        ax.axvspan(lo, hi, color=colour, alpha=0.16, lw=0)
        ax.text((lo + hi) / 2, 0.98, kind, **above)


def by_confidence(curves: pd.DataFrame, metric: str, ax: plt.Axes) -> plt.Axes:
    """Draw a metric against the original model's confidence, a line per method (Fig. 4).

    Accuracies that rest on fewer than five answers are left out.

    Parameters
    ----------
    curves : pd.DataFrame
        Columns: method, level (confidence in [0, 1]), n, refr, and the metric with its interval
        `<metric>_lo`, `<metric>_hi` (shares in [0, 1]), as `tables.by_confidence` makes them.
    metric : {"refr", "answered_acc"}
    ax : plt.Axes
    """
    shown = curves[(curves.n * (1 - curves.refr) >= 5) | (metric == "refr")]
    for place, (method, look) in enumerate(METHODS.items()):
        part = shown[shown.method == method].sort_values("level")
        if part.empty:
            continue
        error = np.abs(part[[f"{metric}_lo", f"{metric}_hi"]].sub(part[metric], axis=0)).T
        # moved a little, or the bars of one level would hide each other
        levels = part.level + 0.009 * (place - 2)
        style = {"color": look.colour, "marker": look.mark, "ls": DASHES[method], "mec": "white"}
        bars = {"elinewidth": 1, "ecolor": (look.colour, 0.6)}
        ax.errorbar(levels, 100 * part[metric], 100 * error, label=look.label, **style, **bars)
    names = {"refr": "refusal rate (%)", "answered_acc": "accuracy of answers (%)"}
    ax.set(xlabel="confidence of the original model", ylabel=names[metric])
    ax.set(xlim=(-0.03, 1.03), ylim=(-3, 103))
    return ax


def risk_coverage(curves: pd.DataFrame, points: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Draw the share of wrong answers among the given ones against the share of answers given.

    Every score of selective prediction is a line, every trained method a mark.

    Parameters
    ----------
    curves : pd.DataFrame
        Columns: score, coverage, risk (shares in [0, 1]), as `risk.risk_coverage` makes them.
    points : pd.DataFrame
        Columns: method, refr, answered_acc and its interval lo, hi (shares in [0, 1]).
    ax : plt.Axes
    """
    scores = curves.groupby("score", sort=False)
    for (score, curve), dashes in zip(scores, cycle(("-", "--", ":")), strict=False):
        shown = curve[curve.coverage >= 0.05]  # the risk of a handful of answers jumps
        style = {"color": SELECTIVE[score].colour, "label": label(score)}
        ax.plot(100 * shown.coverage, 100 * shown.risk, dashes, **style)
    for row in points.itertuples():
        look, answered = METHODS[row.method], 100 * (1 - row.refr)
        ax.vlines(answered, 100 * (1 - row.hi), 100 * (1 - row.lo), color=look.colour, lw=1.6)
        style = {"color": look.colour, "ms": 10, "mec": "white", "label": look.label}
        ax.plot(answered, 100 * (1 - row.answered_acc), look.mark, **style)
    ax.set(xlabel="answered (%)", ylabel="wrong among the answered (%)")
    ax.set(xlim=(-3, 103), ylim=(-3, min(103, 1.1 * ax.get_ylim()[1])))
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return ax


def training_curve(history: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Draw the training loss (column loss) against the step (column step)."""
    style = {"color": "#222222", "legend": False, "ylabel": "training loss"}
    return history.plot("step", "loss", ax=ax, **style)
