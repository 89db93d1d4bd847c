"""The statistics that decide on claims, and the rule that turns one into a verdict.

A statistic takes summed counts (`metrics.counts`, summed), one argument for each sample, and
returns a share; it is positive where its claim holds. The same function is applied to our outcomes,
to their bootstrap resamples, and to the paper's printed cells. All of this is ours: the paper gives
no intervals.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval, of_lowest, replicates
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


@dataclass(frozen=True)
class Lead:
    """The statistic "metric of the first method less the highest of the others".

    Attributes
    ----------
    metric : callable
    size : int
        Number of data sets that the metric is averaged over. The samples are the data sets of the
        first method, then those of the second, and so on.
    """

    metric: Metric
    size: int = 1

    def leads(self, *totals: Totals) -> np.ndarray:
        """Return what the first method has on each of the others; shape (others, ...)."""
        by_method = [totals[i : i + self.size] for i in range(0, len(totals), self.size)]
        means = [np.mean([self.metric(each) for each in one], axis=0) for one in by_method]
        return means[0] - np.stack(means[1:])

    def __call__(self, *totals: Totals) -> np.ndarray:
        return self.leads(*totals).min(axis=0)


def estimated(
    samples: Sequence[pd.DataFrame], statistic: Statistic | Lead
) -> tuple[float, float, float]:
    """Return a statistic of outcome tables and its 95 % interval, in points.

    The interval of a `Lead` allows for the many that the best of them was chosen from.
    """
    totals = [metrics.counts(sample).sum() for sample in samples]
    if isinstance(statistic, Lead):
        drawn = statistic.leads(*replicates(*samples))
        lo, hi = of_lowest(statistic.leads(*totals), drawn)
    else:
        lo, hi = interval(*samples, statistic=statistic)
    return 100 * float(statistic(*totals)), 100 * lo, 100 * hi


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
