"""Exercises of notebook 08: where chance lies, and what fits noise."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.stats import binom

from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict

_CASES = (
    (0.9, np.array([0.5, 0.6, 0.4, 0.55])),
    (0.6, np.array([0.5, 0.6, 0.7, 0.4, 0.6])),
    (0.3, np.array([0.5, 0.4, 0.6])),
)


def coins(guess: Any, questions: int) -> Verdict:
    """Check a guess of the accuracy that only one in forty tosses of coins exceeds."""
    return feedback.number(
        guess,
        float(binom.ppf(0.975, questions, 0.5) / questions),
        0.02,
        f"The standard error of a share of {questions} is half of one over their root, and two of "
        "them are what chance gives easily. A guess within 0.02 counts.",
        [
            (0.5, "Half is the mean of many coins; a single row of tosses strays from it."),
            (0.975, "That is the share of rows, not the accuracy."),
        ],
    )


def noise(guess: Any) -> Verdict:
    """Check a guess of a linear probe's training accuracy on noise with more features than rows."""
    return feedback.number(
        guess,
        1.0,
        0.02,
        "As soon as there are as many features as questions, a plane separates any labels, also "
        "random ones. Training accuracy says nothing then.",
        [(0.5, "That is what it reaches on new questions; those it was trained on it remembers.")],
    )


def p_value(function: Callable) -> Verdict:
    """Check a function (accuracy, shuffled) that returns the share of shuffles as good."""

    def at_least(accuracy, shuffled):
        return np.sum(shuffled >= accuracy)

    return feedback.code(
        function,
        ["accuracy", "shuffled"],
        _CASES,
        lambda a, s: (1 + at_least(a, s)) / (1 + len(s)),
        "the real labels count as one more shuffle, so the value is never 0.",
        [
            (
                lambda a, s: at_least(a, s) / len(s),
                "Without shuffles as good this is 0. A few shuffles can not show that: count the "
                "real labels as one of them.",
            ),
            (lambda a, s: (1 + np.sum(s > a)) / (1 + len(s)), "A tie is as good, too."),
            (
                lambda a, s: (1 + np.sum(s <= a)) / (1 + len(s)),
                "Count the shuffles that are as good, not those that are as bad.",
            ),
            (
                lambda a, s: (1 + at_least(a, s)) / len(s),
                "If the real labels count above the line, they count below it, too.",
            ),
        ],
    )
