"""TODO."""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from datasets import Dataset

#: Questions alike in wording are answered alike, so that one shuffle may be far from 50 %; many show where chance lies (ours).
SHUFFLES = 20


def frame(rows: Dataset, labels: np.ndarray, source_of: dict[str, str]) -> pd.DataFrame:
    """One line per question: id, label, origin (answerable, swap or the generator), and the source that its image is from."""
    meta = rows.select_columns(["id", "image_id", "origin", "question"]).to_pandas()
    return meta.assign(label=labels, source=meta.image_id.map(source_of))


def designs(
    train: pd.DataFrame, test: pd.DataFrame, seed: int
) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Named training and test rows: the paper's (Table 7), and controls (ours). Labels that mean nothing, shuffled SHUFFLES times;
    unanswerable questions that are real questions on another image, so that the wording says little; and a source that the probe never saw,
    for each in turn."""
    yield PAPER, train, test
    rng = np.random.default_rng(seed)
    for _ in range(SHUFFLES):
        yield "shuffled labels", train.assign(label=rng.permutation(train.label)), test
    yield "matched wording", *(_swapped(part) for part in (train, test))
    for source in train.source.dropna().unique():
        yield "held-out source", train[train.source != source], test[test.source == source]


def _swapped(part: pd.DataFrame) -> pd.DataFrame:
    """The questions that were swapped onto another image, and as many answerable ones."""
    outside = part[part.origin == "swap"]
    return pd.concat([part[part.label == 0].head(len(outside)), outside])


PAPER = "as in the paper"  # the design of the probe that is not a control
