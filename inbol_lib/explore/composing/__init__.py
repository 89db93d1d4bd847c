"""Move the thresholds of the classes, and see what they make of the training questions."""

from typing import TYPE_CHECKING

import pandas as pd

from inbol_lib.explore import material
from inbol_lib.explore.composing.published import natural
from inbol_lib.explore.composing.stocks import Sizes, Stock, sizes, stock
from inbol_lib.explore.parts import plain_table, widgets_work
from inbol_lib.params import Params

if TYPE_CHECKING:
    from ipywidgets import VBox
    from pandas.io.formats.style import Styler


def thresholds(
    p: Params, published: bool | None = None, static: bool | None = None
) -> "VBox | Styler":
    """Move `delta_known` and `delta_unknown`; classes and composition follow (paper, Sec. 3.2).

    Nothing is sampled or trained: every question keeps its confidence.

    Parameters
    ----------
    p : Params
        Whose training questions to show, and the thresholds to begin with.
    published : bool, optional
        True shows the published levels of confidence of the model of `p`, False never does. By
        default they are shown where `p` has no artefacts. They hold classes, but not the responses
        from which training data is composed.
    static : bool, optional
        As in `explore.records`; the table shows a few pairs of thresholds.

    Returns
    -------
    ipywidgets.VBox or pandas Styler

    Raises
    ------
    ParameterError
        When there are neither artefacts nor published levels of `p`.
    """
    there = _stock(p, published)
    if widgets_work(static):
        from inbol_lib.explore.composing import panel  # here, because it needs ipywidgets

        return panel.widget(there)
    print(there.note)
    return plain_table(table(there), "thresholds", "sliders move the two thresholds")


def _stock(p: Params, published: bool | None) -> Stock:
    confidence = None if published else material.complete("confidence", p)
    here = confidence is not None
    if material.published_or_not("thresholds", "unanswerable", p, published, here):
        return natural(p)
    return stock(p, confidence, material.complete("unanswerable", p))


def table(there: Stock) -> pd.DataFrame:
    """Return classes and composition at the thresholds of Fig. 10's diagonal and of `there.p`.

    Returns
    -------
    pd.DataFrame
        Columns: delta_known, delta_unknown, the classes, and where they are known `instructions`
        and `pairs` (numbers).
    """
    p = there.p
    tried = [(p.delta_known, p.delta_unknown), (0.6, 0.4), (0.7, 0.3), (0.8, 0.2), (0.9, 0.1)]
    return pd.DataFrame([_line(sizes(there, *pair)) for pair in dict.fromkeys(tried)])


def _line(found: Sizes) -> dict:
    line = {"delta_known": found.p.delta_known, "delta_unknown": found.p.delta_unknown}
    line |= found.classes.sum().to_dict()
    if found.instructions and found.pairs:
        names = ("known", "unknown_intrinsic", "unknown_extrinsic")
        line["instructions"] = sum(found.instructions[name] for name in names)
        line["pairs"] = found.pairs["pairs"]
    return line | ({"trouble": found.trouble} if found.trouble else {})
