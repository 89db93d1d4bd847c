"""TODO."""

from collections.abc import Iterable

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import difference, interval, same_items

NAMES = {
    "vqav2": "VQAv2", "oven": "OVEN", "scienceqa": "ScienceQA", "uavqa": "UaVQA", "aokvqa": "AOKVQA", "gqa": "GQA", "mmmu": "MMMU",
    "mmbench": "MMBench", "beyondvisqa": "BeyondVisQA", "vizwiz": "VizWiz(ua)", "vqav2_idk": "VQAv2-IDK(filter)",
}  # fmt: skip
OOD, OOD_AVERAGED = (
    ("aokvqa", "gqa", "mmmu", "beyondvisqa", "mmbench"),
    ("AOKVQA", "GQA", "MMMU", "MMBench"),
)
UNANSWERABLE = ("vizwiz", "vqav2_idk")
SCORES = ["acc", "refr", "s_trust"]
PAIRED = ["diff", "diff_lo", "diff_hi", "mark"]


def in_domain(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The rows of the in-domain test set: whatever source is none of the out-of-domain sets."""
    return outcomes[~outcomes.source.isin((*OOD, *UNANSWERABLE))]


def _table(
    parts: Iterable[tuple[str, pd.DataFrame]], *columns: str, base: str | None = None
) -> pd.DataFrame:
    """One row per model, method and data set (`parts`): metrics over all seeds, interval of the main one (RefR where nothing
    can be answered, else s_trust), its paired difference to the method above, or to the first, `base`. Empty without outcomes."""
    rows, parts = [], list(parts)
    order = list(
        dict.fromkeys(
            [
                *([base] if base else []),
                *(method for _, outcomes in parts for method in outcomes.method),
            ]
        )
    )
    for dataset, outcomes in parts:
        above: dict[str, pd.DataFrame] = {}
        groups = outcomes.groupby(["model", "method"], sort=False)
        for (model, method), part in sorted(groups, key=lambda group: order.index(group[0][1])):
            main = "s_trust" if part.answerable.any() else "refr"
            score = {
                k: 100 * v
                for k, v in metrics.score(metrics.counts(part).sum()).items()
                if main == "s_trust" or k == main
            }
            lo, hi = interval(part, statistic=main)
            rows.append({"model": model, "method": method, "dataset": dataset, **score, "lo": 100 * lo, "hi": 100 * hi,
                         **_paired(above.get(model), part, main),
                         "n": part.id.nunique(), "n_seeds": part.seed.nunique(), "unjudged": sum(part.outcome == "unjudged")})  # fmt: skip
            if base in (None, method):
                above[model] = part
    rows.sort(key=lambda row: (row["model"], order.index(row["method"])))
    return pd.DataFrame(
        rows,
        columns=[
            "model",
            "method",
            "dataset",
            *columns,
            "lo",
            "hi",
            *PAIRED,
            "n",
            "n_seeds",
            "unjudged",
        ],
    )


def _paired(above: pd.DataFrame | None, part: pd.DataFrame, metric: str) -> dict[str, float | str]:
    """The paired difference to the method above in points; nothing for the first, and where the questions are not the same."""
    if above is None or not same_items(above, part):
        return {"mark": ""}
    return {k: v if k == "mark" else 100 * v for k, v in difference(above, part, metric).items()}


def _mean_interval(outcomes: pd.DataFrame) -> list[float]:
    """Interval of the mean s_trust, in points, over the data sets that are averaged; MMBench scored circularly."""
    of = dict(list(outcomes.groupby("source")))
    averaged = [source for source in OOD if NAMES[source] in OOD_AVERAGED and source in of]
    sets = [
        metrics.circular(of[source]) if source == "mmbench" else of[source] for source in averaged
    ]
    return [
        100 * v
        for v in interval(
            *sets,
            statistic=lambda *totals: np.mean(
                [metrics.score(t)["s_trust"] for t in totals], axis=0
            ),
        )
    ]
