"""What refusals cost and what they avert, for one training seed or for all (ours)."""

from collections.abc import Sequence
from itertools import combinations

import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval, same_items


def crossovers(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return from which cost of a wrong answer the more cautious of two methods is the better one.

    Returns
    -------
    pd.DataFrame
        For every model and pair of methods: bold (the one with more wrong answers), cautious, the
        cost below which `bold` serves the user better (`metrics.crossover`), and its 95 %
        interval.

    Raises
    ------
    ValueError
        If two methods did not answer the same questions.
    """
    rows = []
    for model, mine in outcomes.groupby("model", sort=False):
        methods = [part for _, part in mine.groupby("method", sort=False)]
        rows += [{"model": model, **_crossover(model, pair)} for pair in combinations(methods, 2)]
    return pd.DataFrame(rows, columns=["model", "bold", "cautious", "cost", "lo", "hi"])


def _crossover(model: str, pair: Sequence[pd.DataFrame]) -> dict[str, str | float]:
    if not same_items(*pair):
        names = " and ".join(part.method.iloc[0] for part in pair)
        raise ValueError(f"{model}: {names} did not answer the same questions")
    bold, cautious = sorted(pair, key=_wrong, reverse=True)
    lo, hi = interval(bold, cautious, statistic=metrics.crossover)
    totals = [metrics.counts(part).sum() for part in (bold, cautious)]
    return {
        "bold": bold.method.iloc[0],
        "cautious": cautious.method.iloc[0],
        "cost": float(metrics.crossover(*totals)),
        "lo": lo,
        "hi": hi,
    }


def _wrong(part: pd.DataFrame) -> int:
    return part.outcome.isin(["incorrect", "unjudged"]).sum()


def over_refusal(
    outcomes: pd.DataFrame,
    base: str = "original",
    delta_known: float = 0.8,
    delta_unknown: float = 0.2,
) -> pd.DataFrame:
    """Return how many right answers of `base` are lost to refusals, and how many errors averted.

    Parameters
    ----------
    outcomes : pd.DataFrame
    base : str
        The method whose answers the others are compared with.
    delta_known, delta_unknown : float
        The thresholds between known, mixed and unknown questions.

    Returns
    -------
    pd.DataFrame
        For each model, method, kind (known, mixed, unknown) and effect: `n` such answers of
        `base`, over all seeds, how many of them are refused, and their share refr with its
        interval (percentage points).
    """
    rows = metrics.against(outcomes, base, delta_known, delta_unknown)
    keys, table = ["model", "method", "kind", "effect"], []
    for key, part in rows.groupby(keys, sort=False):
        refused = int((part.outcome == "refusal").sum())
        lo, hi = interval(part, statistic="refr")
        share = {"refr": 100 * refused / len(part), "lo": 100 * lo, "hi": 100 * hi}
        counted = {"n": len(part), "refused": refused}
        table.append(dict(zip(keys, key, strict=True)) | counted | share)
    columns = [*keys, "n", "refused", "refr", "lo", "hi"]
    return pd.DataFrame(table, columns=columns).sort_values(keys, ignore_index=True)
