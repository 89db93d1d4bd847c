"""The only maker of figures: tidy data and an axes in, the axes out. A method has the same colour and mark everywhere."""

import textwrap
from collections.abc import Sequence
from itertools import cycle, pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from PIL import Image

plt.style.use(Path(__file__).with_name("inbol.mplstyle"))

#: method -> (label, colour, mark): Okabe-Ito colours, told apart in grey by their marks.
METHODS = {
    "original": ("Original", "#7f7f7f", "o"),
    "refusal_prompt": ("Refusal prompt", "#E69F00", "v"),
    "sft": ("SFT", "#56B4E9", "s"),
    "idk_it": ("IDK-IT", "#D55E00", "^"),
    "ca_dpo": ("CA-DPO", "#0072B2", "D"),
    "dpo_1": ("DPO (1)", "#009E73", "<"),
    "dpo_2": ("DPO (2)", "#CC79A7", ">"),
    "dpo_3": ("DPO (3)", "#b8a800", "P"),
    "ca_dpo_half": ("conf = 1/2", "#004c75", "h"),
    "ca_dpo_shuffled": ("shuffled conf", "#5fa8d3", "*"),
    "ca_dpo_inside": ("weight inside", "#003049", "X"),
    "ca_dpo_base": ("from the base", "#8fb8d0", "d"),
}
#: score of selective prediction -> the same
SELECTIVE = {
    "self_consistency": ("Self-consistency", "#000000", "1"),
    "sequence_probability": ("Sequence probability", "#8c564b", "2"),
    "p_true": ("P(True)", "#aa4499", "3"),
}
KINDS = {"unknown": "#D55E00", "mixed": "#d9c27a", "known": "#0072B2"}


def label(method: str) -> str:
    return {**METHODS, **SELECTIVE}[method][0]


def confidence_histogram(records: pd.DataFrame, ax: plt.Axes, delta_known: float = 0.8, delta_unknown: float = 0.2) -> plt.Axes:
    """Share of questions at each confidence, one line per source, the three classes shaded. Columns: source, confidence."""
    edges = pairwise((-0.05, delta_unknown + 0.05, delta_known - 0.05, 1.05))
    for (lo, hi), (kind, colour) in zip(edges, KINDS.items(), strict=True):
        ax.axvspan(lo, hi, color=colour, alpha=0.10, lw=0)
        ax.text((lo + hi) / 2, 0.97, kind, ha="center", va="top", transform=ax.get_xaxis_transform(), color="#555555")
    for (source, part), mark in zip(records.groupby("source", sort=False), cycle("os^Dv"), strict=False):
        share = part.confidence.round(2).value_counts(normalize=True).sort_index()
        ax.plot(share.index, 100 * share.values, marker=mark, label=source)
    ax.set(xlabel="confidence (share of sampled responses that are right)", ylabel="questions (%)", xlim=(-0.05, 1.05))
    ax.set_ylim(0, ax.get_ylim()[1] * 1.18)
    ax.legend(loc="upper center", bbox_to_anchor=(0.5, 0.9))  # over the mixed questions, where curves are low
    return ax


