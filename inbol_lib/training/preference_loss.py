"""The equations of confidence-aware DPO, as pure functions of log-probabilities.

Nothing here knows of models, tokens or batches, so each equation can be read, tried and tested by
itself. `packing` makes the log-probabilities, `ca_dpo` trains with the loss.

Three responses of a question are compared: the correct one `y_c`, the incorrect one `y_i` and the
refusal `y_r`. Tensors hold them in this order (`CORRECT`, `INCORRECT`, `REFUSAL`), and pairs in the
order p1, p2.

References
----------
InBoL, Sec. 3.3 and eq. 6. DPO: Rafailov et al. (2023), "Direct Preference Optimization", eq. 7.
"""

from collections.abc import Sequence

import numpy as np
import torch
import torch.nn.functional as F

CORRECT, INCORRECT, REFUSAL = range(3)
#: kind -> ((chosen, rejected) of p1, of p2); known and unknown questions have p1 = p2 (Sec. 3.3)
PAIRS = {
    "known": ((CORRECT, REFUSAL), (CORRECT, REFUSAL)),
    "unknown": ((REFUSAL, INCORRECT), (REFUSAL, INCORRECT)),
    "mixed": ((CORRECT, INCORRECT), (REFUSAL, INCORRECT)),
}
#: kind -> the responses that its pairs compare, in ascending order
NEEDED = {kind: sorted({*first, *second}) for kind, (first, second) in PAIRS.items()}
#: method -> fixed weights of p1 and p2 on mixed questions: Table 4, and a control with equal halves
FIXED_WEIGHTS = {"dpo_1": (0, 1), "dpo_2": (1, 0), "dpo_3": (1, 1), "ca_dpo_half": (0.5, 0.5)}


def margins(policy: torch.Tensor, reference: torch.Tensor, kinds: Sequence[str]) -> torch.Tensor:
    """Return how much more the policy prefers chosen to rejected than the reference does.

    The margin of a pair is what DPO multiplies by beta: log pi(chosen) / pi_ref(chosen) less
    log pi(rejected) / pi_ref(rejected), in nats (Rafailov et al., eq. 7).

    Parameters
    ----------
    policy, reference : torch.Tensor, shape (questions, 3)
        Summed log-probabilities, in nats, of the correct response, the incorrect one and the
        refusal. Responses that a kind does not compare may hold any finite number.
    kinds : sequence of str, length questions
        "known", "unknown" or "mixed"; selects the pairs (`PAIRS`).

    Returns
    -------
    torch.Tensor, shape (questions, 2)
        The margins of p1 and p2; equal to each other for known and unknown questions.

    Examples
    --------
    The policy has moved towards the correct response by 2 nats and away from the refusal by 1.

    >>> policy, reference = torch.tensor([[2.0, 0.0, -1.0]]), torch.zeros(1, 3)
    >>> margins(policy, reference, ["mixed"])  # correct over incorrect, refusal over incorrect
    tensor([[ 2., -1.]])
    >>> margins(policy, reference, ["known"])  # correct over refusal, twice
    tensor([[3., 3.]])
    """
    ratio = policy - reference
    pairs = torch.tensor([PAIRS[kind] for kind in kinds], device=policy.device)
    chosen, rejected = pairs.unbind(-1)
    return ratio.gather(1, chosen) - ratio.gather(1, rejected)


def ca_dpo_loss(margin: torch.Tensor, confidence: torch.Tensor, beta: float) -> torch.Tensor:
    """Return the CA-DPO loss of each question (eq. 6).

    With conf the confidence, m1 and m2 the margins of p1 and p2::

        loss = -[conf * logsigmoid(beta * m1) + (1 - conf) * logsigmoid(beta * m2)]

    Parameters
    ----------
    margin : torch.Tensor, shape (questions, 2)
        Margins of p1 and p2, in nats (`margins`).
    confidence : torch.Tensor, shape (questions,)
        The model's confidence in each question, in [0, 1].
    beta : float
        How strongly the reference holds the policy back, above 0.

    Returns
    -------
    torch.Tensor, shape (questions,)
        The loss of each question, in nats. The training minimizes its mean over questions.

    Examples
    --------
    A mixed question: the policy has learnt to prefer the correct response to the incorrect one
    (margin 2), but has lost the preference for refusing (margin -1). A model that is sure of the
    question pays little for that, a model that is unsure pays more.

    >>> margin = torch.tensor([[2.0, -1.0]])
    >>> for confidence in (1.0, 0.5, 0.0):
    ...     print(confidence, ca_dpo_loss(margin, torch.tensor([confidence]), beta=1.0))
    1.0 tensor([0.1269])
    0.5 tensor([0.7201])
    0.0 tensor([1.3133])

    As long as the policy equals the reference, the loss is ln 2, whatever the confidence.

    >>> ca_dpo_loss(torch.zeros(2, 2), torch.tensor([0.9, 0.2]), beta=0.1)
    tensor([0.6931, 0.6931])
    """
    weights = torch.stack([confidence, 1 - confidence], 1)
    return weighted_loss(margin, weights, beta)


