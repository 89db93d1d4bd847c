"""The figure of the bench: how many times as fast ours is, against every setting of the peer."""

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter

from benches.summary import BEST, CELL, is_ours
from inbol_lib.report.plots import looks

TITLES = {
    "sampling": "Ten samples, against generate",
    "greedy": "One greedy answer, against generate",
    "ca_dpo": "CA-DPO, against TRL's DPOTrainer",
    "idk_it": "IDK-IT, against TRL's SFTTrainer",
}
FAMILIES = {"llava": "LLaVA", "idefics3": "Idefics3", "qwen2_5_vl": "Qwen2.5-VL"}
BEST_COLOUR, OTHER_COLOUR = looks.METHODS["ca_dpo"].colour, "#9a9a9a"
STEPS = (0.25, 0.5, 1, 2, 4, 8, 16, 32)


def cell_label(bench: str, family: str, tokens: int, per_picture: int, new: int) -> str:
    """Name a cell in the words of its axes: image tokens + new tokens."""
    said = f" + {new}" if bench == "sampling" else ""
    shared = f", {per_picture} questions a picture" if per_picture > 1 else ""
    return f"{FAMILIES[family]}, {tokens}{said} tokens{shared}"


def draw(summary: pd.DataFrame) -> plt.Figure:
    """A panel for each kind of work, a line for each cell, a dot for each setting of the peer.

    Bars reach from the lowest to the highest ratio of a turn.
    """
    summary = summary[~summary.peer_setting.map(is_ours)]
    groups = [(name, part) for name, part in summary.groupby("bench", sort=False)]
    heights = [part.groupby(CELL).ngroups + 1.6 for _, part in groups]
    figure, axes = plt.subplots(
        len(groups),
        figsize=(12, 0.5 * sum(heights)),
        height_ratios=heights,
        sharex=True,
        squeeze=False,
    )
    for ax, (name, part) in zip(axes[:, 0], groups, strict=True):
        panel(ax, part)
        ax.set_title(TITLES[name])
    scale(axes[-1, 0], summary)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    return figure


def panel(ax: plt.Axes, part: pd.DataFrame) -> None:
    labels = []
    for place, (cell, rows) in enumerate(part.groupby(CELL, sort=False)):
        labels.append(cell_label(*cell))
        head = rows.peer_setting == BEST
        others = rows[~head & (rows.peer_setting != rows[head].best_setting.item())]
        spots(ax, rows[head], place, BEST_COLOUR, "D", 9, "the peer's fastest setting")
        spots(ax, others, place, OTHER_COLOUR, "o", 6, "its other settings")
    ax.axvline(1, color="black", linewidth=1.2, zorder=0)
    ax.set_yticks(range(len(labels)), labels)
    ax.set_ylim(len(labels) - 0.4, -0.6)
    ax.grid(axis="y", visible=False)


def spots(
    ax: plt.Axes, rows: pd.DataFrame, place: int, colour: str, mark: str, size: int, label: str
) -> None:
    """Draw medians with their ranges at one height; only the first cell names them."""
    ax.errorbar(
        rows.ratio,
        [place] * len(rows),
        xerr=[rows.ratio - rows.ratio_lo, rows.ratio_hi - rows.ratio],
        fmt=mark,
        color=colour,
        markersize=size,
        elinewidth=1.5,
        zorder=3 if mark == "D" else 2,
        label=label if place == 0 else None,
    )


def scale(ax: plt.Axes, summary: pd.DataFrame) -> None:
    """A logarithmic axis that names the ratios 1/2, 1, 2, 4 and so on."""
    ax.set_xscale("log")
    ax.xaxis.set_major_locator(FixedLocator(STEPS))
    ax.xaxis.set_minor_locator(NullLocator())
    ax.xaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    ax.set_xlim(0.9 * min(summary.ratio_lo.min(), 0.9), 1.1 * summary.ratio_hi.max())
    ax.set_xlabel("times as fast as the peer (right of 1: ours is faster)")
