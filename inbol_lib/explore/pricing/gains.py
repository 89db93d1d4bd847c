"""The order of the methods at a user's cost of a wrong answer, with intervals.

The outcomes are resampled once; every cost is then a line through the same sums.
"""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from inbol_lib.evaluation import intervals, metrics
from inbol_lib.report.plots.looks import METHODS
from inbol_lib.report.tables.layout import NAMES, in_domain

MOST = 10.0  # highest cost
CHECKED = 101  # costs at which the best method is looked up
OVERALL = "in domain"
_SUMMED = ["correct", "refusal", "n"]


@dataclass
class Resampled:
    """The summed outcomes of every method on one test set.

    Attributes
    ----------
    methods
        Names, in the order of every figure.
    seen
        correct, refusal and n of each method; shape (methods, 3).
    drawn
        The same under resamples of pictures and seeds; shape (methods, resamples, 3).
    """

    methods: list[str]
    seen: np.ndarray
    drawn: np.ndarray

    @classmethod
    def of(cls, outcomes: pd.DataFrame, n: int = intervals.REPLICATES) -> "Resampled":
        """Resample the outcomes of all methods together, `n` times."""
        asked = set(outcomes.method)
        by_method = {name: outcomes[outcomes.method == name] for name in METHODS if name in asked}
        seen = [metrics.counts(part)[_SUMMED].sum() for part in by_method.values()]
        drawn = [frame[_SUMMED] for frame in intervals.replicates(*by_method.values(), n=n)]
        return cls(list(by_method), np.array(seen, float), np.array(drawn, float))

    def gains(self, cost: float) -> tuple[np.ndarray, np.ndarray]:
        """Return phi of each method and of each of its resamples, in points."""
        return _gain(self.seen, cost), _gain(self.drawn, cost)


def _gain(sums: np.ndarray, cost: float) -> np.ndarray:
    correct, refusal, n = np.moveaxis(sums, -1, 0)
    return 100 * metrics.phi(correct, refusal, n, cost)


def ranking(resampled: Resampled, cost: float) -> pd.DataFrame:
    """Return the methods, the one with the highest gain first.

    Parameters
    ----------
    resampled : Resampled
    cost : float
        The cost c of a wrong answer, >= 0, where a right one is worth 1.

    Returns
    -------
    pd.DataFrame
        Columns: method; gain with its 95 % interval lo, hi (phi, in points); first (share of the
        resamples in which it is the best, in [0, 1]); correct, refusal, wrong (percent). Equal
        gains keep the order of every figure.
    """
    seen, drawn = resampled.gains(cost)
    lo, hi = np.quantile(drawn, [0.025, 0.975], axis=1)
    best = np.bincount(drawn.argmax(axis=0), minlength=len(seen)) / drawn.shape[1]
    correct, refusal = (100 * resampled.seen[:, :2] / resampled.seen[:, 2:]).T
    table = pd.DataFrame(
        {"method": resampled.methods, "gain": seen, "lo": lo, "hi": hi, "first": best}
    )
    table = table.assign(correct=correct, refusal=refusal, wrong=100 - correct - refusal)
    return table.sort_values("gain", ascending=False, kind="stable", ignore_index=True)


def best_by_cost(resampled: Resampled) -> list[tuple[float, float, str]]:
    """Return (from, to, method): where each method has the highest gain, in rising costs."""
    costs = np.linspace(0, MOST, CHECKED)
    best = [resampled.methods[int(resampled.gains(cost)[0].argmax())] for cost in costs]
    starts = [at for at, name in enumerate(best) if at == 0 or name != best[at - 1]]
    ends = [*starts[1:], len(costs) - 1]
    return [(float(costs[a]), float(costs[b]), best[a]) for a, b in zip(starts, ends, strict=True)]


def test_sets(outcomes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return name -> outcomes: all in domain, then every source alone, MMBench circularly."""
    sets = {OVERALL: in_domain(outcomes)}
    for source in outcomes.source.unique():
        part = outcomes[outcomes.source == source]
        whole = metrics.circular(part) if source == "mmbench" else part
        sets[NAMES.get(source, source)] = whole
    return {name: part for name, part in sets.items() if len(part)}
