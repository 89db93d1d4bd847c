"""95 % bootstrap intervals, with images (not questions) as the unit that is drawn (ours; the paper gives none)."""

from collections.abc import Callable

import numpy as np
import pandas as pd

from inbol_lib import metrics

REPLICATES = 1000


def replicates(outcomes: pd.DataFrame, n: int = REPLICATES, seed: int = 0) -> pd.DataFrame:
    """Summed counts of `n` resamples of images, one line each (columns as `metrics.counts`)."""
    per_image = metrics.counts(outcomes).groupby(outcomes["image_id"].to_numpy()).sum()
    k = len(per_image)
    weights = np.random.default_rng(seed).multinomial(k, np.full(k, 1 / k), size=n).astype(float)
    return pd.DataFrame(weights @ per_image.to_numpy(), columns=per_image.columns)


def interval(
    outcomes: pd.DataFrame, statistic: Callable[[pd.DataFrame], np.ndarray] | None = None, n: int = REPLICATES, seed: int = 0
) -> tuple[float, float]:
    """Percentile interval (lo, hi) of a statistic of the counts; default s_trust."""
    statistic = statistic or (lambda totals: metrics.score(totals)["s_trust"])
    lo, hi = np.nanpercentile(statistic(replicates(outcomes, n, seed)), [2.5, 97.5])
    return float(lo), float(hi)
