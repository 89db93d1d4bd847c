"""The scores of a batch's response tokens: logits only where something is predicted."""

from contextlib import nullcontext
from typing import Any

import torch
from transformers import PreTrainedModel

from inbol_lib.mllm.attention import additive
from inbol_lib.mllm.picture_features import Features
from inbol_lib.training.layout import visible
from inbol_lib.training.passes import shortcuts
from inbol_lib.training.passes.masks import tree_mask
from inbol_lib.training.passes.pictures import with_features


def kept_logits(
    model: PreTrainedModel, batch: dict[str, Any], features: Features | None = None
) -> torch.Tensor:
    """Return the logits of the tokens that predict something.

    Parameters
    ----------
    model : PreTrainedModel
        May be wrapped by DistributedDataParallel or FSDP.
    batch : dict
        A part of a batch (`PackingCollator.read`), on the model's device.
    features : Features, optional
        Keeps the features of pictures between calls.

    Returns
    -------
    torch.Tensor, shape (kept, vocabulary)
        32-bit floats, in the order of `Layout.keep`.
    """
    inputs, short = with_features(model, batch, features), nullcontext()
    plain_model = getattr(model, "module", model)  # the model inside DistributedDataParallel
    if batch["own_mask"]:
        if shortcuts.applies(plain_model):
            reading = _reading(plain_model, batch)
            if not batch["plain"]:
                inputs["attention_mask"] = reading.last_mask  # or the model would make one
            short = shortcuts.cut_short(plain_model, reading, batch["keep"])
        elif not batch["plain"]:
            inputs["attention_mask"] = tree_mask(batch["question"], batch["response"], model)
    with short:
        logits = model(**inputs, use_cache=False, logits_to_keep=batch["keep"]).logits
    return logits.float()


def _reading(model: PreTrainedModel, batch: dict[str, Any]) -> shortcuts.Reading:
    """Return what the attention of the model must know of a batch."""
    head, arranged = batch["head"], (batch["question"], batch["response"])
    whole = not batch["plain"] and head < shortcuts.LONG
    return shortcuts.Reading(
        head=head,
        plain=batch["plain"],
        mask=additive(visible(*arranged), model) if whole else None,
        last_mask=additive(visible(*arranged, start=head), model),
        last=len(model.get_decoder().layers) - 1,
    )


def of_targets(logps: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the log-probability of each token of the responses.

    Parameters
    ----------
    logps : torch.Tensor, shape (kept, vocabulary)
        In nats: `torch.log_softmax` of `kept_logits`.
    batch : dict
        The same part of a batch.

    Returns
    -------
    torch.Tensor, shape (targets,)
        In the order of `Layout.target`.
    """
    return logps[batch["source"], batch["target"]]
