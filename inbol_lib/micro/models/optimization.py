"""What one step of pretraining does: optimizers, learning rate, loss and gradients."""

import math
from collections.abc import Mapping, Sequence

import numpy as np
import torch
from torch import nn
from torch.nn import functional
from transformers import LlavaForConditionalGeneration

from inbol_lib.micro.models import together
from inbol_lib.micro.models.batches import IGNORE, Batcher


def optimizers(model: nn.Module, lr: float) -> list[torch.optim.Optimizer]:
    """Return Muon for the matrices inside the blocks, and AdamW for everything else.

    Everything else is embeddings, head, norms, biases and the patch convolution, for which Muon is
    not meant. Its updates are scaled to AdamW's size, so both take the same learning rate.
    """
    inside = [
        weight
        for name, weight in model.named_parameters()
        if weight.ndim == 2 and "embed" not in name and "lm_head" not in name
    ]
    chosen = {id(weight) for weight in inside}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    muon = torch.optim.Muon(inside, lr=lr, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, lr=lr, weight_decay=0.01, betas=(0.9, 0.98))]


def schedule(step: int, steps: int, warmup: int = 100) -> float:
    """Return the share of the peak learning rate: linear warm-up, then a cosine to a twentieth."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return min(1.0, (step + 1) / warmup) * (0.05 + 0.95 * cosine)


def set_learning_rate(opts: Sequence[torch.optim.Optimizer], lr: float) -> None:
    """Set the learning rate of optimizers that have one group of weights each."""
    for opt in opts:
        opt.param_groups[0]["lr"] = lr


def update(opts: Sequence[torch.optim.Optimizer]) -> None:
    """Take a step with every optimizer and forget the gradients."""
    for opt in opts:
        opt.step()
        opt.zero_grad()


def answer_loss(
    net: LlavaForConditionalGeneration,
    labels: torch.Tensor,
    weights: torch.Tensor,
    **inputs: torch.Tensor,
) -> torch.Tensor:
    """Return the weighted sum of the cross-entropies (nats) of what the assistant says.

    Parameters
    ----------
    net : LlavaForConditionalGeneration
        The model.
    labels, weights : torch.Tensor
        Shape `(batch, tokens)`; see `Batcher`.
    **inputs : torch.Tensor
        The other tensors of the batch.
    """
    logits = net(**inputs).logits[:, :-1]
    each = functional.cross_entropy(
        logits.flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORE, reduction="none"
    )
    return (each * weights[:, 1:].flatten()).sum()


def backward(
    net: LlavaForConditionalGeneration, batcher: Batcher, talks: Sequence[Mapping], parts: int = 6
) -> float:
    """Add the gradients of one batch's mean loss, and return the loss.

    The batch is read in parts of conversations of similar length, so that little of it is padding.
    Where several processes share a batch, each is given its own conversations, and both gradients
    and loss are those of the whole batch.
    """
    rows = sorted(map(batcher.row, talks), key=lambda row: len(row.ids))
    whole = float(together.total(torch.tensor(sum(sum(row.weights) for row in rows))))
    total = 0.0
    for part in np.array_split(np.arange(len(rows)), parts):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = answer_loss(net, **batcher(rows[i] for i in part)) / whole
        loss.backward()
        total += loss.item()
    together.sum_gradients(net)
    return float(together.total(torch.tensor(total)))
