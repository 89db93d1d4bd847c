"""Fig. 2: standard records, the samples they come from, and their confidence."""

from itertools import pairwise

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from datasets import Dataset

from inbol_lib.params import Params
from inbol_lib.report.plots import looks
from inbol_lib.report.plots.illustrations.drawing import BOLD, Words, show, stack
from inbol_lib.report.plots.illustrations.examples import CLASSES, RESPONSES, Drawn, classes, first
from inbol_lib.report.plots.looks import OUTCOMES
from inbol_lib.report.plots.pictures import wrap

TITLES = ("image", "standard record", "sampled responses", "confidence")
SHOWN = 4  # distinct sampled responses of a question


def standard_records(p: Params, answerable: Dataset, beyond: Dataset) -> Drawn:
    """Draw a standard record of each class, the sampled responses, and the confidence.

    Rule: the first training record of its class, on an image of its own, that has a right and a
    wrong sample.

    Parameters
    ----------
    p : Params
    answerable, beyond : Dataset
        Standard records of answerable and of unanswerable training questions.
    """
    figure = plt.figure(figsize=(14.4, 9.6))
    grid = figure.subplots(len(CLASSES), 4, width_ratios=[2, 3.7, 2.6, 2.8])
    drawn, seen = [], set()
    for line, kind in zip(grid, CLASSES, strict=True):
        table = beyond if kind == "unanswerable" else answerable
        frame = classes(table, p).query("kind == @kind")
        if frame.empty:
            continue
        both = (frame.correct != "") & (frame.incorrect != "")
        row = first(frame, both & ~frame.image_id.isin(seen))
        seen.add(row.image_id)
        counts = pd.Series(list(zip(row.responses, row.verdicts, strict=True))).value_counts()
        show(table[int(row.row)]["image"], line[0])
        _record(row, line[1])
        _sampled(counts, p.num_samples, line[2])
        _confidence_bar(row.confidence, kind, p, line[3])
        drawn += _drawn_lines(row, counts)
    for ax, title in zip(grid[0], TITLES, strict=True):
        ax.set_title(title, pad=14)
    return figure, pd.DataFrame(drawn)


def _drawn_lines(row: pd.Series, counts: pd.Series) -> list[dict]:
    """Return what is drawn of one record, a line per distinct response and verdict."""
    record = {"class": row.kind, **row[["id", "question", "confidence", *RESPONSES]]}
    return [
        {**record, "response": said, "verdict": verdict, "n": n}
        for (said, verdict), n in counts.items()
    ]


def _record(row: pd.Series, ax: plt.Axes) -> None:
    """Write the question and the three responses of a standard record."""
    items = [Words(wrap(row.question, 34, 100), BOLD)]
    for name in RESPONSES:
        text = f"{OUTCOMES[name].sign} {name}: {row[name] or '(none)'}"
        items.append(Words(wrap(text, 37, 100, "    ")))
    stack(ax, items, 9)


def _sampled(counts: pd.Series, samples: int, ax: plt.Axes) -> None:
    """Draw how often each (response, verdict) was sampled: the most frequent SHOWN as bars."""
    places = -np.arange(min(SHOWN, len(counts)))
    for place, ((_, verdict), n) in zip(places, counts.items(), strict=False):
        look = OUTCOMES[verdict]
        ax.barh(place, n, 0.7, color=look.colour, hatch=look.hatch, edgecolor="#555555")
        ax.text(n, place, f" {n} {look.sign}", va="center")
    names = [wrap(said, 40, 18) for said, _ in counts.index[:SHOWN]]
    ax.set(yticks=places, yticklabels=names, xlim=(0, 1.25 * samples), xticks=[])
    ax.set_ylim(-SHOWN + 0.4, 0.6)
    ax.set_xlabel(_remainder(counts, samples))
    ax.spines["bottom"].set_visible(False)
    ax.grid(False)


def _remainder(counts: pd.Series, samples: int) -> str:
    """Return what the bars leave out: samples of other responses, or that there are no samples."""
    others = int(counts.iloc[SHOWN:].sum())
    if others == 0:
        return "not sampled" if counts.sum() < samples else ""
    return "and 1 other" if others == 1 else f"and {others} others"


def _confidence_bar(value: float, kind: str, p: Params, ax: plt.Axes) -> None:
    """Draw a confidence in [0, 1] in front of the classes between the thresholds."""
    levels = (0, p.delta_unknown, p.delta_known, 1)
    for (lo, hi), colour in zip(pairwise(levels), looks.KINDS.values(), strict=True):
        ax.axvspan(lo, hi, color=colour, alpha=0.45, lw=0)
    ax.barh(0, value, 0.5, color="#222222")
    ax.set(xlim=(0, 1), ylim=(-0.5, 0.5), yticks=[], xticks=levels, box_aspect=0.22, anchor="NW")
    ax.set_xlabel(f"{value:.1f}: {kind}", **BOLD)
    ax.spines["left"].set_visible(False)
    ax.grid(False)
