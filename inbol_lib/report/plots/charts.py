"""The makers of plots: tidy data and an axes in, the axes out. A method, an outcome and a class look the same in every figure, and differ
without colours, too. Letters are 14 points high, so that a figure can be printed at half its size."""

from itertools import cycle, pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd

from inbol_lib.report.plots.looks import DASHES, KINDS, METHODS, OUTCOMES, SELECTIVE, label

plt.style.use(Path(__file__).with_name("inbol.mplstyle"))


def confidence_histogram(
    records: pd.DataFrame, ax: plt.Axes, delta_known: float = 0.8, delta_unknown: float = 0.2
) -> plt.Axes:
    """Share of questions at each confidence, one line per source, the three classes shaded. Columns: source, confidence."""
    edges = pairwise((-0.05, delta_unknown + 0.05, delta_known - 0.05, 1.05))
    for (lo, hi), (kind, colour) in zip(edges, KINDS.items(), strict=True):
        ax.axvspan(lo, hi, color=colour, alpha=0.16, lw=0)
        ax.text(
            (lo + hi) / 2, 0.98, kind, ha="center", va="top", transform=ax.get_xaxis_transform()
        )
    for (source, part), mark in zip(
        records.groupby("source", sort=False), cycle("os^Dv"), strict=False
    ):
        share = part.confidence.round(2).value_counts(normalize=True).sort_index()
        ax.plot(share.index, 100 * share.values, marker=mark, label=source)
    ax.set(xlabel="confidence (share of right samples)", ylabel="questions (%)", xlim=(-0.05, 1.05))
    ax.set_ylim(0, ax.get_ylim()[1] * 1.2)
    ax.legend(
        loc="upper center", bbox_to_anchor=(0.5, 0.88)
    )  # over the mixed questions, where curves are low
    return ax


def outcome_bars(shares: pd.DataFrame, ax: plt.Axes, least: float = 7) -> plt.Axes:
    """Stacked bars from above, one per row of `shares` (its index names them): columns of OUTCOMES, in %. Parts under `least` have no
    number written in."""
    places, start = np.arange(len(shares))[::-1], np.zeros(len(shares))
    for outcome, (word, colour, hatch, _) in OUTCOMES.items():
        if outcome in shares:
            bars = ax.barh(
                places,
                shares[outcome],
                0.68,
                start,
                color=colour,
                hatch=hatch,
                edgecolor="white",
                label=word,
            )
            numbers = [f"{v:.0f}" if v >= least else "" for v in shares[outcome]]
            box = {"fc": colour, "ec": "none", "pad": 1.5}
            ax.bar_label(
                bars,
                numbers,
                label_type="center",
                color="white" if outcome == "correct" else "black",
                bbox=box,
            )
            start = start + shares[outcome].to_numpy()
    ax.set(yticks=places, yticklabels=shares.index, xlim=(0, 100))
    ax.grid(False)
    return ax


