"""Exercises of notebooks 00 and 06: eq. 5, the cost of a wrong answer, and agreement by chance."""

from collections.abc import Callable
from typing import Any

from inbol_lib.evaluation import metrics
from inbol_lib.judging.agreement import kappa
from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict

_WORDS = (
    ["correct"] * 5 + ["refusal"] * 2 + ["incorrect"] * 3,
    ["refusal"] * 4,
    ["correct", "incorrect", "incorrect", "incorrect"],
    ["correct", "correct", "refusal", "unjudged", "incorrect"],
)
_COUNTS = ((50, 20, 100, 1.0), (50, 20, 100, 3.0), (0, 10, 10, 5.0), (30, 0, 60, 0.5))


def counted(guess: Any) -> Verdict:
    """Check a guess of s_trust of 50 right answers, 20 refusals and 30 wrong answers (eq. 5)."""
    return feedback.number(
        guess,
        metrics.s_trust(50, 20, 100),
        0.01,
        "Right answers count +1, refusals 0, wrong ones -1: (50 - 30) / 100.",
        [
            (0.7, "Right answers and refusals add up to that, but wrong answers take away."),
            (0.5, "That is the accuracy; wrong answers take away from it."),
            (0.0, "Refusals count 0 here, not -1."),
            (20, "That is in points; eq. 5 is a share."),
        ],
    )


def half_right(guess: Any) -> Verdict:
    """Check a guess of s_trust of a model that answers everything and is right on half."""
    return feedback.number(
        guess,
        metrics.s_trust(50, 0, 100),
        0.01,
        "Gains and losses cancel, so it is worth exactly as much as a model that refuses "
        "everything; what counts is which questions are refused.",
        [(0.5, "That is the accuracy. The wrong half takes away what the right half gives.")],
    )


def s_trust(function: Callable) -> Verdict:
    """Check a function of a list of outcome words that returns s_trust (eq. 5)."""

    def share(words, word):
        return words.count(word) / len(words)

    def true(words):
        return metrics.s_trust(words.count("correct"), words.count("refusal"), len(words))

    return feedback.code(
        function,
        ["words"],
        [(words,) for words in _WORDS],
        true,
        "your s_trust is eq. 5, and an unjudged response earns no trust.",
        [
            (lambda w: 2 * share(w, "correct") - 1, "A refusal counts as a wrong answer here."),
            (
                lambda w: share(w, "correct") + share(w, "refusal"),
                "Wrong answers cost nothing here; in eq. 5 they take away.",
            ),
            (
                lambda w: share(w, "correct") - share(w, "incorrect"),
                "Almost: an unjudged response counts like a refusal here. Who could not be judged "
                "has not earned trust: it must count like a wrong answer.",
            ),
            (lambda w: 100 * true(w), "These are points; eq. 5 is a share."),
            (lambda w: true(w) * len(w), "This is a sum; divide it by the number of questions."),
        ],
    )


def worth_answering(guess: Any, cost: float) -> Verdict:
    """Check a guess of the chance of being right above which answering pays at a cost."""
    return feedback.number(
        guess,
        cost / (1 + cost),
        0.01,
        "Answering gains p and loses c (1 - p) on average, refusing 0. The two are equal at "
        f"p = c / (1 + c), here with c = {cost:g}.",
        [
            (1 / (1 + cost), "That is the chance of being wrong at which answering stops paying."),
            (0.5, "That holds at a cost of 1, as in s_trust."),
            (1 / cost, "That is one over the cost; a right answer gains something, too."),
        ],
    )


def constant_judge(guess: Any) -> Verdict:
    """Check a guess of Cohen's kappa of a judge that always says "incorrect", 80 % of the truth."""
    truth = kappa(["incorrect"] * 80 + ["correct"] * 20, ["incorrect"] * 100)["kappa"]
    return feedback.number(
        guess,
        truth,
        0.01,
        "A judge that looks at nothing agrees on 80 % by chance alone, and kappa counts only the "
        "agreement beyond chance.",
        [(0.8, "That is the agreement. Kappa takes off what chance would give.")],
    )


def phi(function: Callable) -> Verdict:
    """Check a function (correct, refusal, n, cost) that returns the gain per question."""

    def wrong(correct, refusal, n):
        return n - correct - refusal

    return feedback.code(
        function,
        ["correct", "refusal", "n", "cost"],
        _COUNTS,
        metrics.phi,
        "your phi is Phi_c, and at cost 1 it is s_trust.",
        [
            (lambda c, r, n, cost: c - cost * wrong(c, r, n), "Divide by the number of questions."),
            (lambda c, r, n, cost: metrics.phi(c, r, n, 1), "The cost is not used yet."),
            (
                lambda c, r, n, cost: (c - cost * (n - c)) / n,
                "Refusals are charged like wrong answers here.",
            ),
            (
                lambda c, r, n, cost: (c - cost * wrong(c, r, n)) / max(n - r, 1),
                "Divide by all questions: a refused one has been asked, too.",
            ),
            (
                lambda c, r, n, cost: (c + cost * wrong(c, r, n)) / n,
                "Wrong answers add something here; they must take away.",
            ),
        ],
    )
