"""The published sizes of a benchmark, and whether the files at hand have one of them."""

from collections.abc import Sequence
from typing import NamedTuple


class Count(NamedTuple):
    """The size of one published version: its rows, and the base questions taken of them."""

    rows: int
    questions: int | None  # None: not known

    def __str__(self) -> str:
        """Return the size for people, such as "1,566 of 6,624"."""
        if self.questions is None:
            return f"{self.rows:,} rows"
        return f"{self.questions:,} of {self.rows:,}"


def deviation(known: Sequence[Count], rows: int, questions: int) -> str:
    """Describe how a count differs from every published one; "" where it does not."""
    if not known:
        return ""
    if any(count in ((rows, questions), (rows, None)) for count in known):
        return ""
    published = " or ".join(map(str, known))
    return f"{questions:,} questions of {rows:,} rows; published are {published}"
