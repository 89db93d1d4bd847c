"""Exercises of notebook 09: overlapping intervals, many claims at once, and paired differences."""

from collections.abc import Callable
from typing import Any

import numpy as np

from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict

#: worths of the same questions under two methods: 1 right, 0 refused, -1 wrong
_CASES = (
    (np.array([1.0, -1, -1, 0, 1, -1]), np.array([1.0, 0, -1, 0, 1, 1])),
    (np.array([1.0, 1, 1, -1]), np.array([0.0, 1, 0, -1])),
    (np.array([-1.0, -1, 0, 1, 1, 1, -1, 0]), np.array([0.0, 0, 0, 1, 0, 1, -1, 1])),
)


def overlapping(guess: Any) -> Verdict:
    """Check a guess whether a paired difference can be clear although both intervals overlap."""
    return feedback.word(
        guess,
        True,
        (True, False),
        "Both methods find the same questions hard. That spreads each one's score, and cancels in "
        "their difference.",
        [(False, "Two intervals that overlap do not show that there is no difference.")],
    )


def decided_by_luck(guess: Any, claims: int) -> Verdict:
    """Check a guess of how many claims about nothing are decided at 95 % all the same."""
    return feedback.number(
        guess,
        0.05 * claims,
        0.02 * claims,
        "An interval at 95 % misses the truth once in twenty times, on one side or the other.",
        [
            (0.0, "95 % is not 100 %: now and then an interval misses 0 by chance."),
            (0.95 * claims, "That is how many are left undecided."),
        ],
    )


def paired(function: Callable) -> Verdict:
    """Check a function (before, after) that returns the difference and its standard error."""

    def true(before, after):
        gain = after - before
        return gain.mean(), gain.std(ddof=1) / np.sqrt(len(gain))

    def spread(gain):
        return gain.std(ddof=1)

    return feedback.code(
        function,
        ["before", "after"],
        _CASES,
        true,
        "a question that both methods treat alike adds nothing to the error.",
        [
            (lambda a, b: (-true(a, b)[0], true(a, b)[1]), "The sign: after less before."),
            (
                lambda a, b: (true(a, b)[0], np.sqrt((spread(a) ** 2 + spread(b) ** 2) / len(a))),
                "This error is that of two unrelated tables. These are the same questions: take "
                "the differences first.",
            ),
            (
                lambda a, b: (true(a, b)[0], spread(b - a)),
                "This is the spread of single differences; their mean is surer than one of them.",
            ),
            (
                lambda a, b: (true(a, b)[0], spread(b - a) / len(a)),
                "Divide by the root of the number of questions.",
            ),
            (
                lambda a, b: (true(a, b)[0], (b - a).std() / np.sqrt(len(a))),
                "Almost: the mean was estimated from the same numbers, so the variance divides by "
                "n - 1 (ddof=1).",
            ),
        ],
    )
