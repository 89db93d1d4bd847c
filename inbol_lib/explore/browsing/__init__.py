"""Browse questions: picture, gold answer, samples, and every method's answer side by side."""

from typing import TYPE_CHECKING

import pandas as pd

from inbol_lib.explore import material
from inbol_lib.explore.browsing.browser import Browser
from inbol_lib.explore.browsing.filtering import Wanted
from inbol_lib.explore.parts import plain_table, widgets_work
from inbol_lib.params import Params
from inbol_lib.report.plots.looks import OUTCOMES, label

if TYPE_CHECKING:
    from ipywidgets import VBox
    from pandas.io.formats.style import Styler

ROWS = 12  # questions in the plain table


def records(
    p: Params, published: bool | None = None, static: bool | None = None, **wanted: str
) -> "VBox | Styler":
    """Browse the questions of `p`, their samples, and what every method answers (ours).

    Parameters
    ----------
    p : Params
        Whose artefacts to show; nothing is made or sampled.
    published : bool, optional
        True shows the published outcomes of the model and seed of `p`, False never does. By
        default they are shown where `p` has no artefacts.
    static : bool, optional
        True returns a plain table, False the widget. By default the widget is returned where
        widgets work.
    **wanted
        What to begin with: any of `Wanted`, such as source="oven", kind="mixed",
        differ=("idk_it", "ca_dpo") or asked="color".

    Returns
    -------
    ipywidgets.VBox or pandas Styler
        The table holds the first `ROWS` questions that are wanted.

    Raises
    ------
    ParameterError
        When there is nothing to show, or `wanted` holds what does not occur.
    """
    browser = Browser(material.book(p, published), Wanted(**wanted))
    if widgets_work(static):
        from inbol_lib.explore.browsing import panel  # here, because it needs ipywidgets

        return panel.widget(browser)
    print(browser.book.note)
    return plain_table(
        table(browser, ROWS), "records", "this is a browser with filters and pictures"
    )


def table(browser: Browser, n: int) -> pd.DataFrame:
    """Return the first `n` questions that are wanted: texts, confidence in [0, 1], and answers."""
    rows = [browser.book.row(int(place)) for place in browser.places[:n]]
    lines = []
    for row in rows:
        line = {name: row[name] for name in ("source", "question", "confidence")}
        line |= {"class": row["kind"], "gold": ", ".join(row["answers"] or ())}
        line["samples"] = " | ".join(row["responses"] or ())
        for method, text, outcome in row["methods"]:
            line[label(method)] = f"{OUTCOMES[outcome].sign} {text or ''}".strip()
        lines.append(line)
    return pd.DataFrame(lines).fillna({"confidence": float("nan")})
