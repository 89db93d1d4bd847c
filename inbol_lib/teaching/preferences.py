"""Exercises of notebook 05: what eq. 6 costs at the start, and whom its gradient pushes."""

import math
from collections.abc import Callable
from typing import Any

import torch

from inbol_lib.teaching import feedback
from inbol_lib.teaching.feedback import Verdict
from inbol_lib.training.preference_loss import ca_dpo_loss

#: (m1, m2, conf, beta)
_CASES = ((0.0, 0.0, 0.3, 0.1), (5.0, -3.0, 0.8, 0.1), (-2.0, 4.0, 0.6, 1.0), (1.0, 1.0, 1.0, 0.5))


def first_loss(guess: Any, conf: float) -> Verdict:
    """Check a guess of eq. 6, in nats, where the policy still equals its reference."""
    truth = ca_dpo_loss(torch.zeros(1, 2), torch.tensor([conf]), 0.1).item()
    return feedback.number(
        guess,
        truth,
        0.01,
        "Both margins are 0, log sigmoid(0) = -ln 2, and the two weights sum to one; so neither "
        "conf nor beta matters yet.",
        [
            (0.0, "A margin of 0 is no certainty: sigmoid(0) is one half."),
            (0.5, "That is sigmoid(0); the loss takes its logarithm."),
            (2 * truth, "The two pairs share one weight; they do not have one each."),
            (conf * truth, "That is the first pair alone."),
            ((1 - conf) * truth, "That is the second pair alone."),
            (-truth, "Mind the sign: a loss is minus a log-probability."),
        ],
    )


def push(guess: Any, conf: float) -> Verdict:
    """Check a guess of how many times as hard eq. 6 pushes the right answer as the refusal."""
    return feedback.number(
        guess,
        conf / (1 - conf),
        0.05,
        "At equal margins all else cancels, and the pushes are as conf to 1 - conf.",
        [
            ((1 - conf) / conf, "That is the push on the refusal over that on the right answer."),
            (conf, "That is the weight of the right answer; divide it by that of the refusal."),
            (1.0, "That would be so without weights, or at conf = 1/2."),
        ],
    )


def pulls(function: Callable) -> Verdict:
    """Check a function (m1, m2, conf, beta) that returns minus the gradient of eq. 6."""

    def sigmoid(x):
        return 1 / (1 + math.exp(-x))

    def pull(m, weight, beta):
        return beta * weight * sigmoid(-beta * m)

    def true(m1, m2, conf, beta):
        return pull(m1, conf, beta), pull(m2, 1 - conf, beta)

    return feedback.code(
        function,
        ["m1", "m2", "conf", "beta"],
        _CASES,
        true,
        "they are what autograd finds. A pair that is learnt already is hardly pushed any more.",
        [
            (
                lambda a, b, c, beta: (-pull(a, c, beta), -pull(b, 1 - c, beta)),
                "This is the gradient; training steps against it, so the pulls have another sign.",
            ),
            (
                lambda a, b, c, beta: (pull(-a, c, beta), pull(-b, 1 - c, beta)),
                "Here a pair is pushed harder the better it is learnt. Look at the sign inside "
                "the sigmoid.",
            ),
            (
                lambda a, b, c, beta: (pull(a, 1 - c, beta), pull(b, c, beta)),
                "The two weights are exchanged: conf belongs to right over wrong.",
            ),
            (
                lambda a, b, c, beta: (pull(a, c, beta) / beta, pull(b, 1 - c, beta) / beta),
                "A factor is missing: the derivative of beta * m by m.",
            ),
            (
                lambda a, b, c, beta: (pull(a, 1, beta), pull(b, 1, beta)),
                "The weights are missing: this is plain DPO on both pairs.",
            ),
        ],
    )
