"""Tables as a notebook shows them to a reader."""

import numpy as np
import pandas as pd

from inbol_lib.report.plots.looks import METHODS, NAMED, SELECTIVE


def shown(table: pd.DataFrame, decimals: int = 1) -> pd.DataFrame:
    """Return a table as a reader wants it: rounded, with a dash where there is no number.

    Methods have the names of the figures, and rows that are only counted have none.

    Parameters
    ----------
    table : pd.DataFrame
    decimals : int
        Of numbers; a column of whole ones shows none.
    """
    rounded = table.round(decimals).convert_dtypes()
    texts = rounded.astype(object).where(rounded.notna(), "–")
    texts = texts.replace({np.inf: "∞", -np.inf: "−∞"})
    labels = {name: look.label for name, look in {**METHODS, **SELECTIVE}.items()}
    for column in texts.columns.intersection(NAMED):
        texts[column] = texts[column].replace(labels)
    if table.index.name == "method":
        return texts.rename(index=labels)
    counted = pd.api.types.is_integer_dtype(table.index)
    return texts.set_axis([""] * len(texts)) if counted else texts
