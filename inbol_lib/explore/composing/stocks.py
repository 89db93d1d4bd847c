"""How many questions each class holds, and what is composed of them, at any thresholds."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from inbol_lib.boundary import composition
from inbol_lib.boundary.confidence import first_samples
from inbol_lib.data.records import load_table
from inbol_lib.errors import ParameterError
from inbol_lib.explore.material.books import kinds
from inbol_lib.params import Params
from inbol_lib.report.plots.looks import KINDS

_READ = ["source", "confidence", "correct", "incorrect"]


@dataclass
class Stock:
    """The training questions that are there.

    Attributes
    ----------
    p
        Sizes and ratios of what is composed.
    inside
        One line per answerable question: source, confidence (in [0, 1] or NaN), and the responses
        `correct` and `incorrect` ("" for none), where these are known.
    outside
        The unanswerable questions: the same columns; None where these are not known.
    note
        Where they come from, in one line.
    """

    p: Params
    inside: pd.DataFrame
    outside: pd.DataFrame | None
    note: str


@dataclass
class Sizes:
    """What a pair of thresholds leads to.

    Attributes
    ----------
    p
        The parameters, with these thresholds.
    classes
        Numbers of questions: a row per source, a column per class.
    levels
        Columns level (confidence in [0, 1]), questions and kind.
    instructions, pairs
        `composition.instruction_sizes` and `preference_sizes`; None where they are not known or
        too few questions are there.
    trouble
        Why, in the latter case.
    """

    p: Params
    classes: pd.DataFrame
    levels: pd.DataFrame
    instructions: dict[str, Any] | None = None
    pairs: dict[str, Any] | None = None
    trouble: str = ""


def stock(p: Params, confidence: Path, unanswerable: Path | None) -> Stock:
    """Read the training questions of two artefacts, without their pictures.

    Parameters
    ----------
    p : Params
    confidence, unanswerable : Path
        Folders of the artefacts; without the second, nothing is composed.
    """
    note = f"training questions of {p.profile}, {p.model}"
    inside = _read(confidence / "records_train.parquet", p)
    outside = unanswerable and _read(
        unanswerable / "records_train.parquet", p.replace(confidence_samples=0)
    )
    return Stock(p, inside, outside, note)


def _read(file: Path, p: Params) -> pd.DataFrame:
    if p.confidence_samples:  # as notebook 03 does
        fewer = first_samples(load_table(file), p.confidence_samples, p.data_seed)
        return fewer.select_columns(_READ).to_pandas()
    return pq.read_table(file, columns=_READ).to_pandas()


def sizes(there: Stock, delta_known: float, delta_unknown: float) -> Sizes:
    """Return what a pair of thresholds leads to; nothing is drawn or sampled.

    Parameters
    ----------
    there : Stock
    delta_known, delta_unknown : float
        Thresholds on confidence, in [0, 1].

    Raises
    ------
    ParameterError
        When `delta_known` is not greater than `delta_unknown`, or one is out of range.
    """
    p = there.p.replace(delta_known=round(delta_known, 6), delta_unknown=round(delta_unknown, 6))
    inside = there.inside.assign(kind=kinds(there.inside.confidence, p))
    found = Sizes(p, _classes(inside), _levels(inside, p))
    if there.outside is None:
        return found
    try:
        found.instructions = composition.instruction_sizes(inside, there.outside, p)
        found.pairs = composition.preference_sizes(inside, there.outside, p)
    except ParameterError as error:
        found.trouble = str(error)
    return found


def _classes(inside: pd.DataFrame) -> pd.DataFrame:
    table = pd.crosstab(inside.source, inside.kind)
    others = [name for name in table.columns if name not in KINDS]
    return table.reindex(columns=[*KINDS, *others], fill_value=0)


def _levels(inside: pd.DataFrame, p: Params) -> pd.DataFrame:
    counted = inside.confidence.round(6).value_counts().sort_index()
    table = pd.DataFrame({"level": counted.index, "questions": counted.to_numpy()})
    return table.assign(kind=kinds(table.level, p))
