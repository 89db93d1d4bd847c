"""Exercises of code: what is right passes, typical mistakes are told by name, others by a case."""

import math

import numpy as np
import pytest
import torch

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
from inbol_lib.training.preference_loss import ca_dpo_loss


def counts(words):
    return (words.count(word) / len(words) for word in ("correct", "refusal", "incorrect"))


def s_trust(words):
    right, refused, _ = counts(words)
    return 2 * right + refused - 1


def refusals_wrong(words):
    right, refused, wrong = counts(words)
    return right - (1 - right)


def unjudged_spared(words):
    right, _, wrong = counts(words)
    return right - wrong


def phi(correct, refusal, n, cost):
    wrong = n - correct - refusal
    return correct / n - cost * wrong / n


def wilson(right, n, z=1.96):
    """By bisection instead of the formula: the chances that are z standard errors away."""
    share = right / n

    def end(inner, outer):
        for _ in range(60):
            middle = (inner + outer) / 2
            far = abs(share - middle) > z * math.sqrt(middle * (1 - middle) / n)
            inner, outer = (inner, middle) if far else (middle, outer)
        return inner

    return end(share, 0), end(share, 1)


def wald(right, n):
    share = right / n
    half = 1.96 * (share * (1 - share) / n) ** 0.5
    return share - half, share + half


def classify(value, delta_known, delta_unknown):
    if value >= delta_known:
        return "known"
    return "unknown" if value <= delta_unknown else "mixed"


def strict(value, delta_known, delta_unknown):
    if value > delta_known:
        return "known"
    return "unknown" if value < delta_unknown else "mixed"


def gradients(m1, m2, conf, beta):
    """By autograd, of the library's loss."""
    margin = torch.tensor([[m1, m2]], requires_grad=True)
    ca_dpo_loss(margin, torch.tensor([conf]), beta).sum().backward()
    return margin.grad[0]


def pulls(m1, m2, conf, beta):
    return tuple((-gradients(m1, m2, conf, beta)).tolist())


def response_loss(logps, labels):
    kept = [-logp for logp, label in zip(logps, labels, strict=True) if label != -100]
    return sum(kept) / len(kept)


def stays(checks, refused):
    return True in checks and not refused


def scores(inside, outside):
    parts = [(part - min(part)) / (max(part) - min(part)) for part in (inside, outside)]
    return np.mean(parts, axis=0)


def p_value(accuracy, shuffled):
    labellings = [accuracy, *shuffled]
    return np.mean([one >= accuracy for one in labellings])


def paired(before, after):
    gains = [b - a for a, b in zip(before, after, strict=True)]
    mean = sum(gains) / len(gains)
    variance = sum((gain - mean) ** 2 for gain in gains) / (len(gains) - 1)
    return mean, math.sqrt(variance / len(gains))


RIGHT = [
    (trust.s_trust, s_trust),
    (trust.phi, phi),
    (confidence.wilson, wilson),
    (confidence.classify, classify),
    (preferences.pulls, pulls),
    (tuning.response_loss, response_loss),
    (boundaries.stays, stays),
    (grids.scores, scores),
    (probes.p_value, p_value),
    (claims.paired, paired),
]
WRONG = [
    (trust.s_trust, refusals_wrong, "refusal counts as a wrong answer"),
    (trust.s_trust, unjudged_spared, "must count like a wrong answer"),
    (trust.s_trust, lambda w: 1 - w.count("incorrect") / len(w), "too high"),
    (trust.s_trust, lambda w: 100 * s_trust(w), "points"),
    (trust.s_trust, lambda w: s_trust(w) * len(w), "sum"),
    (trust.phi, lambda c, r, n, cost: phi(c, r, n, 1), "not used"),
    (trust.phi, lambda c, r, n, cost: n * phi(c, r, n, cost), "Divide by the number"),
    (trust.phi, lambda c, r, n, cost: phi(c, 0, n, cost), "charged like wrong"),
    (trust.phi, lambda c, r, n, cost: phi(c, r, n, -cost), "add something"),
    (trust.phi, lambda c, r, n, cost: phi(c, r, n, cost) * n / max(n - r, 1), "asked, too"),
    (confidence.wilson, wald, "simple interval"),
    (confidence.wilson, lambda k, n: wilson(k, n)[::-1], "lower one first"),
    (confidence.wilson, lambda k, n: wilson(k, n, 1.645), "90 %"),
    (confidence.wilson, lambda k, n: k / n, "shape"),
    (confidence.classify, strict, "equal a threshold"),
    (confidence.classify, lambda v, k, u: classify(v, 0.8, 0.2), "use the arguments"),
    (confidence.classify, lambda v, k, u: "known", "value = 0, delta_known = 0.8"),
    (preferences.pulls, lambda *case: tuple(gradients(*case).tolist()), "another sign"),
    (preferences.pulls, lambda a, b, c, beta: pulls(-a, -b, c, beta), "sign inside"),
    (preferences.pulls, lambda a, b, c, beta: pulls(a, b, 1 - c, beta), "exchanged"),
    (preferences.pulls, lambda a, b, c, beta: (1.0, 1.0), "too high"),
    (tuning.response_loss, lambda x, y: -x.mean(), "prompt is in the mean"),
    (tuning.response_loss, lambda x, y: x[y != -100].mean(), "sign"),
    (tuning.response_loss, lambda x, y: -x[y != -100].sum(), "sum"),
    (tuning.response_loss, lambda x, y: -(x * (y != -100)).mean(), "not by all"),
    (boundaries.stays, lambda c, refused: all(c) and not refused, "one is enough"),
    (boundaries.stays, lambda c, refused: True in c, "`refused` is not used"),
    (boundaries.stays, lambda c, refused: True in c and refused, "refuses already"),
    (boundaries.stays, lambda c, refused: set(c) != {False} and not refused, "None"),
    (grids.scores, lambda a, b: 2 * scores(a, b), "not their sum"),
    (grids.scores, lambda a, b: scores(a, a), "first part"),
    (grids.scores, lambda a, b: (a + b) / 2, "Nothing is normalised"),
    (probes.p_value, lambda a, s: np.mean(s >= a), "count the real labels"),
    (probes.p_value, lambda a, s: (1 + sum(s > a)) / (1 + len(s)), "tie"),
    (probes.p_value, lambda a, s: (1 + sum(s <= a)) / (1 + len(s)), "as bad"),
    (claims.paired, lambda a, b: paired(b, a), "sign"),
    (claims.paired, lambda a, b: (paired(a, b)[0], (b - a).std(ddof=1)), "spread of single"),
    (claims.paired, lambda a, b: (paired(a, b)[0], (b - a).std() / len(a) ** 0.5), "ddof=1"),
    (
        claims.paired,
        lambda a, b: (paired(a, b)[0], ((a.var(ddof=1) + b.var(ddof=1)) / len(a)) ** 0.5),
        "two unrelated tables",
    ),
]


@pytest.mark.parametrize(("check", "function"), RIGHT)
def test_what_is_right_passes(check, function):
    verdict = check(function)
    assert verdict.passed, verdict


@pytest.mark.parametrize("check", [check for check, _ in RIGHT])
def test_dots_are_not_yet_an_answer(check):
    assert check(lambda *arguments: ...).state == "open"


@pytest.mark.parametrize(("check", "function", "said"), WRONG)
def test_a_mistake_is_told_by_name(check, function, said):
    verdict = check(function)
    assert verdict.state == "wrong"
    assert said in verdict.message, verdict
