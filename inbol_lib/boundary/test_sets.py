"""TODO."""

import numpy as np
from datasets import Dataset, concatenate_datasets

from inbol_lib.data.records import RECORD_FEATURES


def balanced(confidence: np.ndarray, n: int, rng: np.random.Generator) -> np.ndarray:
    """Indices of `n` items spread evenly over the confidence levels, mean confidence about one half (paper, App. F).

    Levels c and 1 - c are drawn in equal number, so a short level never tilts the mean; fewer than `n` items come back
    when the pool can not give more.
    """
    levels = np.round(confidence, 6)
    stock = {
        v: list(rng.permutation(np.flatnonzero(levels == v)))
        for v in np.unique(levels[~np.isnan(levels)])
    }
    pairs = [{v, np.round(1 - v, 6)} for v in stock if v <= 0.5]
    chosen: list[int] = []
    before = -1
    while before < len(chosen):
        before = len(chosen)
        for pair in pairs:
            if len(chosen) + len(pair) <= n and all(stock.get(v) for v in pair):
                chosen += [int(stock[v].pop()) for v in pair]
    return np.sort(np.array(chosen, dtype=int))


def test_set(
    records: Dataset,
    chooser: Dataset,
    unanswerable: Dataset,
    per_source: int,
    n_outside: int,
    seed: int,
) -> tuple[Dataset, dict]:
    """Confidence-balanced items of every source plus unanswerable ones (paper, App. F: 300 + 300 + 300 + 100), and for each source how
    many were wanted and got and the mean confidence (None without items) that they were balanced on.

    They are `records` of the evaluated model, balanced on the confidence of `chooser`, another (or the same) model's records of them.
    """
    rng = np.random.default_rng(seed)
    by_id = dict(zip(chooser["id"], chooser["confidence"], strict=True))
    confidence, sources = (
        np.array([by_id[name] for name in records["id"]]),
        np.array(records["source"]),
    )
    chosen, counts = [], {}
    for source in np.unique(sources).tolist():
        mine = np.flatnonzero(sources == source)
        chosen.append(mine[balanced(confidence[mine], per_source, rng)])
        mean = round(float(confidence[chosen[-1]].mean()), 4) if len(chosen[-1]) else None
        counts[source] = {"wanted": per_source, "got": len(chosen[-1]), "mean_confidence": mean}
    outside = unanswerable.select(np.sort(rng.permutation(len(unanswerable))[:n_outside]))
    counts["uavqa"] = {"wanted": n_outside, "got": len(outside), "mean_confidence": 0.0}
    return concatenate_datasets([records.select(np.concatenate(chosen)), outside]).cast(
        RECORD_FEATURES
    ), counts
