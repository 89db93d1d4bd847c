"""The published levels of confidence, from which classes follow, but no training data."""

import pandas as pd

from inbol_lib.errors import ParameterError
from inbol_lib.explore.composing.stocks import Stock
from inbol_lib.explore.material import published
from inbol_lib.params import Params
from inbol_lib.study.published_outcomes import LEVELS


def natural(p: Params) -> Stock:
    """Return the published test pool of the model of `p`, as it is before it is balanced.

    Raises
    ------
    ParameterError
        When nothing of this model is published.
    """
    cell = published.parameters(p)
    file = published.folder() / LEVELS
    if not file.is_file():
        raise ParameterError(f"{file} does not exist; the published outcomes come with it")
    levels = pd.read_csv(file)
    levels = levels[levels.model == cell.model]
    inside = levels.loc[levels.index.repeat(levels.questions), ["source", "level"]]
    inside = inside.rename(columns={"level": "confidence"}).reset_index(drop=True)
    note = (
        f"Published levels of {cell.profile}, {cell.model}: the test pool before it is balanced. "
        "What IDK-IT and CA-DPO get needs training questions: run notebooks 01 and 02."
    )
    return Stock(
        cell.replace(delta_known=p.delta_known, delta_unknown=p.delta_unknown), inside, None, note
    )
