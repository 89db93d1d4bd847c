"""Fig. 1: the three types of questions, and what training changes about them."""

import matplotlib.pyplot as plt
import pandas as pd
from datasets import Dataset

from inbol_lib.params import Params
from inbol_lib.report.plots import charts, looks, pictures
from inbol_lib.report.plots.illustrations.drawing import BOLD, Words, framed, show, stack
from inbol_lib.report.plots.illustrations.examples import Drawn, classes, first
from inbol_lib.report.plots.pictures import wrap

#: class -> heading (paper, Fig. 1)
TYPES = {
    "known": "Type 1: the model knows it,\nso it should answer",
    "unknown": "Type 2: the model does not\nknow it, so it should refuse",
    "unanswerable": "Type 3: the image does not\nhold it, so it should refuse",
}


def boundaries(p: Params, rows: Dataset, outcomes: pd.DataFrame) -> Drawn:
    """Draw a test question of each type and what the first and the last of `p.methods` say.

    Under each question stands what both methods make of all questions of its type. Rule: the last
    method answers correctly (type 1), or refuses where the first is wrong (types 2 and 3).

    Parameters
    ----------
    p : Params
    rows : Dataset
        The in-domain test questions, as `test_sets.test_set` makes them.
    outcomes : pd.DataFrame
        The outcomes of one model and one seed.
    """
    before, after = p.methods[0], p.methods[-1]
    methods = list(dict.fromkeys((before, after)))
    asked = classes(rows, p)
    said = outcomes.drop_duplicates(["id", "method"]).pivot(
        index="id", columns="method", values=["outcome", "response"]
    )
    figure, drawn = plt.figure(figsize=(14.5, 10.4)), []
    for panel, (kind, heading) in zip(figure.subfigures(1, len(TYPES)), TYPES.items(), strict=True):
        these = asked[asked.kind == kind]
        if these.empty:
            continue
        row = _example(these, said.outcome, before, after)
        picture, texts, bars = panel.subplots(3, 1, height_ratios=[3.2, 3.2, 2])
        show(rows[int(row.row)]["image"], picture)
        picture.set_title(heading)
        _question_and_responses(row, said, methods, texts)
        shares = _outcome_shares(these, said.outcome, methods)
        charts.outcome_bars(shares.rename(index=looks.label), bars, 12)
        bars.set_xlabel(f"% of all {len(these):,} such questions")
        drawn += _drawn_lines(row, said, shares, len(these))
    _add_legend(figure)
    return figure, pd.DataFrame(drawn)


def _example(these: pd.DataFrame, words: pd.DataFrame, before: str, after: str) -> pd.Series:
    """Return the question that is shown; `words` has the outcome of each id and method."""
    words = words.loc[these.id].set_axis(these.index)
    if these.kind.iloc[0] == "known":
        return first(these, words[after] == "correct")
    return first(these, (words[after] == "refusal") & (words[before] == "incorrect"))


def _outcome_shares(these: pd.DataFrame, words: pd.DataFrame, methods: list[str]) -> pd.DataFrame:
    """Return the share of each outcome in percent, one row per method."""
    counted = words.loc[these.id, methods].apply(pd.Series.value_counts, normalize=True)
    return (100 * counted).T.fillna(0)


def _truth(row: pd.Series) -> str:
    if len(row.answers) == 0:
        return "not in the image"
    return wrap(", ".join(dict.fromkeys(row.answers)), longest=50)


def _question_and_responses(
    row: pd.Series, said: pd.DataFrame, methods: list[str], ax: plt.Axes
) -> None:
    items = [Words(wrap(row.question, 28, 100), BOLD), Words(wrap(f"truth: {_truth(row)}"))]
    for method in methods:
        response, outcome = (
            str(said[name].loc[row.id, method]) for name in ("response", "outcome")
        )
        items.append(framed(pictures.spoken(method, response, outcome), outcome))
    stack(ax, items)


def _drawn_lines(
    row: pd.Series, said: pd.DataFrame, shares: pd.DataFrame, questions: int
) -> list[dict]:
    """Return what is drawn of one type, a line per method."""
    return [
        {
            "type": row.kind,
            "id": row.id,
            "question": row.question,
            "truth": _truth(row),
            "method": method,
            "response": str(said.response.loc[row.id, method]),
            "outcome": str(said.outcome.loc[row.id, method]),
            "questions": questions,
            **shares.loc[method],
        }
        for method in shares.index
    ]


def _add_legend(figure: plt.Figure) -> None:
    """Add one legend with every outcome that some bar shows."""
    keys = {}
    for ax in figure.axes:
        handles, words = ax.get_legend_handles_labels()
        keys |= dict(zip(words, handles, strict=True))
    figure.legend(keys.values(), keys, loc="outside lower center", ncols=4)