def method_bars(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Stacked shares of right, refused and wrong per method, and beside them s_trust with its interval (-20 to 40 at least, so that the
    figures of several models compare).
    Columns: method, acc, refr, s_trust, lo, hi (percentage points)."""
    shares = pd.DataFrame(
        {"correct": table.acc, "refusal": table.refr, "incorrect": 100 - table.acc - table.refr}
    )
    outcome_bars(shares.set_axis([label(m) for m in table.method]), ax).set_xlabel(
        "test questions (%)"
    )
    ax.legend(ncols=3, loc="upper left", bbox_to_anchor=(0, -0.2), borderpad=0, columnspacing=1.2)
    beside = ax.inset_axes([1.12, 0, 0.4, 1], sharey=ax)
    beside.axvline(0, color="#888888", lw=1)
    for place, row in zip(ax.get_yticks(), table.itertuples(), strict=True):
        _, colour, mark = METHODS[row.method]
        beside.errorbar(
            row.s_trust,
            place,
            xerr=[[row.s_trust - row.lo], [row.hi - row.s_trust]],
            fmt=mark,
            color=colour,
            capsize=4,
        )
        numbers = f"{row.s_trust:+.1f}  [{row.lo:+.1f}, {row.hi:+.1f}]".replace("-", "−")
        beside.text(1.04, place, numbers, va="center", transform=beside.get_yaxis_transform())
    beside.set(
        xlabel="s_trust [95 %]", xlim=(min(-20, table.lo.min() - 2), max(40, table.hi.max() + 2))
    )
    beside.tick_params(labelleft=False, left=False)
    return ax


def by_confidence(curves: pd.DataFrame, metric: str, ax: plt.Axes) -> plt.Axes:
    """Fig. 4: "refr" or "answered_acc" against the base confidence, with intervals; what rests on under five answers is left out.
    Columns: method, level, the metric with its _lo and _hi (shares), n, refr."""
    shown = curves[(curves.n * (1 - curves.refr) >= 5) | (metric == "refr")]
    for place, (method, (name, colour, mark)) in enumerate(METHODS.items()):
        part = shown[shown.method == method].sort_values("level")
        if len(part):
            error = np.abs(part[[f"{metric}_lo", f"{metric}_hi"]].sub(part[metric], axis=0)).T
            beside = part.level + 0.009 * (
                place - 2
            )  # or the bars of one level would hide each other
            look = {
                "color": colour,
                "marker": mark,
                "ls": DASHES[method],
                "mec": "white",
                "elinewidth": 1,
            }
            ax.errorbar(
                beside, 100 * part[metric], 100 * error, label=name, ecolor=(colour, 0.6), **look
            )
    names = {"refr": "refusal rate (%)", "answered_acc": "accuracy of answers (%)"}
    ax.set(
        xlabel="confidence of the original model",
        ylabel=names[metric],
        xlim=(-0.03, 1.03),
        ylim=(-3, 103),
    )
    return ax


def risk_coverage(curves: pd.DataFrame, points: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Share wrong of the answered against the share answered: a line per score of selective prediction, a mark per trained method.
    Columns: score, coverage, risk; and method, refr, answered_acc (shares, as `metrics.summary`), with its interval lo, hi."""
    for (score, curve), dashes in zip(
        curves.groupby("score", sort=False), cycle(("-", "--", ":")), strict=False
    ):
        seen = curve[curve.coverage >= 0.05]  # the risk of a handful of answers jumps
        ax.plot(
            100 * seen.coverage,
            100 * seen.risk,
            dashes,
            color=SELECTIVE[score][1],
            label=label(score),
        )
    for row in points.itertuples():
        name, colour, mark = METHODS[row.method]
        ax.vlines(
            100 * (1 - row.refr), 100 * (1 - row.hi), 100 * (1 - row.lo), color=colour, lw=1.6
        )
        ax.plot(
            100 * (1 - row.refr),
            100 * (1 - row.answered_acc),
            mark,
            color=colour,
            ms=10,
            mec="white",
            label=name,
        )
    ax.set(
        xlabel="answered (%)",
        ylabel="wrong among the answered (%)",
        xlim=(-3, 103),
        ylim=(-3, min(103, 1.1 * ax.get_ylim()[1])),
    )
    ax.legend(loc="upper left", bbox_to_anchor=(1.01, 1.0))
    return ax


def threshold_heatmap(cells: pd.DataFrame, ax: plt.Axes, value: str = "score") -> plt.Axes:
    """Fig. 10: a score for every (delta_known, delta_unknown), the best one framed; under it half the width of the interval of the
    in-domain s_trust in points (columns lo, hi)."""
    import seaborn as sns  # most of a second, which no other figure needs

    named = cells.assign(
        text=[
            f"{score:.2f}\n±{half:.0f}"
            for score, half in zip(cells[value], (cells.hi - cells.lo) / 2, strict=True)
        ]
    )
    grid, text = (
        named.pivot(index="delta_unknown", columns="delta_known", values=v).sort_index(
            ascending=False
        )
        for v in (value, "text")
    )
    names = {"label": "normalised s_trust\n(±: points in domain)"}
    sns.heatmap(
        grid,
        ax=ax,
        annot=text.fillna(""),
        fmt="",
        cmap="viridis",
        vmin=0,
        vmax=1,
        linewidths=2,
        cbar_kws=names,
    )
    row, column = np.unravel_index(np.nanargmax(grid.to_numpy()), grid.shape)
    ax.add_patch(plt.Rectangle((column, row), 1, 1, fill=False, ec="black", lw=4, clip_on=False))
    ax.set(xlabel="threshold for known", ylabel="threshold for unknown")
    ax.tick_params(axis="y", rotation=0)
    ax.grid(False)
    return ax


def composition_curves(table: pd.DataFrame, x: str, ax: plt.Axes) -> plt.Axes:
    """Fig. 11: s_trust in and out of domain against a composition, with intervals, in the colour of the method that it trains. Columns:
    x, method, id_s_trust, lo, hi; and where there are sets out of domain, ood_s_trust, ood_lo, ood_hi."""
    places, (_, colour, mark) = np.arange(len(table)), METHODS[table.method.iloc[0]]
    for kind, bounds, name, look in (
        ("id", ["lo", "hi"], "in domain", {"ls": "-"}),
        ("ood", ["ood_lo", "ood_hi"], "out of domain", {"ls": "--", "mfc": "white"}),
    ):
        if f"{kind}_s_trust" in table:
            value = table[f"{kind}_s_trust"]
            error = np.abs(table[bounds].sub(value, axis=0)).T
            ax.errorbar(
                places + 0.05 * (kind == "ood"),
                value,
                error,
                marker=mark,
                color=colour,
                capsize=4,
                elinewidth=1.4,
                label=name,
                **look,
            )
    ax.set(
        xticks=places, xticklabels=table[x], ylabel="s_trust (points)", xlabel=x.replace("_", " ")
    )
    ax.margins(x=0.1)
    ax.label_outer(remove_inner_ticks=True)  # panels side by side share the axis
    ax.legend(ncols=2, loc="upper center", bbox_to_anchor=(0.5, -0.2), columnspacing=1.2)
    return ax


def growth(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """In-domain s_trust with its interval against the number of instructions, one line per method.
    Columns: method, instructions, pairs, id_s_trust, lo, hi (points)."""
    for k, (method, part) in enumerate(
        table.sort_values("instructions", kind="stable").groupby("method", sort=False)
    ):
        name, colour, mark = METHODS[method]
        error = [part.id_s_trust - part.lo, part.hi - part.id_s_trust]
        ax.errorbar(
            part.instructions * 1.03**k,
            part.id_s_trust,
            error,
            color=colour,
            marker=mark,
            capsize=3,
            elinewidth=1.4,
            label=name,
        )
    sizes = table[["instructions", "pairs"]].drop_duplicates().sort_values("instructions")
    ax.set_xscale("log")
    ax.set_xticks(
        sizes.instructions, [f"{r.instructions:,}\n{r.pairs:,}" for r in sizes.itertuples()]
    )
    ax.minorticks_off()
    ax.set(xlabel="instructions (above) and preference pairs (below)", ylabel="in-domain s_trust")
    ax.legend()
    return ax


def contrasts(table: pd.DataFrame) -> plt.Figure:
    """Differences with their intervals, an axes for each question and a line for each setting; every model has its mark. Columns: question,
    setting, model, diff, diff_lo, diff_hi (points)."""
    parts, models = dict(list(table.groupby("question", sort=False))), list(table.model.unique())
    lines = [part.setting.nunique() for part in parts.values()]
    size = (11, sum(lines) * 0.45 + len(parts))
    figure, axes = plt.subplots(
        len(parts), 1, sharex=True, squeeze=False, figsize=size, height_ratios=lines
    )
    for ax, (question, part) in zip(axes.flat, parts.items(), strict=True):
        settings = list(part.setting.unique())
        ax.axvline(0, color="#888888", lw=1)
        for k, (model, (mark, inside)) in enumerate(
            zip(models, cycle((("o", "#222222"), ("s", "white"), ("^", "#999999"))), strict=False)
        ):
            mine = part[part.model == model]
            places = [0.28 * ((len(models) - 1) / 2 - k) - settings.index(s) for s in mine.setting]
            error = [mine["diff"] - mine.diff_lo, mine.diff_hi - mine["diff"]]
            ax.errorbar(
                mine["diff"],
                places,
                xerr=error,
                fmt=mark,
                color="#222222",
                mfc=inside,
                capsize=3,
                elinewidth=1.4,
                label=model,
            )
        ax.set(
            yticks=-np.arange(len(settings)),
            yticklabels=settings,
            ylim=(0.5 - len(settings), 0.5),
            title=question,
        )
    axes[-1, 0].set_xlabel("difference of in-domain s_trust (points)")
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(), loc="outside lower right", ncols=len(models)
    )
    return figure


def training_curve(history: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Training loss against the step."""
    return history.plot(
        "step", "loss", ax=ax, color="#222222", legend=False, ylabel="training loss"
    )


def probe(table: pd.DataFrame, ax: plt.Axes) -> plt.Axes:
    """Draw the probe's accuracy with its interval for every design, one mark per method.

    Parameters
    ----------
    table : pd.DataFrame
        Columns method, control, accuracy, lo and hi (percentage points).
    ax : plt.Axes
        The axes to draw on; chance (50 %) is dotted.
    """
    designs = list(table.control.unique())
    for place, (method, part) in enumerate(table.groupby("method", sort=False)):
        name, colour, mark = METHODS[method]
        heights = part.control.map(designs.index) + 0.22 * (place - 1)
        error = [part.accuracy - part.lo, part.hi - part.accuracy]
        look = {"fmt": mark, "color": colour, "capsize": 3, "label": name}
        ax.errorbar(part.accuracy, heights, xerr=error, **look)
    ax.axvline(50, color="black", ls=":")
    ax.set(xlim=(0, 100), xlabel="probe accuracy (%), chance dotted")
    ax.set(yticks=range(len(designs)), yticklabels=designs, ylim=(len(designs) - 0.5, -0.5))
    return ax
