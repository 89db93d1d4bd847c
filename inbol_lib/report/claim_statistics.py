"""The statistics that decide on claims, and the rule that turns one into a verdict.

A statistic takes summed counts (`metrics.counts`, summed), one argument for each sample, and
returns a share; it is positive where its claim holds. The same function is applied to our outcomes,
to their bootstrap resamples, and to the paper's printed cells. All of this is ours: the paper gives
no intervals.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval
from inbol_lib.report import paper

Totals = Any  # what `metrics.score` takes: a row, a frame or a dictionary of counts
Metric = Callable[[Totals], np.ndarray]
Statistic = Callable[..., np.ndarray]
Cells = Sequence[tuple[str, str]]  # (method, data set) for each sample

COLUMNS = ["claim", "where", "model", "statistic", "ours", "lo", "hi", "paper", "verdict"]


def accuracy(totals: Totals) -> np.ndarray:
    """Return Acc, in [0, 1]."""
    return metrics.score(totals)["acc"]


def refusal_rate(totals: Totals) -> np.ndarray:
    """Return RefR, in [0, 1]."""
    return metrics.score(totals)["refr"]


def trust(totals: Totals) -> np.ndarray:
    """Return s_trust, in [-1, 1]."""
    return metrics.score(totals)["s_trust"]


def answered_accuracy(totals: Totals) -> np.ndarray:
    """Return the accuracy of the given answers, in [0, 1], NaN where everything was refused."""
    return metrics.score(totals)["answered_acc"]


def difference(metric: Metric, margin: float = 0) -> Statistic:
    """Return the statistic "metric of the first sample less that of the second, plus a margin"."""
    return lambda first, second: metric(first) - metric(second) + margin


def lead(metric: Metric) -> Statistic:
    """Return the statistic "metric of the first sample less the highest of the others"."""
    return lambda first, *others: metric(first) - np.max([metric(one) for one in others], axis=0)


def lead_of_means(metric: Metric, size: int) -> Statistic:
    """Return the statistic `lead` of a metric that is averaged over data sets.

    Its samples are the `size` data sets of the first method, then those of the second, and so on.
    """

    def mean(totals: Sequence[Totals]) -> np.ndarray:
        return np.mean([metric(each) for each in totals], axis=0)

    def statistic(*totals: Totals) -> np.ndarray:
        by_method = [totals[start : start + size] for start in range(0, len(totals), size)]
        return lead(mean)(*by_method)

    return statistic


def estimated(samples: Sequence[pd.DataFrame], statistic: Statistic) -> tuple[float, float, float]:
    """Return a statistic of outcome tables and its 95 % interval, in points."""
    value = statistic(*(metrics.counts(sample).sum() for sample in samples))
    lo, hi = interval(*samples, statistic=statistic)
    return 100 * float(value), 100 * lo, 100 * hi


def printed(number: int, model: str, cells: Cells, statistic: Statistic) -> float:
    """Return a statistic of the paper's printed cells in points, NaN where one is missing.

    Parameters
    ----------
    number : int
        The paper's table.
    model : str
        One of our models; its counterpart's cells are read.
    cells : sequence of (method, data set)
    statistic : callable
    """
    table = paper.counterpart_table(number, model).set_index(["method", "dataset"])
    if not set(cells) <= set(table.index):
        return float("nan")
    return 100 * float(statistic(*(_as_counts(table.loc[cell]) for cell in cells)))


def _as_counts(cell: pd.Series) -> dict[str, float]:
    """Read printed Acc and RefR as the counts of one question."""
    return {"correct": cell.get("acc", np.nan) / 100, "refusal": cell.refr / 100, "n": 1.0}


def verdict(lo: float, hi: float) -> str:
    """Return the verdict on a claim whose statistic has this interval."""
    if lo > 0:
        return "reproduced"
    return "not" if hi < 0 else "undecided"
