"""How guesses and functions are compared, whatever the exercise."""

import numpy as np
import pytest
import torch

from inbol_lib.teaching import feedback


def double(function):
    return feedback.code(
        function,
        ["x"],
        [(1.0,), (3.0,)],
        lambda x: 2 * x,
        "it doubles.",
        [(lambda x: x / 2, "It halves.")],
    )


@pytest.mark.parametrize("guess", [None, ...])
def test_what_is_not_filled_in_is_no_mistake(guess):
    for verdict in (
        feedback.number(guess, 1, 0.1, "because"),
        feedback.word(guess, True, (True, False), "because"),
    ):
        assert verdict.state == "open"
        assert not verdict.passed
        assert repr(verdict).startswith("Not yet: replace None")
    assert double(lambda x: ...).state == "open"


def test_a_number_is_right_within_its_tolerance_and_told_its_reason():
    assert feedback.number(1.05, 1, 0.1, "because").passed
    assert feedback.number(np.float32(1), 1, 0.1, "because").passed
    assert repr(feedback.number(1, 1, 0.1, "because")) == "Right: 1. because"


def test_the_nearest_slip_speaks_and_else_the_direction():
    slips = [(2.0, "Twice."), (2.1, "More than twice.")]
    assert "Twice." in feedback.number(2.02, 1, 0.1, "because", slips).message
    assert "More than twice." in feedback.number(2.09, 1, 0.1, "because", slips).message
    assert "too high" in feedback.number(9, 1, 0.1, "because", slips).message
    assert "too low" in feedback.number(-9, 1, 0.1, "because", slips).message


@pytest.mark.parametrize("guess", ["a half", True, float("nan"), [1]])
def test_what_is_no_number_is_said_to_be_none(guess):
    verdict = feedback.number(guess, 1, 0.1, "because")
    assert verdict.state == "wrong"
    assert "number" in verdict.message


def test_a_word_is_one_of_those_allowed():
    allowed = ("yes", "no")
    assert feedback.word("yes", "yes", allowed, "because").passed
    assert "none of them" in feedback.word("perhaps", "yes", allowed, "because").message
    wrong = feedback.word("no", "yes", allowed, "because", [("no", "Think.")])
    assert (wrong.state, wrong.message) == ("wrong", "it is 'yes'. Think. because")
    assert "none of them" in feedback.word(1, True, (True, False), "because").message


def test_a_right_function_passes_whatever_kind_of_number_it_returns():
    assert double(lambda x: 2 * x).passed
    assert double(lambda x: np.float32(2 * x)).passed
    assert double(lambda x: torch.tensor(2 * x, requires_grad=True)).passed


@pytest.mark.parametrize(
    ("function", "said"),
    [
        (lambda x: x / 2, "It halves."),
        (lambda x: None, "Is there a `return`?"),
        (lambda x: x / 0, "raises ZeroDivisionError"),
        (lambda: 1, "raises TypeError"),
        (lambda x: 2 * x + 1, "x = 1 it returns 3, which is too high"),
        (lambda x: 2 * x if x < 2 else 0, "x = 3 it returns 0, which is too low"),
        (lambda x: "two", "where numbers are wanted"),
        (lambda x: (2 * x, 0), "shape (2,), where () is wanted"),
        (lambda x: float("nan"), "must be finite"),
    ],
)
def test_a_wrong_function_is_told_what_is_wrong_but_not_what_is_right(function, said):
    verdict = double(function)
    assert verdict.state == "wrong"
    assert said in verdict.message
    assert "wanted 2" not in verdict.message


def test_which_of_several_numbers_is_wrong_is_said():
    verdict = feedback.code(lambda: (1, 5), [], [()], lambda: (1, 2), "because")
    assert "too high (number 2 of it)" in verdict.message


def test_verdicts_fit_on_a_line():
    long = repr(feedback.Verdict("wrong", "word " * 100))
    assert max(map(len, long.splitlines())) <= feedback.WIDTH
