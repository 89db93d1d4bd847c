"""Attention masks of our own, which let several continuations share one prompt.

Sampling (`sampling`) and training (`training.packing`) read a prompt once and put everything that
follows it into one row; the mask keeps the continuations apart.
"""

from collections.abc import Sequence

import torch
from transformers import PretrainedConfig, PreTrainedModel


def additive(seen: torch.Tensor, model: PreTrainedModel) -> torch.Tensor:
    """Return the mask that eager and SDPA attention add to their scores.

    Parameters
    ----------
    seen : torch.Tensor
        Booleans of shape `(batch, queries, keys)`: whether a query may attend to a key.
    model : PreTrainedModel
        The model that will add the mask; it decides the type.

    Returns
    -------
    torch.Tensor
        Shape `(batch, 1, queries, keys)`: 0 where `seen`, elsewhere the lowest finite number.
    """
    hidden = torch.finfo(model.dtype).min
    return torch.zeros_like(seen, dtype=model.dtype).masked_fill(~seen, hidden)[:, None]


def can_share(model: PreTrainedModel, kernels: Sequence[str] = ("sdpa", "eager")) -> bool:
    """Return whether one prompt can serve many continuations of this model.

    It can if every layer attends to the whole text under a mask of ours (no sliding windows, no
    recurrent states) and if positions are plain numbers 0, 1, 2, ...

    Parameters
    ----------
    model : PreTrainedModel
        The model to judge by its configuration.
    kernels : Sequence[str]
        Names of the attention implementations that take the caller's masks.
    """
    config = model.config.get_text_config()
    recurrent = config.is_encoder_decoder or getattr(model, "_is_stateful", False)
    takes_masks = getattr(config, "_attn_implementation", None) in kernels
    return takes_masks and _attends_to_all(config) and _has_one_axis(config) and not recurrent


def _attends_to_all(config: PretrainedConfig) -> bool:
    layers = getattr(config, "layer_types", None) or ()
    return set(layers) <= {"full_attention"}


def _has_one_axis(config: PretrainedConfig) -> bool:
    """Return whether positions are plain numbers (Qwen-VL's have time, height and width)."""
    return "mrope_section" not in (getattr(config, "rope_parameters", None) or {})
