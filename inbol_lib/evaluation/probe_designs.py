"""What the probe is trained and tested on: the paper's design (Table 7) and our controls."""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
import pandas as pd
from datasets import Dataset

PAPER = "as in the paper"  # the design of the probe that is not a control
PAIRS = "minimal pairs"  # the design whose questions are worded alike, two by two
#: Questions alike in wording are answered alike, so a single shuffle of the labels may be far from
#: 50 %; many shuffles show where chance lies (ours).
SHUFFLES = 20


class Design(NamedTuple):
    """A name, and the rows that the probe is trained and tested on."""

    name: str
    train: pd.DataFrame
    test: pd.DataFrame


def frame(rows: Dataset, labels: np.ndarray, source_of: dict[str, str]) -> pd.DataFrame:
    """Return one row per question with what the designs choose by.

    Parameters
    ----------
    rows : Dataset
        Questions as `probing.unknown_questions` gives them.
    labels : np.ndarray
        0 for intrinsic, 1 for extrinsic questions.
    source_of : dict
        The source of each image id.

    Returns
    -------
    pd.DataFrame
        id, image_id, question, label, origin (answerable, swap or the generator) and source.
    """
    meta = rows.select_columns(["id", "image_id", "origin", "question"]).to_pandas()
    return meta.assign(label=labels, source=meta.image_id.map(source_of))


def pair_frame(rows: Dataset) -> pd.DataFrame:
    """Return one row per question of minimal pairs, as `frame` does.

    The label is 1 where the picture has lost the answer; the two questions of a pair are the same.
    """
    meta = rows.select_columns(["id", "image_id", "question"]).to_pandas()
    label = [int(not answers) for answers in rows["answers"]]
    return meta.assign(origin=PAIRS, label=np.array(label, int), source=None)


def designs(train: pd.DataFrame, test: pd.DataFrame, seed: int) -> Iterator[Design]:
    """Yield the paper's design and the controls, given all training and test rows (`frame`).

    The controls (ours): labels shuffled `SHUFFLES` times, so that they mean nothing; unanswerable
    questions that are real questions on another image, so that the wording says little; each
    source in turn as one that the probe never saw; and minimal pairs (`pair_frame`), if there are
    any among the rows, whose wording says nothing at all.
    """
    (train, train_pairs), (test, test_pairs) = map(_parted, (train, test))
    yield Design(PAPER, train, test)
    rng = np.random.default_rng(seed)
    for _ in range(SHUFFLES):
        yield Design("shuffled labels", train.assign(label=rng.permutation(train.label)), test)
    yield Design("matched wording", _swapped(train), _swapped(test))
    for source in train.source.dropna().unique():
        rest = train[train.source != source]
        yield Design("held-out source", rest, test[test.source == source])
    if len(train_pairs) and len(test_pairs):
        yield Design(PAIRS, train_pairs, test_pairs)


def _parted(part: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Return the rows that are no minimal pairs, and those that are."""
    in_pairs = part.origin == PAIRS
    return part[~in_pairs], part[in_pairs]


def _swapped(part: pd.DataFrame) -> pd.DataFrame:
    """Return the questions swapped onto another image, and as many answerable ones."""
    outside = part[part.origin == "swap"]
    return pd.concat([part[part.label == 0].head(len(outside)), outside])
