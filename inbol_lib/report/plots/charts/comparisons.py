"""Differences and designs with their intervals, side by side."""

from itertools import cycle

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from inbol_lib.report.plots.looks import METHODS

#: (mark, colour inside) of the first model, the second and so on
MODEL_MARKS = (("o", "#222222"), ("s", "white"), ("^", "#999999"))


def contrasts(table: pd.DataFrame) -> plt.Figure:
    """Draw differences with their intervals, one axes for each question.

    Every setting is a line and every model has its mark.

    Parameters
    ----------
    table : pd.DataFrame
        Columns: question, setting, model, diff, diff_lo, diff_hi (percentage points).
    """
    questions = dict(list(table.groupby("question", sort=False)))
    models = list(table.model.unique())
    lines = [part.setting.nunique() for part in questions.values()]
    size = (11, sum(lines) * 0.45 + len(questions))
    figure, axes = plt.subplots(
        len(questions), 1, sharex=True, squeeze=False, figsize=size, height_ratios=lines
    )
    for ax, (question, part) in zip(axes.flat, questions.items(), strict=True):
        _differences(part, models, ax)
        ax.set_title(question)
    axes[-1, 0].set_xlabel("difference of in-domain s_trust (points)")
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside lower right", ncols=len(models))
    return figure


def _differences(part: pd.DataFrame, models: list[str], ax: plt.Axes) -> None:
    """Draw the differences of one question, the first setting on top."""
    settings = list(part.setting.unique())
    ax.axvline(0, color="#888888", lw=1)
    for number, (model, (mark, inside)) in enumerate(zip(models, cycle(MODEL_MARKS), strict=False)):
        mine = part[part.model == model]
        shift = 0.28 * ((len(models) - 1) / 2 - number)
        places = [shift - settings.index(setting) for setting in mine.setting]
        error = [mine["diff"] - mine.diff_lo, mine.diff_hi - mine["diff"]]
        style = {"fmt": mark, "color": "#222222", "mfc": inside, "capsize": 3, "elinewidth": 1.4}
        ax.errorbar(mine["diff"], places, xerr=error, label=model, **style)
    ax.set(yticks=-np.arange(len(settings)), yticklabels=settings, ylim=(0.5 - len(settings), 0.5))


def probe(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Draw the probe's accuracy with its interval for every design, one mark per method.

    Chance (50 %) is dotted.

    Parameters
    ----------
    table : pd.DataFrame
        Columns: method, control, accuracy, lo, hi (percentage points).
    ax : plt.Axes
    """
    designs = list(table.control.unique())
    for place, (method, part) in enumerate(table.groupby("method", sort=False)):
        look = METHODS[method]
        heights = part.control.map(designs.index) + 0.22 * (place - 1)
        error = [part.accuracy - part.lo, part.hi - part.accuracy]
        style = {"fmt": look.mark, "color": look.colour, "capsize": 3, "label": look.label}
        ax.errorbar(part.accuracy, heights, xerr=error, **style)
    ax.axvline(50, color="black", ls=":")
    ax.set(xlim=(0, 100), xlabel="probe accuracy (%), chance dotted")
    ax.set(yticks=range(len(designs)), yticklabels=designs, ylim=(len(designs) - 0.5, -0.5))
    return ax
