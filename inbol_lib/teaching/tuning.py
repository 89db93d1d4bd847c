"""Exercises of notebook 04: which tokens are in the loss, and how few weights LoRA trains."""

from collections.abc import Callable
from typing import Any

import numpy as np

from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict
from inbol_lib.training.collating import IGNORE

_CASES = (
    (np.array([-3.0, -2.0, -0.5, -1.5]), np.array([IGNORE, IGNORE, 7, 2])),
    (np.array([-0.1, -0.2, -0.4]), np.array([5, 6, 2])),
    (np.array([-1.0, -9.0, -4.0, -0.5, -0.3]), np.array([IGNORE] * 4 + [2])),
)


def in_the_loss(guess: Any, prompt: int, response: int) -> Verdict:
    """Check a guess of how many tokens the loss sees.

    Parameters
    ----------
    guess : Any
        The reader's number.
    prompt, response : int
        Tokens of the prompt, those of the image included, and of the response without its end.
    """
    return feedback.number(
        guess,
        response + 1,
        0.1,
        "The response and the token that ends it. The prompt and the image are read, not learnt.",
        [
            (response, "The token that ends the response has to be learnt, too."),
            (prompt + response + 1, "The prompt is given; only the response is to be learnt."),
            (prompt + response, "The prompt is given; only the response is to be learnt."),
        ],
    )


def trained_share(guess: Any, width: int, rank: int) -> Verdict:
    """Check a guess of the share of a square layer's weights that LoRA adds and trains."""
    return feedback.number(
        guess,
        2 * rank / width,
        0.1 * rank / width,
        f"A is {rank} x {width} and B {width} x {rank}: {2 * rank * width:,} weights beside "
        f"{width * width:,}.",
        [
            (rank / width, "There are two thin matrices, A and B."),
            (200 * rank / width, "That is in percent; a share is asked for."),
            ((rank / width) ** 2, "A and B are thin, not small: one side has the whole width."),
        ],
    )


def response_loss(function: Callable) -> Verdict:
    """Check a function (logps, labels) that returns the mean loss of the response's tokens."""

    def true(logps, labels):
        return -logps[labels != IGNORE].mean()

    return feedback.code(
        function,
        ["logps", "labels"],
        _CASES,
        true,
        "only tokens whose label is not -100 count, and each counts the same.",
        [
            (lambda x, y: -x.mean(), "The prompt is in the mean: leave out the labels -100."),
            (lambda x, y: -true(x, y), "Mind the sign: likely tokens must have a small loss."),
            (
                lambda x, y: -x[y != IGNORE].sum(),
                "This is a sum: a long response would count more than a short one.",
            ),
            (
                lambda x, y: -x[y != IGNORE].sum() / len(x),
                "The sum is right; divide by the number of tokens in it, not by all.",
            ),
            (lambda x, y: np.exp(true(x, y)), "This is the perplexity, exp of the loss."),
        ],
    )