def method_bars(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Stacked shares of right, refused and wrong per method, s_trust written beside with its interval.
    Columns: method, acc, refr, s_trust, lo, hi (percentage points)."""
    table = table[::-1]  # bars count from below
    shares = pd.DataFrame({"right": table.acc, "refused": table.refr, "wrong": 100 - table.acc - table.refr})
    shares.plot.barh(stacked=True, ax=ax, width=0.68, color=["#0072B2", "#d9d9d9", "#D55E00"])
    ax.autoscale(axis="y")  # the margins of every other figure
    for place, row in enumerate(table.itertuples()):
        ax.text(102, place, f"{row.s_trust:+.1f}  [{row.lo:+.1f}, {row.hi:+.1f}]", va="center")
    ax.text(102, len(table) - 0.35, "s_trust  [95 %]", va="bottom", weight="bold")
    ax.set(yticklabels=[label(m) for m in table.method], xlim=(0, 100), xlabel="test questions (%)")
    ax.grid(False)
    ax.legend(ncols=3, loc="upper left", bbox_to_anchor=(0, -0.16))
    return ax


def by_confidence(curves: pd.DataFrame, metric: str, ax: plt.Axes) -> plt.Axes:
    """Fig. 4: "refr" or "answered_acc" against the base confidence, with intervals; what rests on under five answers is left out.
    Columns: method, level, the metric with its _lo and _hi (shares), n, refr."""
    shown = curves[(curves.n * (1 - curves.refr) >= 5) | (metric == "refr")]
    for place, (method, (name, colour, mark)) in enumerate(METHODS.items()):
        part = shown[shown.method == method].sort_values("level")
        if len(part):
            error = np.abs(part[[f"{metric}_lo", f"{metric}_hi"]].sub(part[metric], axis=0)).T
            beside = part.level + 0.006 * (place - 2)  # or the bars of one level would hide each other
            ax.errorbar(beside, 100 * part[metric], 100 * error, color=colour, marker=mark, label=name, elinewidth=0.9, lw=1.6)
    names = {"refr": "refusal rate (%)", "answered_acc": "accuracy of answered questions (%)"}
    ax.set(xlabel="confidence of the original model", ylabel=names[metric], xlim=(-0.03, 1.03), ylim=(-3, 103))
    return ax


def risk_coverage(curves: pd.DataFrame, points: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Share wrong of the answered against the share answered: a line per score of selective prediction, a mark per trained method.
    Columns: score, coverage, risk; and method, refr, answered_acc (shares, as `metrics.summary`), with its interval lo, hi."""
    for (score, curve), dashes in zip(curves.groupby("score", sort=False), cycle(("-", "--", ":")), strict=False):
        seen = curve[curve.coverage >= 0.05]  # the risk of a handful of answers jumps
        ax.plot(100 * seen.coverage, 100 * seen.risk, dashes, color=SELECTIVE[score][1], label=label(score))
    for row in points.itertuples():
        name, colour, mark = METHODS[row.method]
        ax.vlines(100 * (1 - row.refr), 100 * (1 - row.hi), 100 * (1 - row.lo), color=colour, lw=1.2)
        ax.plot(100 * (1 - row.refr), 100 * (1 - row.answered_acc), mark, color=colour, ms=9, mec="white", label=name)
    ax.set(xlabel="answered (%)", ylabel="wrong answers among the answered (%)", xlim=(-3, 103), ylim=(-3, 103))
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return ax


def threshold_heatmap(cells: pd.DataFrame, ax: plt.Axes, value: str = "score") -> plt.Axes:
    """Fig. 10: a score for every (delta_known, delta_unknown), the best one framed; under it half the width of the interval of the
    in-domain s_trust in points (columns lo, hi)."""
    import seaborn as sns  # most of a second, which no other figure needs

    named = cells.assign(text=[f"{score:.2f}\n±{half:.0f}" for score, half in zip(cells[value], (cells.hi - cells.lo) / 2, strict=True)])
    grid, text = (named.pivot(index="delta_unknown", columns="delta_known", values=v).sort_index(ascending=False) for v in (value, "text"))
    names = {"label": "normalised s_trust (±: points in domain)"}
    sns.heatmap(grid, ax=ax, annot=text.fillna(""), fmt="", cmap="viridis", vmin=0, vmax=1, linewidths=2, cbar_kws=names)
    row, column = np.unravel_index(np.nanargmax(grid.to_numpy()), grid.shape)
    ax.add_patch(plt.Rectangle((column, row), 1, 1, fill=False, ec="#D55E00", lw=3))
    ax.set(xlabel="threshold for known", ylabel="threshold for unknown")
    ax.grid(False)
    return ax


def composition_curves(table: pd.DataFrame, x: str, ax: plt.Axes) -> plt.Axes:
    """Fig. 11: s_trust in and out of domain against a composition, with intervals. Columns: x, id_s_trust, lo, hi; and where there are
    sets out of domain, ood_s_trust, ood_lo, ood_hi."""
    places = np.arange(len(table))
    for kind, bounds, style in (
        ("id", ["lo", "hi"], ("o-", "#0072B2", "in domain")),
        ("ood", ["ood_lo", "ood_hi"], ("s--", "#E69F00", "out of domain")),
    ):
        if f"{kind}_s_trust" in table:
            value, (line, colour, name) = table[f"{kind}_s_trust"], style
            error = np.abs(table[bounds].sub(value, axis=0)).T
            ax.errorbar(places + 0.04 * (kind == "ood"), value, error, fmt=line, color=colour, capsize=3, elinewidth=1.2, label=name)
    ax.set(xticks=places, xticklabels=table[x], ylabel="s_trust (points)", xlabel=x.replace("_", " "))
    ax.legend(ncols=2, loc="upper left", bbox_to_anchor=(0, -0.16))
    return ax


def growth(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """In-domain s_trust with its interval against the number of instructions, one line per method.
    Columns: method, instructions, pairs, id_s_trust, lo, hi (points)."""
    for method, part in table.groupby("method", sort=False):
        name, colour, mark = METHODS[method]
        part = part.sort_values("instructions")
        ax.errorbar(part.instructions, part.id_s_trust, [part.id_s_trust - part.lo, part.hi - part.id_s_trust], color=colour, marker=mark,
                    label=name, capsize=3)  # fmt: skip
    sizes = table[["instructions", "pairs"]].drop_duplicates().sort_values("instructions")
    ax.set_xscale("log")
    ax.set_xticks(sizes.instructions, [f"{r.instructions:,}\n{r.pairs:,}" for r in sizes.itertuples()])
    ax.minorticks_off()
    ax.set(xlabel="instructions (above) and preference pairs (below)", ylabel="in-domain s_trust")
    ax.legend()
    return ax


def training_curve(history: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Training loss against the step."""
    return history.plot("step", "loss", ax=ax, color="#0072B2", legend=False, ylabel="training loss")


def picture_grid(pictures: Sequence[Image.Image], captions: Sequence[str], columns: int = 4, width: float = 2.7) -> plt.Figure:
    """Enlarged pictures with a caption under each (Fig. 9 and 12)."""
    rows = -(-len(pictures) // columns)
    lines = max(c.count("\n") for c in captions) + 1
    figure, axes = plt.subplots(rows, columns, figsize=(width * columns, rows * (width * 0.75 + 0.19 * lines)), squeeze=False)
    for ax in axes.flat:
        ax.axis("off")
    for ax, picture, caption in zip(axes.flat, pictures, captions, strict=False):
        ax.imshow(picture, interpolation="nearest")
        ax.set_title(caption, y=-0.04, va="top", fontsize=8, weight="normal", loc="left")
    return figure


def wrap(text: str, width: int = 34) -> str:
    return "\n".join(textwrap.wrap(text, width)) or "–"
