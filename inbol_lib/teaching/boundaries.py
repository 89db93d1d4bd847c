"""Exercises of notebook 02: which made questions stay, and what a verifier that errs lets pass."""

from collections.abc import Callable
from itertools import product
from typing import Any

from inbol_lib.boundary.unanswerable import passes
from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict


def swap_between_circles(guess: Any) -> Verdict:
    """Check a guess whether a swapped question that the new image does answer stays."""
    return feedback.word(
        guess,
        bool(passes([False, False, False])),
        (True, False),
        "A swap is no proof: the other picture may answer the question as well. None of the three "
        "checks says yes then, and the question is dropped.",
        [(True, "The question fits this picture, too.")],
    )


def kept_share(guess: Any, unanswerable: float, caught: float, passed: float) -> Verdict:
    """Check a guess of the share of kept questions that are really unanswerable.

    Parameters
    ----------
    guess : Any
        A share in [0, 1].
    unanswerable : float
        Share of the made questions that really are.
    caught, passed : float
        Share of these, and of the answerable ones, that the verifier lets stay.
    """
    good, bad = unanswerable * caught, (1 - unanswerable) * passed
    return feedback.number(
        guess,
        good / (good + bad),
        0.015,
        "Of 100 made questions "
        f"{100 * good:.0f} stay rightly and {100 * bad:.0f} wrongly; the share is of those that "
        "stay.",
        [
            (caught, "That is how many of the unanswerable ones stay, not how many of the kept."),
            (unanswerable, "That is the share before anything is verified."),
            (good, "That is the share of all that were made; divide by what stays."),
            (1 - passed, "That is how many of the answerable ones are dropped."),
        ],
    )


def stays(function: Callable) -> Verdict:
    """Check a function (checks, refused) that says whether a made question stays."""

    def true(checks, refused):
        return passes(checks) is True and not refused

    every = [list(checks) for checks in product((True, False, None), repeat=3)]
    return feedback.code(
        function,
        ["checks", "refused"],
        [(checks, refused) for refused in (False, True) for checks in every],
        true,
        "one yes is enough, an unreadable answer is no yes, and what is refused anyway goes.",
        [
            (
                lambda c, refused: all(c) and not refused,
                "All three checks must say yes here; one is enough.",
            ),
            (
                lambda c, refused: any(c),
                "What the original model refuses anyway teaches nothing; `refused` is not used.",
            ),
            (
                lambda c, refused: any(c) and refused,
                "It keeps what the model refuses already, and drops the rest.",
            ),
            (
                lambda c, refused: any(x is not False for x in c) and not refused,
                "None is an answer that could not be read. It must not count as yes.",
            ),
            (
                lambda c, refused: None not in c and any(c) and not refused,
                "One clear yes is enough, even if another answer could not be read.",
            ),
            (
                lambda c, refused: not any(c) and not refused,
                "The checks are exchanged: yes means that the question is unanswerable.",
            ),
        ],
    )
