"""95 % bootstrap intervals (ours; the paper gives none). What is drawn: images, because questions on one image are not independent, and
training seeds. Several outcome tables are drawn together, so that their differences are paired.

With few seeds (under five, say) the share of the interval that comes from training is a rough guess, too narrow rather than too wide."""

from collections.abc import Callable
from statistics import NormalDist

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics

REPLICATES = 1000
WORTH = {"correct": 1, "refusal": 0, "incorrect": -1, "unjudged": -1}  # s_trust is its mean
Statistic = Callable[..., np.ndarray]


def replicates(*tables: pd.DataFrame, n: int = REPLICATES, seed: int = 0) -> list[pd.DataFrame]:
    """Summed counts of `n` resamples of images and training seeds, one line each (columns as `metrics.counts`), for every table.

    Images with the same counts are interchangeable, so what is drawn is how often each distinct line of counts comes up: the same
    distribution, in a time that hardly grows with the number of images. A seed's weight multiplies an image's (Owen, 2007)."""
    counted = _image_counts(tables)
    images, seeds = counted.shape[:2]
    kinds, many = np.unique(counted.reshape(images, -1), axis=0, return_counts=True)
    kinds, share, rng = kinds.astype(float), many / images, np.random.default_rng(seed)
    totals = np.empty((n, len(tables), len(metrics.COUNTS)))
    for place, weights in enumerate(rng.multinomial(seeds, np.full(seeds, 1 / seeds), size=n)):
        of_seeds = (rng.multinomial(images, share) @ kinds).reshape(seeds, -1)
        totals[place] = (weights @ of_seeds).reshape(totals.shape[1:])
    frames = (pd.DataFrame(totals[:, i], columns=metrics.COUNTS) for i in range(len(tables)))
    return [frame.assign(n=frame.sum(axis=1)) for frame in frames]


def _image_counts(tables: tuple[pd.DataFrame, ...]) -> np.ndarray:
    """How many outcomes of each kind: (images, seeds, tables, kinds of outcome), the images in any order."""
    both = pd.concat([t[["image_id", "seed", "outcome"]] for t in tables], ignore_index=True)
    places = [both.image_id.factorize()[0], both.seed.factorize()[0], np.repeat(np.arange(len(tables)), list(map(len, tables))),
              metrics.counts(both)[list(metrics.COUNTS)].to_numpy().argmax(1)]  # fmt: skip
    shape = (places[0].max() + 1, places[1].max() + 1, len(tables), len(metrics.COUNTS))
    flat = np.ravel_multi_index(places, shape)
    return np.bincount(flat, minlength=np.prod(shape)).astype(np.int32).reshape(shape)


def interval(
    *tables: pd.DataFrame,
    statistic: str | Statistic = "s_trust",
    n: int = REPLICATES,
    seed: int = 0,
) -> tuple[float, float]:
    """Percentile interval (lo, hi) of a metric of one table, or of a function of each table's counts (one argument per table)."""
    function = (
        (lambda totals: metrics.score(totals)[statistic])
        if isinstance(statistic, str)
        else statistic
    )
    values = function(*replicates(*tables, n=n, seed=seed))
    lo, hi = np.nanquantile(
        values, [0.025, 0.975], method="linear" if np.isfinite(values).all() else "nearest"
    )
    return float(lo), float(hi)


def same_items(a: pd.DataFrame, b: pd.DataFrame) -> bool:
    """Whether two outcome tables hold the same questions under the same seeds, each once."""
    first, second = (
        np.sort(pd.util.hash_pandas_object(t[["id", "seed"]], index=False).to_numpy())
        for t in (a, b)
    )
    return np.array_equal(first, second) and (np.diff(first) > 0).all()


def difference(
    a: pd.DataFrame, b: pd.DataFrame, metric: str = "s_trust", n: int = REPLICATES, seed: int = 0
) -> dict[str, float | str]:
    """Paired difference `b` - `a` of a metric: diff, diff_lo, diff_hi (shares) and mark, "*" when the interval excludes 0.
    Raises ValueError unless both answered the same questions under the same seeds."""
    if not same_items(a, b):
        raise ValueError(
            "a paired difference needs the same (id, seed) pairs in both outcome tables, each once; keep what they share"
        )

    def gap(x, y):
        return metrics.score(y)[metric] - metrics.score(x)[metric]

    lo, hi = interval(a, b, statistic=gap, n=n, seed=seed)
    totals = (metrics.counts(t).sum() for t in (a, b))
    return {
        "diff": float(gap(*totals)),
        "diff_lo": lo,
        "diff_hi": hi,
        "mark": "*" if lo > 0 or hi < 0 else "",
    }


def items_needed(
    a: pd.DataFrame, b: pd.DataFrame, difference: float = 0.02, power: float = 0.8
) -> int:
    """How many test questions show a true `difference` of s_trust between two methods, at 5 % and with `power` (paired; ours).

    Their outcomes on the same pilot questions give the spread, questions on one image counted as alike as they were there; seeds are
    averaged first. Raises ValueError where they hold different questions or never differ."""
    if not (0 < power < 1 and difference > 0 and same_items(a, b)):
        raise ValueError(
            f"difference={difference} must be > 0, power={power} in (0, 1), and both tables hold the same questions and seeds"
        )
    first, second = (t.set_index(["id", "seed"]).outcome.map(WORTH) for t in (a, b))
    gain = (second - first).groupby("id").mean()
    image = a.drop_duplicates("id").set_index("id").image_id.reindex(gain.index)
    variance = ((gain - gain.mean()).groupby(image).sum() ** 2).sum() / len(
        gain
    )  # of one question, clusters counted in
    if variance == 0:
        raise ValueError(
            "the two methods never differ on these questions, so they say nothing about the spread; use more of them"
        )
    quantile = NormalDist().inv_cdf
    return int(np.ceil(variance * ((quantile(0.975) + quantile(power)) / difference) ** 2))
