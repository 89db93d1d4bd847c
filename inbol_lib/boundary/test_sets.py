"""Test sets whose questions are spread evenly over the levels of confidence (paper, App. F)."""

from typing import Any

import numpy as np
from datasets import Dataset, concatenate_datasets

from inbol_lib.data.records import RECORD_FEATURES


def balanced(confidence: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Choose items evenly over the confidence levels, so that their mean is one half.

    The levels c and 1 - c are drawn in equal number, so that a short level never shifts the mean
    (ours; the paper, App. F, asks for a mean of about one half).

    Parameters
    ----------
    confidence : ndarray of shape (items,)
        Shares in [0, 1]; items with NaN are never chosen.
    n : int
        Most items to choose.
    rng : Generator

    Returns
    -------
    ndarray of int
        Sorted indices, fewer than `n` when the pool cannot give more.
    """
    levels = np.round(confidence, 6)
    stock = {
        level: list(rng.permutation(np.flatnonzero(levels == level)))
        for level in np.unique(levels[~np.isnan(levels)])
    }
    pairs = [{level, np.round(1 - level, 6)} for level in stock if level <= 0.5]
    chosen: list[int] = []
    before = -1
    while before < len(chosen):
        before = len(chosen)
        for pair in pairs:
            fits = len(chosen) + len(pair) <= n
            if fits and all(stock.get(level) for level in pair):
                chosen += [int(stock[level].pop()) for level in pair]
    return np.sort(np.array(chosen, dtype=int))


def test_set(
    records: Dataset,
    chooser: Dataset,
    unanswerable: Dataset,
    per_source: int,
    n_outside: int,
    seed: int,
) -> tuple[Dataset, dict[str, dict[str, Any]]]:
    """Compose a test set: balanced questions of every source, and unanswerable ones.

    In the paper these are 300 questions of each of three sources and 100 unanswerable ones
    (App. F).

    Parameters
    ----------
    records : Dataset
        Standard records of the evaluated model.
    chooser : Dataset
        Records of the same questions by the model, the same or another, on whose confidence the
        set is balanced, so that every evaluated model is asked the same questions.
    unanswerable : Dataset
        Records to draw the unanswerable questions from.
    per_source : int
        Questions wanted of each source.
    n_outside : int
        Unanswerable questions wanted.
    seed : int

    Returns
    -------
    table : Dataset
        The chosen rows of `records`, then those of `unanswerable`.
    counts : dict
        Source -> `wanted`, `got` and `mean_confidence` (the chooser's; None without questions).
    """
    rng = np.random.default_rng(seed)
    by_id = dict(zip(chooser["id"], chooser["confidence"], strict=True))
    confidence = np.array([by_id[name] for name in records["id"]])
    sources = np.array(records["source"])
    chosen, counts = [], {}
    for source in np.unique(sources).tolist():
        candidates = np.flatnonzero(sources == source)
        rows = candidates[balanced(confidence[candidates], per_source, rng)]
        chosen.append(rows)
        mean = round(float(confidence[rows].mean()), 4) if len(rows) else None
        counts[source] = {"wanted": per_source, "got": len(rows), "mean_confidence": mean}
    order = rng.permutation(len(unanswerable))
    outside = unanswerable.select(np.sort(order[:n_outside]))
    counts["uavqa"] = {"wanted": n_outside, "got": len(outside), "mean_confidence": 0.0}
    inside = records.select(np.concatenate(chosen))
    return concatenate_datasets([inside, outside]).cast(RECORD_FEATURES), counts
