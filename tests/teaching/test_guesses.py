"""Exercises to predict: the right guess passes, and typical wrong ones are told why."""

import math

import pytest

from inbol_lib.teaching import (
    boundaries,
    claims,
    confidence,
    grids,
    preferences,
    probes,
    trust,
    tuning,
)

TEN = {"chance": 0.7, "samples": 10, "delta_known": 0.8}
MADE = {"unanswerable": 0.8, "caught": 0.9, "passed": 0.3}
#: checker, its settings, the right guess, {wrong guess: part of what is said}
GUESSES = [
    (trust.counted, {}, 0.2, {0.7: "add up", 0.5: "accuracy", 0.0: "count 0", 20: "points"}),
    (trust.half_right, {}, 0.0, {0.5: "accuracy", 1: "too high"}),
    (trust.worth_answering, {"cost": 3}, 0.75, {0.25: "being wrong", 0.5: "cost of 1"}),
    (trust.constant_judge, {}, 0, {0.8: "agreement", 1: "too high"}),
    (confidence.called_known, TEN, 0.38, {0: "below the threshold", 0.7: "one right response"}),
    (confidence.all_right, {"samples": 10}, 0.72, {1.0: "does not prove", 0.95: "procedure"}),
    (confidence.pairs, {}, 10_000, {8000: "makes two", 16000: "Only mixed", 12000: "only one"}),
    (preferences.first_loss, {"conf": 0.7}, math.log(2), {0: "no certainty", 0.5: "logarithm"}),
    (preferences.first_loss, {"conf": 0.7}, 0.69, {1.386: "share one", 0.485: "first pair"}),
    (preferences.first_loss, {"conf": 0.7}, 0.693, {0.208: "second pair", -0.693: "sign"}),
    (preferences.push, {"conf": 0.8}, 4, {0.25: "on the refusal", 0.8: "divide", 1: "1/2"}),
    (tuning.in_the_loss, {"prompt": 50, "response": 3}, 4, {3: "ends", 54: "given", 53: "given"}),
    (tuning.trained_share, {"width": 4096, "rank": 16}, 1 / 128, {1 / 256: "two thin"}),
    (tuning.trained_share, {"width": 4096, "rank": 16}, 0.0078, {0.78: "percent"}),
    (boundaries.kept_share, MADE, 0.923, {0.9: "how many", 0.8: "before", 0.72: "divide"}),
    (grids.cells, {"levels": 7}, 21, {49: "all pairs", 42: "both orders", 28: "no room"}),
    (grids.luck, {"number": 21, "error": 2.5}, 4.7, {0: "chosen", 2.5: "one cell"}),
    (probes.coins, {"questions": 200}, 0.57, {0.5: "mean", 0.975: "share of rows"}),
    (probes.noise, {}, 1.0, {0.5: "new questions", 0.8: "too low"}),
    (claims.decided_by_luck, {"claims": 20}, 1, {0: "not 100 %", 19: "undecided"}),
]
#: checker, the right word, {wrong word: part of what is said}
WORDS = [
    (confidence.on_the_edge, "unknown", {"mixed": "strictly", "known": "upper", "?": "choose"}),
    (boundaries.swap_between_circles, False, {True: "fits", "no": "choose"}),
    (claims.overlapping, True, {False: "do not show", 1: "choose"}),
]


@pytest.mark.parametrize(("check", "settings", "right", "wrong"), GUESSES)
def test_a_number(check, settings, right, wrong):
    assert check(None, **settings).state == "open"
    assert check(right, **settings).passed, check(right, **settings)
    for guess, said in wrong.items():
        verdict = check(guess, **settings)
        assert verdict.state == "wrong"
        assert said in verdict.message


@pytest.mark.parametrize(("check", "right", "wrong"), WORDS)
def test_a_word(check, right, wrong):
    assert check(None).state == "open"
    assert check(right).passed
    for guess, said in wrong.items():
        verdict = check(guess)
        assert verdict.state == "wrong"
        assert said in verdict.message


def test_the_best_of_equals_is_known_where_it_can_be_computed():
    assert grids.best_of_equals(1) == pytest.approx(0, abs=1e-6)
    assert grids.best_of_equals(2) == pytest.approx(1 / math.sqrt(math.pi))
    assert grids.best_of_equals(3) == pytest.approx(1.5 / math.sqrt(math.pi))
