"""Bootstrap intervals at 95 % (ours; the paper gives none).

Images are resampled, because questions on one image are not independent, and so are training
seeds. Several outcome tables are resampled together, so that their differences are paired. With few
seeds (fewer than about five), the part of the interval that comes from training is a rough guess,
and too narrow rather than too wide.
"""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics

REPLICATES = 1000  # a bound is then off by a tenth of the standard error, by chance
AT_ONCE = 200  # resamples that are drawn together, so that they fit into memory
WORTH = {"correct": 1, "refusal": 0, "incorrect": -1, "unjudged": -1}  # s_trust is its mean
Statistic = Callable[..., np.ndarray]


def replicates(*tables: pd.DataFrame, n: int = REPLICATES, seed: int = 0) -> list[pd.DataFrame]:
    """Sum every table's counts under `n` resamples of its images and training seeds.

    Returns
    -------
    list[pd.DataFrame]
        One frame per table, with `n` rows and the columns of `metrics.counts`.

    Notes
    -----
    Images with the same counts are interchangeable, so the number of times that each distinct row
    of counts is drawn is what is sampled: the distribution is the same, and the time hardly grows
    with the number of images. A seed's weight multiplies an image's (Owen, 2007).
    """
    counted = _image_counts(tables)
    images, seeds = counted.shape[:2]
    kinds, times = np.unique(counted.reshape(images, -1), axis=0, return_counts=True)
    kinds, shares = kinds.astype(float), times / images
    rng = np.random.default_rng(seed)
    seed_weights = rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=n)
    totals = []
    for weights in np.array_split(seed_weights, -(-n // AT_ONCE)):
        drawn = rng.multinomial(images, shares, size=len(weights)).astype(float)
        per_seed = (drawn @ kinds).reshape(len(weights), seeds, -1)
        totals.append(np.einsum("rs,rsk->rk", weights, per_seed))
    totals = np.concatenate(totals).reshape(n, len(tables), len(metrics.COUNTS))
    frames = [pd.DataFrame(totals[:, i], columns=metrics.COUNTS) for i in range(len(tables))]
    return [frame.assign(n=frame.sum(axis=1)) for frame in frames]


def _image_counts(tables: tuple[pd.DataFrame, ...]) -> np.ndarray:
    """Count outcomes into an array (images, seeds, tables, kinds of outcome)."""
    columns = ["image_id", "seed", "outcome"]
    together = pd.concat([table[columns] for table in tables], ignore_index=True)
    places = (
        together.image_id.factorize()[0],
        together.seed.factorize()[0],
        np.repeat(np.arange(len(tables)), [len(table) for table in tables]),
        metrics.outcome_codes(together),
    )
    shape = (places[0].max() + 1, places[1].max() + 1, len(tables), len(metrics.COUNTS))
    flat = np.ravel_multi_index(places, shape)
    return np.bincount(flat, minlength=np.prod(shape)).astype(np.int32).reshape(shape)


def metric(name: str) -> Statistic:
    """Return the metric called `name` as a function of one table's summed counts."""
    return lambda totals: metrics.score(totals)[name]


def interval(
    *tables: pd.DataFrame,
    statistic: str | Statistic = "s_trust",
    n: int = REPLICATES,
    seed: int = 0,
) -> tuple[float, float]:
    """Return the 95 % percentile interval (lower end, upper end) of a statistic.

    Parameters
    ----------
    *tables : pd.DataFrame
        Outcome tables, resampled together.
    statistic : str or function
        Name of a metric of `metrics.score` (of one table), or a function of the summed counts of
        every table, one argument per table.
    n, seed : int
        Number of resamples, and the seed of the generator that draws them.
    """
    function = metric(statistic) if isinstance(statistic, str) else statistic
    values = function(*replicates(*tables, n=n, seed=seed))
    method = "linear" if np.isfinite(values).all() else "nearest"
    lo, hi = np.nanquantile(values, [0.025, 0.975], method=method)
    return float(lo), float(hi)


def of_lowest(observed: np.ndarray, drawn: np.ndarray) -> tuple[float, float]:
    """Return the 95 % interval (lower end, upper end) of the lowest of several values.

    Parameters
    ----------
    observed : np.ndarray
        The values; shape (values,).
    drawn : np.ndarray
        The same under resamples, drawn together; shape (values, resamples).

    Notes
    -----
    Among many values that are equal in truth, chance puts one below the others, in the data and in
    every resample once more, so percentiles of the lowest would lie too low. The lower end is the
    lowest of the values' own lower ends: the lowest value is one of them (Berger, 1982). The upper
    end is the lowest of upper ends that hold for all values at once, by the largest standardized
    error of each resample (the single-step max-T of Westfall and Young, 1993).
    """
    lo = np.nanquantile(drawn, 0.025, axis=1).min()
    spread = np.nanstd(drawn, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):  # a value without spread has no error
        errors = (observed[:, None] - drawn) / spread[:, None]
    largest = np.nan_to_num(errors, nan=0.0, posinf=0.0, neginf=0.0).max(axis=0)
    hi = (observed + np.quantile(largest, 0.975) * spread).min()
    return float(lo), float(hi)


def same_items(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Tell whether two outcome tables hold the same questions under the same seeds, each once."""
    first, second = _item_hashes(a), _item_hashes(b)
    return np.array_equal(first, second) and (np.diff(first) > 0).all()


def _item_hashes(table: pd.DataFrame) -> np.ndarray:
    return np.sort(pd.util.hash_pandas_object(table[["id", "seed"]], index=False).to_numpy())


def difference(
    a: pd.DataFrame, b: pd.DataFrame, metric: str = "s_trust", n: int = REPLICATES, seed: int = 0
) -> dict[str, float | str]:
    """Return the paired difference `b` - `a` of a metric with its 95 % interval.

    Returns
    -------
    dict
        diff, diff_lo and diff_hi (shares), and mark: "*" when the interval excludes 0.

    Raises
    ------
    ValueError
        Unless both tables hold the same questions under the same seeds.
    """
    if not same_items(a, b):
        raise ValueError(
            "a paired difference needs the same (id, seed) pairs in both outcome tables, "
            "each once; keep the pairs that both have"
        )

    def gap(before, after):
        return metrics.score(after)[metric] - metrics.score(before)[metric]

    lo, hi = interval(a, b, statistic=gap, n=n, seed=seed)
    observed = gap(metrics.counts(a).sum(), metrics.counts(b).sum())
    mark = "*" if lo > 0 or hi < 0 else ""
    return {"diff": float(observed), "diff_lo": lo, "diff_hi": hi, "mark": mark}


def items_needed(
    a: pd.DataFrame, b: pd.DataFrame, difference: float = 0.02, power: float = 0.8
) -> int:
    """Return how many test questions show a difference of two methods at the 5 % level (ours).

    Parameters
    ----------
    a, b : pd.DataFrame
        Outcomes of both methods on the same pilot questions. They give the variance of the paired
        difference, with the correlation between questions on one image; seeds are averaged first.
    difference : float
        The true difference of s_trust that is to be found (a share).
    power : float
        Probability of finding it, in (0, 1).

    Raises
    ------
    ValueError
        When a setting is out of range, the tables hold different questions, or the two methods
        never differ.
    """
    if not (0 < power < 1 and difference > 0 and same_items(a, b)):
        raise ValueError(
            f"difference={difference} must be > 0, power={power} in (0, 1), "
            "and both tables must hold the same questions and seeds"
        )
    variance = _variance_of_gain(a, b)
    if variance == 0:
        raise ValueError(
            "the two methods never differ on these questions, so they say nothing about the "
            "spread; use more of them"
        )
    quantile = NormalDist().inv_cdf
    return int(np.ceil(variance * ((quantile(0.975) + quantile(power)) / difference) ** 2))


def _variance_of_gain(a: pd.DataFrame, b: pd.DataFrame) -> float:
    """Return the variance of one question's gain from `a` to `b`, clusters counted in."""
    before, after = (table.set_index(["id", "seed"]).outcome.map(WORTH) for table in (a, b))
    gain = (after - before).groupby("id").mean()
    image = a.drop_duplicates("id").set_index("id").image_id.reindex(gain.index)
    per_image = (gain - gain.mean()).groupby(image).sum()
    return (per_image**2).sum() / len(gain)
