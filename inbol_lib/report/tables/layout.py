"""What all tables share: the names of the data sets, and one row per model, method and data set."""

from collections.abc import Iterable, Sequence

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import difference, interval, same_items

#: source -> the data set's name in the paper
NAMES = {
    "vqav2": "VQAv2",
    "oven": "OVEN",
    "scienceqa": "ScienceQA",
    "uavqa": "UaVQA",
    "aokvqa": "AOKVQA",
    "gqa": "GQA",
    "mmmu": "MMMU",
    "mmbench": "MMBench",
    "beyondvisqa": "BeyondVisQA",
    "vizwiz": "VizWiz(ua)",
    "vqav2_idk": "VQAv2-IDK(filter)",
}
OOD = ("aokvqa", "gqa", "mmmu", "beyondvisqa", "mmbench")
OOD_AVERAGED = ("AOKVQA", "GQA", "MMMU", "MMBench")
UNANSWERABLE = ("vizwiz", "vqav2_idk")
#: how the sources of control questions begin: edited pictures, and none to see
CONTROLS = ("pairs_", "blind_")
SCORES = ["acc", "refr", "s_trust"]
PAIRED = ["diff", "diff_lo", "diff_hi", "mark"]


def in_domain(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of the in-domain test set: neither out-of-domain sets nor controls."""
    outside = outcomes.source.isin((*OOD, *UNANSWERABLE))
    return outcomes[~outside & ~outcomes.source.str.startswith(CONTROLS)]


def metric_table(
    datasets: Iterable[tuple[str, pd.DataFrame]], *columns: str, base: str | None = None
) -> pd.DataFrame:
    """Return one row per model, method and data set, in percentage points.

    Parameters
    ----------
    datasets : iterable of (name, outcomes)
    *columns : str
        The metrics that the table shows, of `metrics.score`.
    base : str, optional
        The method that stands first and that differences are taken to; without it they are taken
        to the method above.

    Returns
    -------
    pd.DataFrame
        Columns: model, method, dataset, `columns`; the 95 % interval lo, hi of the main metric
        (RefR where no question can be answered, else s_trust); its paired difference diff with
        diff_lo, diff_hi and mark; and the numbers of questions (n), seeds (n_seeds) and unjudged
        responses. It has no rows if there are no outcomes.
    """
    datasets = list(datasets)
    order = _method_order([outcomes for _, outcomes in datasets], base)
    rows = []
    for name, outcomes in datasets:
        rows += _dataset_rows(name, outcomes, order, base)
    rows.sort(key=lambda row: (row["model"], order.index(row["method"])))
    keys, counts = ["model", "method", "dataset"], ["n", "n_seeds", "unjudged"]
    return pd.DataFrame(rows, columns=[*keys, *columns, "lo", "hi", *PAIRED, *counts])


def _method_order(tables: list[pd.DataFrame], base: str | None) -> list[str]:
    """Return the methods as they come up, `base` first."""
    order = [base] if base else []
    for outcomes in tables:
        order += outcomes.method.unique().tolist()
    return list(dict.fromkeys(order))


def _dataset_rows(
    name: str, outcomes: pd.DataFrame, order: list[str], base: str | None
) -> list[dict]:
    above: dict[str, pd.DataFrame] = {}
    rows = []
    groups = outcomes.groupby(["model", "method"], sort=False)
    for (model, method), part in sorted(groups, key=lambda group: order.index(group[0][1])):
        row = {"model": model, "method": method, "dataset": name}
        rows.append(
            row | points(part) | _bounds(part) | _differences(above.get(model), part) | _sizes(part)
        )
        if base in (None, method):
            above[model] = part
    return rows


def _main_metric(part: pd.DataFrame) -> str:
    return "s_trust" if part.answerable.any() else "refr"


def points(part: pd.DataFrame) -> dict[str, float]:
    """Return the metrics in points; where no question can be answered, RefR alone."""
    score = metrics.score(metrics.counts(part).sum())
    if _main_metric(part) == "refr":
        score = {"refr": score["refr"]}
    return {name: 100 * value for name, value in score.items()}


def _bounds(part: pd.DataFrame) -> dict[str, float]:
    """Return the interval of the main metric in points."""
    lo, hi = interval(part, statistic=_main_metric(part))
    return {"lo": 100 * lo, "hi": 100 * hi}


def _differences(above: pd.DataFrame | None, part: pd.DataFrame) -> dict[str, float | str]:
    return {"mark": ""} if above is None else paired_difference(above, part, _main_metric(part))


def _sizes(part: pd.DataFrame) -> dict[str, int]:
    unjudged = int((part.outcome == "unjudged").sum())
    return {"n": part.id.nunique(), "n_seeds": part.seed.nunique(), "unjudged": unjudged}


def paired_difference(
    above: pd.DataFrame, part: pd.DataFrame, metric: str
) -> dict[str, float | str]:
    """Return the difference `part` less `above` of a metric, in points.

    Returns
    -------
    dict
        diff, diff_lo, diff_hi and mark, as `intervals.difference` has them; only an empty mark
        where the two tables do not hold the same questions.
    """
    if not same_items(above, part):
        return {"mark": ""}
    found = difference(above, part, metric)
    mark = found.pop("mark")
    return {name: 100 * value for name, value in found.items()} | {"mark": mark}


def averaged_sets(outcomes: pd.DataFrame) -> list[pd.DataFrame]:
    """Return the outcomes on each set in `OOD_AVERAGED` that was asked, MMBench circularly."""
    by_source = dict(list(outcomes.groupby("source")))
    averaged = [name for name in OOD if NAMES[name] in OOD_AVERAGED and name in by_source]
    return [
        metrics.circular(by_source[name]) if name == "mmbench" else by_source[name]
        for name in averaged
    ]


def mean_trust_interval(sets: Sequence[pd.DataFrame]) -> list[float]:
    """Return the interval of the mean s_trust over data sets (`averaged_sets`), in points."""
    return [100 * bound for bound in interval(*sets, statistic=mean_trust)]


def mean_trust(*totals: pd.DataFrame) -> np.ndarray:
    """Return the mean s_trust (in [-1, 1]) of several data sets' summed counts."""
    return np.mean([metrics.score(each)["s_trust"] for each in totals], axis=0)
