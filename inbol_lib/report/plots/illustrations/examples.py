"""Choosing the records that the figures show."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from datasets import Dataset

from inbol_lib.boundary.composition import describe
from inbol_lib.params import Params
from inbol_lib.report.plots import looks

#: A figure and the table of what is drawn in it.
Drawn = tuple[plt.Figure, pd.DataFrame]

CLASSES = ("known", "mixed", "unknown", "unanswerable")
#: class -> colour
COLOURS = {**looks.KINDS, "unanswerable": "#888888"}
#: Columns of a standard record, in the order of `preference_loss.PAIRS`; names of outcomes, too.
RESPONSES = ("correct", "incorrect", "refusal")


def classes(records: Dataset, p: Params) -> pd.DataFrame:
    """Describe records as `composition.describe` does, with a fourth class in `kind`.

    The fourth class is "unanswerable": records without answers.
    """
    frame = describe(records, p)
    return frame.assign(kind=np.where(frame.answers.map(len) == 0, "unanswerable", frame.kind))


def first(frame: pd.DataFrame, fits: pd.Series) -> pd.Series:
    """Return the first row for which `fits` is true, or the first of all where there is none."""
    return frame.loc[fits.idxmax()]
