"""Questions with their samples and every method's outcome, in columns that filter fast."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from inbol_lib.evaluation import metrics
from inbol_lib.explore.material.pictures import Pictures
from inbol_lib.params import Params
from inbol_lib.report.plots.looks import METHODS

#: columns of the texts behind a question, which are read for the question shown alone
DETAILS = {
    "answers": pa.list_(pa.string()),
    "choices": pa.list_(pa.string()),
    "responses": pa.list_(pa.string()),
    "verdicts": pa.list_(pa.string()),
}
#: what stands for the class where a question has no confidence
NO_CLASS = {True: "unjudged", False: "not estimated"}
#: source -> the words of its questions, None where they are there already
Later = Callable[[str], pd.DataFrame | None]
_KEYS = ["split", "source", "id"]


@dataclass
class Book:
    """All questions of a view, one a row; the tables below share their order.

    Attributes
    ----------
    p
        The parameters that made them.
    frame
        Columns: id, source, split, image_id, question, confidence (in [0, 1] or NaN), kind
        (`kinds`) and answerable.
    details
        The columns `DETAILS`.
    outcomes
        One column per method: a word of `metrics.COUNTS`, missing where it was not asked.
    said
        The responses of the same methods; no columns where responses were not kept.
    pictures
        Finds the picture of a row.
    note
        Where all this comes from, in one line.
    later
        Gives the words of a source's questions, where they are made only when they are needed:
        question, answers and choices, with rows of `frame` as index.
    """

    p: Params
    frame: pd.DataFrame
    details: pa.Table
    outcomes: pd.DataFrame
    said: pd.DataFrame
    pictures: Pictures
    note: str
    later: Later = lambda _: None
    _known: dict[str, pd.DataFrame | None] = field(default_factory=dict, repr=False)
    _spoken: pd.Series | None = field(default=None, repr=False)

    def __len__(self) -> int:
        return len(self.frame)

    @property
    def methods(self) -> list[str]:
        """The methods with outcomes, in the order of every figure."""
        return list(self.outcomes.columns)

    @property
    def spoken(self) -> pd.Series:
        """All samples and responses of each question as one text; made when first searched."""
        if self._spoken is None:
            joined = pc.binary_join(self.details["responses"], "\n")
            text = pd.Series(joined.to_pandas()).fillna("").astype("str")
            for method in self.said:
                text = text + "\n" + self.said[method].fillna("")
            self._spoken = text.astype("str")
        return self._spoken

    def know(self, sources: Iterable[str]) -> None:
        """Make the words of these sources' questions, each source once."""
        for source in dict.fromkeys(sources):
            if source not in self._known:
                self._known[source] = words = self.later(source)
                if words is not None:
                    self.frame.loc[words.index, "question"] = words.question

    def row(self, place: int) -> dict:
        """Return everything about one question, without its picture.

        Returns
        -------
        dict
            The columns of `frame` and `details`, and `methods`: a list of (method, response or
            None, outcome) of those that were asked.
        """
        source = self.frame.source.iat[place]
        self.know([source])
        found = self.frame.iloc[place].to_dict() | self.details.slice(place, 1).to_pylist()[0]
        if self._known[source] is not None:
            words = self._known[source].loc[place, ["answers", "choices"]]
            found |= {name: _listed(value) for name, value in words.items()}
        words = self.outcomes.iloc[place].dropna().to_dict()
        texts = self.said.iloc[place].dropna().to_dict()
        return found | {"methods": [(name, texts.get(name), word) for name, word in words.items()]}


def _listed(value: object) -> list | None:
    return list(value) if isinstance(value, list | tuple | np.ndarray) else None


def made(
    p: Params,
    questions: pa.Table,
    outcomes: pd.DataFrame,
    pictures: Pictures,
    note: str,
    later: Later = lambda _: None,
) -> Book:
    """Join questions with the outcomes of all methods.

    Parameters
    ----------
    p : Params
        Thresholds of the classes.
    questions : pa.Table
        Columns of `Book.frame` but `kind`, and of `DETAILS`; each (split, source, id) once.
    outcomes : pd.DataFrame
        Outcome table of one model and one seed, with or without `response`. A confidence in it
        counts where the question has none of its own.
    pictures : Pictures
    note : str
    later : function
        As in `Book`.
    """
    plain = questions.select([name for name in questions.column_names if name not in DETAILS])
    frame = plain.to_pandas()
    wide = _wide(outcomes, frame)
    frame["kind"] = kinds(frame.confidence, p, _sampled(questions["verdicts"]))
    for name in ("source", "split", "kind"):
        frame[name] = frame[name].astype("category")
    words = wide.get("outcome", pd.DataFrame(index=frame.index))
    said = wide.get("response", pd.DataFrame(index=frame.index))
    return Book(p, frame, questions.select(list(DETAILS)), words, said, pictures, note, later)


def _sampled(verdicts: pa.ChunkedArray) -> np.ndarray:
    """Return whether each question was sampled."""
    return (pc.list_value_length(verdicts).fill_null(0).to_numpy() > 0).astype(bool)


def _wide(outcomes: pd.DataFrame, frame: pd.DataFrame) -> Mapping[str, pd.DataFrame]:
    """Return, for outcome and response, a frame with one column per method in `frame`'s order."""
    if outcomes.empty:
        return {}
    places = pd.MultiIndex.from_frame(frame[_KEYS].astype("str"))
    rows = places.get_indexer(pd.MultiIndex.from_frame(outcomes[_KEYS].astype("str")))
    order = [method for method in METHODS if method in set(outcomes.method)]
    found = {}
    for column in {"outcome", "response"} & set(outcomes.columns):
        values = pd.DataFrame(index=frame.index)
        for method in order:
            mine = (outcomes.method == method).to_numpy() & (rows >= 0)
            texts = np.full(len(frame), None, object)
            texts[rows[mine]] = outcomes[column].to_numpy(object)[mine]
            values[method] = pd.Series(texts, dtype="category" if column == "outcome" else "str")
        found[column] = values
    return found


def kinds(confidence: pd.Series, p: Params, sampled: np.ndarray | bool = True) -> np.ndarray:
    """Return the class of every confidence, by the thresholds of `p` (`metrics.kinds`).

    Parameters
    ----------
    confidence : pd.Series
        Values in [0, 1], or NaN.
    p : Params
        Thresholds.
    sampled : array of bool or bool
        Whether there are samples: without a confidence, a question with samples is "unjudged" and
        one without is "not estimated".

    Returns
    -------
    np.ndarray of str
    """
    without = np.where(sampled, *NO_CLASS.values())
    return metrics.kinds(confidence, p.delta_known, p.delta_unknown, without)
