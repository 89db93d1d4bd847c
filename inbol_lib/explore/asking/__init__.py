"""Ask a question of your own: about a picture of the world, of a file, or of a few words."""

from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd
from PIL import Image

from inbol_lib.explore.asking.answering import Asker, Shown
from inbol_lib.explore.asking.showing import of_file, of_picture, of_words
from inbol_lib.explore.parts import plain_table, widgets_work
from inbol_lib.params import Params
from inbol_lib.report.plots.looks import OUTCOMES, label

if TYPE_CHECKING:
    from ipywidgets import VBox
    from pandas.io.formats.style import Styler


def ask(
    p: Params,
    question: str = "What color is the circle?",
    picture: str | Path | Image.Image = "",
    words: str = "a red circle left of a blue square",
    answer: str = "",
    static: bool | None = None,
) -> "VBox | Styler":
    """Ask the model of `p`, and every method that is trained, a question of your own (ours).

    The model is loaded with the first question; nothing is trained.

    Parameters
    ----------
    p : Params
        Model, sampling, judge and thresholds.
    question : str
        What to begin with.
    picture : path or PIL.Image.Image, optional
        The picture to begin with; without one it is drawn from `words`.
    words : str
        What a drawn picture shows.
    answer : str
        The right answers, with commas between them; without one nothing is right or wrong.
    static : bool, optional
        As in `explore.records`; the table answers this one question.

    Returns
    -------
    ipywidgets.VBox or pandas Styler

    Raises
    ------
    ParameterError
        When the picture or the question cannot be used; the widget shows the message instead.
    """
    asker = Asker(p)
    if widgets_work(static):
        from inbol_lib.explore.asking import panel  # here, because it needs ipywidgets

        return panel.widget(asker, _begin(picture, words), question, words, answer)
    found, notes = asker.ask(_begin(picture, words), question, answer)
    print(*notes, sep="\n", end="\n" if notes else "")
    return plain_table(table(found), "ask", "you ask what you like about any picture")


def _begin(picture: str | Path | Image.Image, words: str) -> Shown:
    if isinstance(picture, Image.Image):
        return of_picture(picture)
    return of_file(picture) if picture else of_words(words)


def table(row: dict) -> pd.DataFrame:
    """Return a line for the samples and for each method: who answered, outcome, and response."""
    signs = [OUTCOMES[word].sign for word in row["verdicts"]]
    said = [f"{sign} {text}" for sign, text in zip(signs, row["responses"], strict=True)]
    value = row["confidence"]
    given = f"{row['kind']}, confidence {value:.2f}" if value == value else row["kind"]
    lines = [(row["question"], "samples", given, " | ".join(said))]
    lines += [("", label(name), OUTCOMES[word].word, text) for name, text, word in row["methods"]]
    return pd.DataFrame(lines, columns=["question", "who", "outcome", "response"])
