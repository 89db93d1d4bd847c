"""Exercises of notebooks 01 and 03: what samples can tell, and the classes made of them."""

import math
from collections.abc import Callable
from typing import Any

from scipy.stats import binom, binomtest

from inbol_lib.boundary import classes
from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict

Z = 1.96  # of a 95 % interval
_CLASSES = ("known", "mixed", "unknown")
_SETTINGS = ((0.8, 0.2), (0.7, 0.4), (0.5, 0.1))


def called_known(guess: Any, chance: float, samples: int, delta_known: float) -> Verdict:
    """Check a guess of how often a question is called known.

    Parameters
    ----------
    guess : Any
        A share in [0, 1].
    chance : float
        The true chance of a right response.
    samples : int
        Responses per question.
    delta_known : float
        The threshold, inclusive.
    """
    least = math.ceil(delta_known * samples - 1e-9)
    return feedback.number(
        guess,
        float(binom.sf(least - 1, samples, chance)),
        0.08,
        f"It is the chance of at least {least} right of {samples}: the upper end of the binomial "
        "distribution. A guess within 0.08 counts.",
        [
            (0.0, "A chance below the threshold does not keep the count below it."),
            (chance, "That is the chance of one right response, not that of so many."),
            (1.0, "Nothing that is drawn at random is certain."),
        ],
    )


def all_right(guess: Any, samples: int) -> Verdict:
    """Check a guess of the lower end of the 95 % Wilson interval when all samples are right."""
    truth = binomtest(samples, samples).proportion_ci(method="wilson").low
    return feedback.number(
        guess,
        truth,
        0.05,
        f"So {samples} right of {samples} are still compatible with a model that errs now and "
        "then. A guess within 0.05 counts.",
        [
            (1.0, "A sample without errors does not prove that there are none."),
            (0.95, "The 95 % belong to the procedure, not to the question."),
        ],
    )


def wilson(function: Callable) -> Verdict:
    """Check a function (right, n) that returns both ends of the 95 % Wilson interval."""

    def true(right, n, z=Z):
        share, stretch = right / n, 1 + z**2 / n
        centre = (share + z**2 / (2 * n)) / stretch
        half = z * math.sqrt(share * (1 - share) / n + z**2 / (4 * n**2)) / stretch
        return centre - half, centre + half

    def simple(right, n):
        half = Z * math.sqrt(right / n * (1 - right / n) / n)
        return right / n - half, right / n + half

    def unstretched(right, n):
        low, high = true(right, n)
        return low * (1 + Z**2 / n), high * (1 + Z**2 / n)

    return feedback.code(
        function,
        ["right", "n"],
        [(7, 10), (0, 10), (10, 10), (3, 5), (50, 200)],
        true,
        "it stays inside [0, 1], and at 0 or n right it still has a width.",
        [
            (simple, "This is the simple interval around right / n. What is its width at n of n?"),
            (unstretched, "The denominator 1 + z^2 / n is missing."),
            (lambda k, n: true(k, n)[::-1], "Both ends are right; return the lower one first."),
            (lambda k, n: true(k, n, 1.645), "With z = 1.645 it covers 90 %, not 95 %."),
            (
                lambda k, n: tuple(100 * end for end in true(k, n)),
                "Shares are wanted, not percent.",
            ),
        ],
    )


def on_the_edge(guess: Any) -> Verdict:
    """Check a guess of the class of a question whose confidence equals the lower threshold."""
    return feedback.word(
        guess,
        classes.classify(0.2, 0.8, 0.2),
        _CLASSES,
        "Both thresholds are inclusive (paper, Sec. 3.2).",
        [
            ("mixed", "Mixed lies strictly between the thresholds."),
            ("known", "Known begins at the upper threshold."),
        ],
    )


def pairs(guess: Any) -> Verdict:
    """Check a guess of the pairs that 8,000 questions make at unknown : mixed : known = 1:1:2."""
    return feedback.number(
        guess,
        2000 + 2 * 2000 + 4000,
        1,
        "2,000 questions are unknown, 2,000 mixed and 4,000 known, and each mixed one makes two "
        "pairs: right over wrong, refusal over wrong.",
        [
            (8000, "A mixed question makes two pairs."),
            (16000, "Only mixed questions make two different pairs."),
            (12000, "Of 1 + 1 + 2 parts only one is mixed."),
        ],
    )


def classify(function: Callable) -> Verdict:
    """Check a function (value, delta_known, delta_unknown) that returns a question's class."""

    def strict(value, known, unknown):
        return "known" if value > known else "unknown" if value < unknown else "mixed"

    def half_strict(value, known, unknown):
        return "known" if value >= known else "unknown" if value < unknown else "mixed"

    def swapped(value, known, unknown):
        names = {"known": "unknown", "unknown": "known", "mixed": "mixed"}
        return names[classes.classify(value, known, unknown)]

    return feedback.code(
        function,
        ["value", "delta_known", "delta_unknown"],
        [(level / 10, *setting) for setting in _SETTINGS for level in range(11)],
        classes.classify,
        "your classes are those of the library, thresholds included.",
        [
            (strict, "Look at values that equal a threshold: they belong to the outer classes."),
            (half_strict, "Look at values that equal delta_unknown."),
            (swapped, "Known and unknown are exchanged."),
            (
                lambda value, known, unknown: classes.classify(value, 0.8, 0.2),
                "The thresholds are 0.8 and 0.2, whatever is given; use the arguments.",
            ),
        ],
    )
