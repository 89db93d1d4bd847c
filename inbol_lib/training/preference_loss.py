"""TODO."""

import numpy as np
import torch
import torch.nn.functional as F

CORRECT, INCORRECT, REFUSAL = range(3)
#: kind -> ((chosen, rejected) of p1, of p2); known and unknown questions have p1 = p2 (paper, Sec. 3.3)
PAIRS = {
    "known": ((CORRECT, REFUSAL), (CORRECT, REFUSAL)),
    "unknown": ((REFUSAL, INCORRECT), (REFUSAL, INCORRECT)),
    "mixed": ((CORRECT, INCORRECT), (REFUSAL, INCORRECT)),
}
NEEDED = {
    kind: sorted({*first, *second}) for kind, (first, second) in PAIRS.items()
}  # the responses that it compares


def margins(policy: torch.Tensor, reference: torch.Tensor, kinds: list[str]) -> torch.Tensor:
    """How much further the policy than the reference prefers chosen to rejected, for p1 and p2 of every question (questions, 2).
    `policy`, `reference`: summed log-probabilities in nats of (correct, incorrect, refusal), shape (questions, 3)."""
    ratio = policy - reference
    chosen, rejected = torch.tensor([PAIRS[k] for k in kinds], device=policy.device).unbind(-1)
    return ratio.gather(1, chosen) - ratio.gather(1, rejected)


def ca_dpo_loss(margin: torch.Tensor, confidence: torch.Tensor, beta: float) -> torch.Tensor:
    """Eq. 6 per question, shape (questions,): -[conf logsigmoid(beta m1) + (1 - conf) logsigmoid(beta m2)].
    `margin`: (questions, 2); `confidence`: (questions,) in [0, 1]."""
    return weighted_loss(margin, torch.stack([confidence, 1 - confidence], 1), beta)


def weighted_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """-sum of weight times logsigmoid(beta margin) over a question's pairs; both inputs (questions, 2)."""
    return -(weights * F.logsigmoid(beta * margin)).sum(1)


def inside_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """A control: the weights inside the sigmoid, -logsigmoid(beta * weighted margin)."""
    return -F.logsigmoid(beta * (weights * margin).sum(1))


def pair_weights(mode: str, kinds: list[str], confidence: np.ndarray, seed: int = 0) -> np.ndarray:
    """Weights (questions, 2) of p1 and p2. Known and unknown questions (p1 = p2) always sum to one.

    ca_dpo, ca_dpo_inside: (conf, 1 - conf). dpo_1: refusal > incorrect alone; dpo_2: correct > incorrect alone; dpo_3: both at full
    weight, as the paper's Table 4. Controls: ca_dpo_half (1/2, 1/2), ca_dpo_shuffled (confidences permuted among the mixed questions),
    ca_dpo_base (as ca_dpo; it starts elsewhere)."""
    mixed, conf = np.array(kinds) == "mixed", np.array(confidence, float)
    if mode == "ca_dpo_shuffled":
        conf[mixed] = np.random.default_rng(seed).permutation(conf[mixed])
    weights = np.stack([conf, 1 - conf], 1)
    fixed = {"dpo_1": (0, 1), "dpo_2": (1, 0), "dpo_3": (1, 1), "ca_dpo_half": (0.5, 0.5)}
    if mode in fixed:
        weights[mixed] = fixed[mode]
    elif not mode.startswith("ca_dpo"):
        raise ValueError(
            f"method {mode!r} is no preference training; choose ca_dpo, {', '.join(fixed)}, ca_dpo_shuffled or ca_dpo_inside"
        )
    return weights
