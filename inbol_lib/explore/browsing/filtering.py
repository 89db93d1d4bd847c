"""Which questions of a book to show: every filter is one mask over its rows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from inbol_lib.errors import ParameterError
from inbol_lib.evaluation.metrics import COUNTS
from inbol_lib.explore.material import Book

#: any two methods that were asked
ANY = ("*", "*")


@dataclass(frozen=True)
class Wanted:
    """What to show; what is left empty leaves nothing out.

    Attributes
    ----------
    source, split, kind : str
        Values of these columns of `Book.frame`.
    method, outcome : str
        Questions on which the method has the outcome; any method where only the outcome is
        given, and whatever outcome where only the method is.
    differ : pair of str
        Two methods with different outcomes; `ANY` takes any two.
    asked, spoken : str
        Words in the question, and in any sample or response; capitals do not matter.
    """

    source: str = ""
    split: str = ""
    kind: str = ""
    method: str = ""
    outcome: str = ""
    differ: tuple[str, str] | tuple[()] = ()
    asked: str = ""
    spoken: str = ""


def mask(book: Book, wanted: Wanted) -> np.ndarray:
    """Return which rows of a book are wanted, as booleans of shape (rows,).

    Raises
    ------
    ParameterError
        For a value that does not occur in the book; the message lists those that do.
    """
    check(book, wanted)
    found = np.ones(len(book), bool)
    for name in ("source", "split", "kind"):
        if getattr(wanted, name):
            found &= (book.frame[name] == getattr(wanted, name)).to_numpy()
    if wanted.method or wanted.outcome:
        found &= _with_outcome(book.outcomes, wanted.method, wanted.outcome)
    if wanted.differ:
        found &= differing(book.outcomes, wanted.differ)
    if wanted.asked:
        book.know(book.frame.source.cat.categories)
        found &= _holds(book.frame.question, wanted.asked)
    if wanted.spoken:
        found &= _holds(book.spoken, wanted.spoken)
    return found


def check(book: Book, wanted: Wanted) -> None:
    """Refuse values that do not occur in a book.

    Raises
    ------
    ParameterError
        The message says which value was given and which are allowed.
    """
    allowed = {name: list(book.frame[name].cat.categories) for name in ("source", "split", "kind")}
    allowed |= {"method": book.methods, "outcome": list(COUNTS)}
    given = [(name, getattr(wanted, name)) for name in allowed]
    if wanted.differ and wanted.differ != ANY:
        given += [("method", method) for method in wanted.differ]
    for name, value in given:
        if value and value not in allowed[name]:
            listed = ", ".join(allowed[name]) or "(none)"
            raise ParameterError(f"{name}: given {value!r}; here there are {listed}")


def _with_outcome(outcomes: pd.DataFrame, method: str, outcome: str) -> np.ndarray:
    columns = [method] if method else list(outcomes.columns)
    hits = [
        (outcomes[name] == outcome if outcome else outcomes[name].notna()).to_numpy()
        for name in columns
    ]
    return np.any(hits, axis=0) if hits else np.zeros(len(outcomes), bool)


def differing(outcomes: pd.DataFrame, pair: tuple[str, str]) -> np.ndarray:
    """Return on which rows methods come to different outcomes.

    Parameters
    ----------
    outcomes : pd.DataFrame
        `Book.outcomes`.
    pair : pair of str
        Two methods that were both asked, or `ANY`.
    """
    names = list(outcomes.columns) if pair == ANY else list(pair)
    columns = [pd.Categorical(outcomes[name], COUNTS).codes for name in names]
    codes = np.stack([*columns, np.full(len(outcomes), -1)]).astype(int)
    asked = codes >= 0
    lowest = np.where(asked, codes, len(COUNTS)).min(axis=0)
    return (lowest < codes.max(axis=0)) & (asked.sum(axis=0) >= 2)


def _holds(texts: pd.Series, words: str) -> np.ndarray:
    return texts.str.contains(words, case=False, regex=False).fillna(False).to_numpy(bool)
