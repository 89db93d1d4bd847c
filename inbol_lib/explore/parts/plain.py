"""Tables without widgets, for runs without a person, static sites and other front ends."""

import os
from importlib.util import find_spec

import pandas as pd
from pandas.io.formats.style import Styler

from inbol_lib.progress import progress

LONGEST = 160  # letters of a cell; the rest is cut off


def widgets_work(static: bool | None = None) -> bool:
    """Return whether to show a widget: in an open notebook of Jupyter with ipywidgets.

    Parameters
    ----------
    static : bool, optional
        What the caller asks for instead: True never shows a widget, False always does.
    """
    if static is not None:
        return not static
    # Jupyter's server sets this variable for the kernel of an open notebook.
    opened = "JPY_SESSION_NAME" in os.environ and progress()
    return opened and find_spec("ipywidgets") is not None


def plain_table(frame: pd.DataFrame, view: str, instead: str) -> Styler:
    """Return a table with all its texts escaped, and say in a line what stands in its place.

    Parameters
    ----------
    frame : pd.DataFrame
        Texts and numbers; long texts are cut off at `LONGEST` letters.
    view : str
        Name of the view.
    instead : str
        What the widget would do.
    """
    print(
        f"explore.{view}: a plain table, because widgets are absent here; in JupyterLab {instead}."
    )
    texts = frame.select_dtypes(["object", "str"]).columns
    cut = frame.assign(**{name: frame[name].map(_cut) for name in texts})
    style = cut.style.format(escape="html", precision=1).hide(axis="index")
    return style.format_index(escape="html", axis=1)


def _cut(value: object) -> object:
    long = isinstance(value, str) and len(value) > LONGEST
    return value[: LONGEST - 1] + "…" if long else value
