"""The card of the micro world: its base models beside LLaVA-1.5 on the cells that it was made for.

    python -m inbol_lib.report.worlds.card      (figures/world_card.csv, .md, .tex, .png)

The world is calibrated on what LLaVA-1.5 does before any training for refusals, and never on what
such training does to it. The card says how well that succeeded, cell by cell, and what the base
model's own scores know about its answers (figures/world_card_auroc.csv).
"""

import argparse
from collections.abc import Iterator
from importlib import resources
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from sklearn.metrics import roc_auc_score

from inbol_lib import micro, params, paths
from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval
from inbol_lib.micro.models import manifests
from inbol_lib.report import paper
from inbol_lib.report.gathering import gather
from inbol_lib.report.plots import looks
from inbol_lib.report.tables import files
from inbol_lib.report.tables.layout import NAMES, OOD, in_domain, paired_difference
from inbol_lib.study import experiments

#: Methods without any training for refusals; SFT is a control as well, but trained.
BASE = ("original", "refusal_prompt")
METHODS = (*BASE, "sft")
#: scores of an answer that need no gold answer
SCORES = ("sequence_probability", "self_consistency")
#: Percentage points within which a cell counts as met, and beyond which it counts as missed.
NEAR, FAR = 5.0, 10.0


def card(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return every cell that the paper prints for the methods of the card, with ours beside it.

    Parameters
    ----------
    outcomes : pd.DataFrame
        Outcome table of one or more models.

    Returns
    -------
    pd.DataFrame
        Columns model, method, dataset, metric ("acc" or "refr"), paper, ours, and the 95 %
        interval lo, hi of ours, all in percentage points.
    """
    rows = []
    for model, of_model in outcomes.groupby("model", sort=False):
        printed = _printed(model)
        for method, dataset, part in _parts(of_model):
            for metric in ("acc", "refr"):
                value = printed.get((method, dataset, metric))
                if value is not None:
                    rows.append([model, method, dataset, metric, value, *_ours(part, metric)])
    columns = ["model", "method", "dataset", "metric", "paper", "ours", "lo", "hi"]
    return pd.DataFrame(rows, columns=columns)


def _printed(model: str) -> dict[tuple[str, str, str], float]:
    """Map method, data set and metric to the number that the paper prints for a counterpart."""
    long = pd.concat(
        paper.counterpart_table(number, model).melt(["method", "dataset"], ["acc", "refr"])
        for number in (1, 2)
    )
    third = paper.counterpart_table(3, model).melt(["method", "dataset"], ["refr"])
    long = pd.concat([long, third]).dropna(subset="value")
    return {(row.method, row.dataset, row.variable): row.value for row in long.itertuples()}


def _parts(outcomes: pd.DataFrame) -> Iterator[tuple[str, str, pd.DataFrame]]:
    """Yield the outcomes of each method of the card on each data set."""
    for method in METHODS:
        of_method = outcomes[outcomes.method == method]
        for source, part in of_method.groupby("source", sort=False):
            yield method, NAMES[source], metrics.circular(part) if source == "mmbench" else part


def _ours(part: pd.DataFrame, metric: str) -> list[float]:
    value = metrics.score(metrics.counts(part).sum())[metric]
    return [100 * value, *(100 * end for end in interval(part, statistic=metric))]


def met(table: pd.DataFrame) -> pd.DataFrame:
    """Return, for each model, how many base cells are near the paper's and how many are far off.

    Returns
    -------
    pd.DataFrame
        Columns model, cells, near (within 5 points), far (off by more than 10), largest_gap.
    """
    # the paper prints two decimals, so more of them would be ours alone
    base = table[table.method.isin(BASE)]
    base = base.assign(gap=(base.ours - base.paper).round(2))
    rows = [
        [model, len(part), (part.gap.abs() <= NEAR).sum(), (part.gap.abs() > FAR).sum()]
        + [part.gap.abs().max()]
        for model, part in base.groupby("model", sort=False)
    ]
    return pd.DataFrame(rows, columns=["model", "cells", "near", "far", "largest_gap"])


def gains(table: pd.DataFrame) -> pd.DataFrame:
    """Return what SFT adds to the original's accuracy in domain, in the paper and here."""
    accuracy = table[(table.metric == "acc") & ~table.dataset.isin([NAMES[name] for name in OOD])]
    wide = accuracy.pivot(index=["model", "dataset"], columns="method", values=["paper", "ours"])
    found = {who: wide[who]["sft"] - wide[who]["original"] for who in ("paper", "ours")}
    return pd.DataFrame(found).reset_index()


def gain_bounds(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the 95 % interval of what SFT adds to the original's accuracy, paired, in points.

    Parameters
    ----------
    outcomes : pd.DataFrame
        As in `card`.

    Returns
    -------
    pd.DataFrame
        Columns model, dataset, lo, hi; one row for each answerable set in domain.
    """
    inside = in_domain(outcomes)
    inside = inside[inside.answerable & inside.method.isin(["original", "sft"])]
    rows = []
    for (model, source), part in inside.groupby(["model", "source"], sort=False):
        by_method = dict(list(part.groupby("method")))
        found = paired_difference(by_method["original"], by_method["sft"], "acc")
        rows.append([model, NAMES[source], found["diff_lo"], found["diff_hi"]])
    return pd.DataFrame(rows, columns=["model", "dataset", "lo", "hi"])


def discrimination(scored: pd.DataFrame) -> pd.DataFrame:
    """Return how well the base model's scores tell its right answers from its wrong ones (ours).

    No refuser that sees the same can know much more: where they tell nothing, refusing must rest on
    something else, such as the kind of question.

    Parameters
    ----------
    scored : pd.DataFrame
        What `label_free.scored` returns, of one or more models. Refusals are left out.

    Returns
    -------
    pd.DataFrame
        model, dataset, n (answers), right (percent), and for each of `SCORES` the AUROC in [0, 1].
        A set whose answers are all right or all wrong is left out.
    """
    answers = scored[scored.outcome.isin(["correct", "incorrect"])]
    rows = []
    for model, of_model in answers.groupby("model", sort=False):
        for source, part in of_model.groupby("source", sort=False):
            right = part.outcome == "correct"
            if right.nunique() == 2:
                told = {score: roc_auc_score(right, part[score]) for score in SCORES}
                sizes = {"n": len(part), "right": 100 * right.mean()}
                rows.append({"model": model, "dataset": NAMES[source], **sizes, **told})
    return pd.DataFrame(rows, columns=["model", "dataset", "n", "right", *SCORES])


def chart(table: pd.DataFrame, axes: np.ndarray) -> None:
    """Draw a panel for each model: the paper's number of each base cell against ours."""
    marks = {"acc": "o", "refr": "^"}
    for ax, (model, part) in zip(axes, table.groupby("model", sort=False), strict=False):
        ends = np.array([-3, 103])
        ax.fill_between(ends, ends - NEAR, ends + NEAR, color="0.9", label="within 5 points")
        ax.plot(ends, ends, color="0.6", lw=1)
        for (method, metric), cells in part[part.method.isin(BASE)].groupby(["method", "metric"]):
            spread = [cells.ours - cells.lo, cells.hi - cells.ours]
            label = f"{looks.label(method)}, {'accuracy' if metric == 'acc' else 'refusals'}"
            look = {"fmt": marks[metric], "color": looks.METHODS[method].colour, "label": label}
            ax.errorbar(cells.paper, cells.ours, spread, **look)
        ax.set(xlim=ends, ylim=ends, xlabel="LLaVA-1.5 (%)", ylabel=f"{model} (%)", title=model)
        ax.set_aspect("equal")


def world_hashes(models: list[str]) -> dict[str, str]:
    """Return the hash of each packaged model's weights, by which a card belongs to them."""
    return {model: manifests.sha256(paths.WEIGHTS / model) for model in models}


def publish(outcomes: pd.DataFrame, known: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Write the card of some outcomes: table, figure, protocol and the hashes of the weights.

    Parameters
    ----------
    outcomes : pd.DataFrame
        As in `card`.
    known : pd.DataFrame
        What `discrimination` returns.
    folder : Path
        Where to.
    """
    table = card(outcomes)
    files.save_table_files(known, folder, "world_card_auroc")
    models = table.model.unique().tolist()
    files.save_table_files(table, folder, "world_card")
    gained = gains(table).merge(gain_bounds(outcomes), on=["model", "dataset"])
    files.save_table_files(gained, folder, "world_card_gains")
    size = (5.2 * len(models), 6.4)
    figure, axes = plt.subplots(1, len(models), figsize=size, squeeze=False, layout="constrained")
    chart(table, axes[0])
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    figure.savefig(folder / "world_card.png")
    plt.close(figure)
    parts = [_text("protocol.md"), f"World {micro.VERSION}, weights:"]
    parts += [f"- {model}: `{digest}`" for model, digest in world_hashes(models).items()]
    parts += ["", met(table).round(1).to_markdown(index=False)]
    parts += ["", "SFT's gain in accuracy over the original, in points:", ""]
    parts += [gained.round(1).to_markdown(index=False, floatfmt=".1f"), "", _text("tried.md"), ""]
    parts += [table.round(1).to_markdown(index=False, floatfmt=".1f"), ""]
    parts += ["How well the base model's own scores tell its right answers from its wrong ones "]
    parts += ["(AUROC; n answers, refusals left out):", ""]
    parts += [known.to_markdown(index=False, floatfmt=("", "", "d", ".0f", ".2f", ".2f")), ""]
    (folder / "world_card.md").write_text("\n".join(parts))
    return table


def _text(name: str) -> str:
    """Return what the card says in words, from a file beside this module."""
    return (resources.files("inbol_lib.report.worlds") / name).read_text().strip()


def main() -> None:
    """Ask the packaged models everything that is on the card, and write it."""
    from inbol_lib.evaluation import label_free  # slow to import
    from inbol_lib.study import question_pools, stages

    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="micro")
    parser.add_argument("--out", type=Path, default=paths.ROOT / "figures")
    given = parser.parse_args()
    p = params.load(given.profile).replace(methods=list(METHODS))
    outcomes, scored = gather(experiments.main_cells(p)), []
    for model in p.models:
        mine = p.replace(model=model)
        data = [stages.ensure(stage, mine) for stage in ("composition", "confidence")]
        scored.append(label_free.scored(mine, question_pools.test_questions(mine, *data)))
    known = discrimination(pd.concat(scored))
    print(met(publish(outcomes, known, given.out)).to_string(index=False))
    print(known.round(2).to_string(index=False))


if __name__ == "__main__":
    main()
