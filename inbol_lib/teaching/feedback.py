"""How a reader's guess or function is compared with the truth, and what is said about it.

A guess is answered with the truth and its reason, because it has been made. A function is told what
is wrong with it, and never what would be right.
"""

import textwrap
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from numbers import Real
from typing import Any

import numpy as np

WIDTH = 96  # columns of a verdict
SIGNS = {"open": "Not yet", "right": "Right", "wrong": "Not quite"}
#: (what a reader did, what to say about it)
Slips = Sequence[tuple[Any, str]]


@dataclass(frozen=True)
class Verdict:
    """What a checker says.

    Attributes
    ----------
    state : str
        "open" while nothing has been filled in, then "right" or "wrong".
    message : str
        What is said about it.
    """

    state: str
    message: str

    @property
    def passed(self) -> bool:
        """Whether the exercise is solved."""
        return self.state == "right"

    def __repr__(self) -> str:
        return textwrap.fill(f"{SIGNS[self.state]}: {self.message}", WIDTH)


def number(guess: Any, truth: float, within: float, why: str, slips: Slips = ()) -> Verdict:
    """Compare a guessed number with the truth.

    Parameters
    ----------
    guess : Any
        The reader's; None or ... means that there is none yet.
    truth, within : float
        The true number, and how far a guess may be from it.
    why : str
        The reason, told with every guess.
    slips : sequence of (float, str)
        Wrong numbers that readers arrive at, and what is wrong with each; the nearest counts.
    """
    if guess is None or guess is ...:
        return Verdict("open", "replace None by your guess, a number, and run this cell again.")
    if isinstance(guess, bool) or not isinstance(guess, Real) or not np.isfinite(guess):
        return Verdict("wrong", f"a number is asked for, and {guess!r} is none.")
    if abs(guess - truth) <= within:
        return Verdict("right", f"{_shown(truth)}. {why}")
    gaps = [(abs(guess - value), max(within, 0.02 * abs(value)), said) for value, said in slips]
    near = [(gap, said) for gap, tolerance, said in gaps if gap <= tolerance]
    said = min(near)[1] if near else f"That is too {'high' if guess > truth else 'low'}."
    return Verdict("wrong", f"you say {_shown(guess)}, it is {_shown(truth)}. {said} {why}")


def word(guess: Any, truth: str | bool, allowed: Sequence, why: str, slips: Slips = ()) -> Verdict:
    """Compare a guessed word, or True or False, with the truth.

    Parameters
    ----------
    guess : Any
        The reader's; None or ... means that there is none yet.
    truth : str or bool
        What is right.
    allowed : sequence
        Everything that may be guessed.
    why : str
        The reason, told with every guess.
    slips : sequence of (str or bool, str)
        Wrong words, and what is wrong with each.
    """
    choices = " or ".join(repr(one) for one in allowed)
    if guess is None or guess is ...:
        return Verdict("open", f"replace None by {choices}, and run this cell again.")
    if not any(type(guess) is type(one) and guess == one for one in allowed):
        return Verdict("wrong", f"choose {choices}; {guess!r} is none of them.")
    if guess == truth:
        return Verdict("right", why)
    said = " ".join(said for value, said in slips if value == guess)
    return Verdict("wrong", f"it is {truth!r}. {said} {why}".replace("  ", " "))


def code(
    function: Callable,
    names: Sequence[str],
    cases: Sequence[tuple],
    truth: Callable,
    why: str,
    slips: Sequence[tuple[Callable, str]] = (),
) -> Verdict:
    """Compare a reader's function with the true one, without saying what would be right.

    Parameters
    ----------
    function : callable
        The reader's; it returns ... as long as nothing has been filled in.
    names : sequence of str
        What its arguments are called.
    cases : sequence of tuple
        Arguments to try.
    truth : callable
        The true function.
    why : str
        What is said when all cases agree.
    slips : sequence of (callable, str)
        Functions with a typical mistake, and what is said to a reader whose function agrees with
        one of them in all cases.
    """
    results = []
    for case in cases:
        given = ", ".join(
            f"{name} = {_shown(value)}" for name, value in zip(names, case, strict=True)
        )
        try:
            result = function(*case)
        except Exception as error:  # the reader's own code may raise anything
            return Verdict("wrong", f"with {given} it raises {type(error).__name__}: {error}.")
        if result is ...:
            return Verdict("open", "replace the dots by your code, and run this cell again.")
        if result is None:
            return Verdict("wrong", f"with {given} it returns None. Is there a `return`?")
        results.append((given, result))
    wanted = [truth(*case) for case in cases]
    failed = [
        (given, r, w) for (given, r), w in zip(results, wanted, strict=True) if not same(r, w)
    ]
    if not failed:
        return Verdict("right", why)
    for slip, said in slips:
        mistaken = [slip(*case) for case in cases]
        if all(same(r, m) for (_, r), m in zip(results, mistaken, strict=True)):
            return Verdict("wrong", said)
    return Verdict("wrong", _difference(*failed[0]))


def same(result: Any, wanted: Any) -> bool:
    """Return whether two results agree: words exactly, numbers up to rounding, shapes included."""
    if isinstance(wanted, str | bool):
        return isinstance(result, str | bool | np.bool_) and result == wanted
    numbers = _numbers(result)
    if numbers is None or numbers.shape != np.shape(wanted):
        return False
    return bool(np.allclose(numbers, _numbers(wanted), rtol=1e-3, atol=1e-6))


def _numbers(result: Any) -> np.ndarray | None:
    """Return a number, sequence or tensor as an array, and None for what is none of them."""
    try:
        return np.asarray(result.detach() if hasattr(result, "detach") else result, float)
    except (TypeError, ValueError):
        return None


def _difference(given: str, result: Any, wanted: Any) -> str:
    """Say how a result differs from the wanted one, without telling that one."""
    start = f"with {given} it returns {_shown(result)}"
    if isinstance(wanted, str | bool):
        return f"{start}, and that is not right."
    numbers = _numbers(result)
    if numbers is None:
        return f"{start}, where numbers are wanted."
    if numbers.shape != np.shape(wanted):
        return f"{start}: shape {numbers.shape}, where {np.shape(wanted)} is wanted."
    if not np.isfinite(numbers).all():
        return f"{start}; every number must be finite."
    gaps = np.ravel(numbers - np.asarray(wanted, float))
    worst = int(np.argmax(np.abs(gaps)))
    place = f" (number {worst + 1} of it)" if gaps.size > 1 else ""
    return f"{start}, which is too {'high' if gaps[worst] > 0 else 'low'}{place}."


def _shown(value: Any) -> str:
    """Return a value as a reader would write it."""
    if isinstance(value, Real) and not isinstance(value, bool):
        return f"{value:.4g}" if abs(value) < 10_000 else f"{value:,.0f}"
    if isinstance(value, np.ndarray):
        return str(np.round(value, 4).tolist())
    return repr(value)
