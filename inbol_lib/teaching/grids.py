"""Exercises of notebook 07: how many cells, how lucky the best of them is, and their score."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.integrate import quad
from scipy.stats import norm

from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict

_CASES = (
    (np.array([10.0, 20.0, 15.0]), np.array([-5.0, 0.0, 5.0])),
    (np.array([3.0, 1.0]), np.array([40.0, 60.0])),
    (np.array([-4.0, -2.0, 0.0, 4.0]), np.array([1.0, 2.0, 0.0, -1.0])),
)


def cells(guess: Any, levels: int) -> Verdict:
    """Check a guess of the number of cells with delta_known above delta_unknown."""
    return feedback.number(
        guess,
        levels * (levels - 1) / 2,
        0.1,
        f"Each pair of different levels can stand in one order: {levels} * {levels - 1} / 2.",
        [
            (levels**2, "That counts all pairs, in both orders and with equal levels."),
            (levels * (levels - 1), "That counts both orders; one of them is not allowed."),
            (levels * (levels + 1) / 2, "Equal levels are counted here: they leave no room."),
        ],
    )


def best_of_equals(number: int) -> float:
    """Return how far the best of `number` equal cells lies above the truth on average.

    In units of one cell's standard error, if errors are normal and independent.
    """
    return quad(lambda x: x * number * norm.pdf(x) * norm.cdf(x) ** (number - 1), -10, 10)[0]


def luck(guess: Any, number: int, error: float) -> Verdict:
    """Check a guess of how many points the best of equal cells lies above the truth on average."""
    return feedback.number(
        guess,
        error * best_of_equals(number),
        0.4 * error,
        f"Nobody is better, but the best of {number} is chosen by its luck. A guess within "
        f"{0.4 * error:g} counts.",
        [
            (0.0, "Each cell is right on average; the one that is chosen for being high is not."),
            (error, "That is the error of one cell; the highest of many lies further out."),
        ],
    )


def scores(function: Callable) -> Verdict:
    """Check a function (inside, outside) that returns the score of every cell of Fig. 10."""

    def stretched(values):
        return (values - values.min()) / (values.max() - values.min())

    def true(inside, outside):
        return (stretched(inside) + stretched(outside)) / 2

    def together(inside, outside):
        both = np.concatenate([inside, outside])
        low, high = both.min(), both.max()
        return ((inside - low) / (high - low) + (outside - low) / (high - low)) / 2

    return feedback.code(
        function,
        ["inside", "outside"],
        _CASES,
        true,
        "both parts run from 0 to 1 and count the same.",
        [
            (lambda a, b: stretched(a) + stretched(b), "Take the mean of the two, not their sum."),
            (together, "Each part has a smallest and a largest value of its own."),
            (lambda a, b: stretched((a + b) / 2), "Normalise first, then take the mean."),
            (lambda a, b: (a + b) / 2, "Nothing is normalised yet."),
            (lambda a, b: (a / a.max() + b / b.max()) / 2, "Take off the smallest value first."),
            (lambda a, b: stretched(a), "Only the first part is used."),
        ],
    )