def weighted_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """Return eq. 6 with any weights in the place of conf and 1 - conf.

    Parameters
    ----------
    margin, weights : torch.Tensor, shape (questions, 2)
        Margins in nats and weights of p1 and p2 (`pair_weights`).
    beta : float
        As in `ca_dpo_loss`.

    Returns
    -------
    torch.Tensor, shape (questions,)
        Minus the sum over both pairs of weight times logsigmoid(beta * margin).
    """
    return -(weights * F.logsigmoid(beta * margin)).sum(1)


def inside_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """Return a control of eq. 6 (ours) that puts the weights inside the sigmoid.

    Parameters
    ----------
    margin, weights, beta
        As in `weighted_loss`.

    Returns
    -------
    torch.Tensor, shape (questions,)
        -logsigmoid(beta * (w1 * m1 + w2 * m2)).
    """
    return -F.logsigmoid(beta * (weights * margin).sum(1))


def pair_weights(
    mode: str, kinds: Sequence[str], confidence: Sequence[float], seed: int = 0
) -> np.ndarray:
    """Return the weights that a method gives the pairs p1 and p2 of every question.

    Methods differ on mixed questions only. Known and unknown questions have p1 = p2, so the two
    weights (conf, 1 - conf) make one pair of weight one, whatever the method.

    Parameters
    ----------
    mode : str
        What mixed questions get. From the paper (eq. 6 and Table 4):

        - ``ca_dpo``: (conf, 1 - conf);
        - ``dpo_1``: (0, 1), refusal over incorrect alone;
        - ``dpo_2``: (1, 0), correct over incorrect alone;
        - ``dpo_3``: (1, 1), both pairs at full weight.

        Controls (ours):

        - ``ca_dpo_half``: (1/2, 1/2);
        - ``ca_dpo_shuffled``: as ``ca_dpo``, with the confidences permuted among mixed questions;
        - ``ca_dpo_inside``: as ``ca_dpo``; its loss is `inside_loss`;
        - ``ca_dpo_base``: as ``ca_dpo``; it starts from the original model.
    kinds : sequence of str, length questions
        "known", "unknown" or "mixed".
    confidence : sequence of float, length questions
        In [0, 1].
    seed : int
        Seed of the permutation of ``ca_dpo_shuffled``.

    Returns
    -------
    numpy.ndarray, shape (questions, 2)
        The weights of p1 and p2.

    Raises
    ------
    ValueError
        When `mode` is not a preference training.

    Examples
    --------
    >>> pair_weights("ca_dpo", ["known", "mixed"], [0.75, 0.25])
    array([[0.75, 0.25],
           [0.25, 0.75]])
    >>> pair_weights("dpo_3", ["known", "mixed"], [0.75, 0.25])
    array([[0.75, 0.25],
           [1.  , 1.  ]])
    """
    mixed = np.array(kinds) == "mixed"
    confidence = np.array(confidence, float)  # a copy: the caller's is not shuffled
    if mode == "ca_dpo_shuffled":
        confidence[mixed] = np.random.default_rng(seed).permutation(confidence[mixed])
    weights = np.stack([confidence, 1 - confidence], 1)
    if mode in FIXED_WEIGHTS:
        weights[mixed] = FIXED_WEIGHTS[mode]
    elif not mode.startswith("ca_dpo"):
        raise ValueError(
            f"method {mode!r} is not a preference training; choose ca_dpo, "
            f"{', '.join(FIXED_WEIGHTS)}, ca_dpo_shuffled or ca_dpo_inside"
        )
    return weights
