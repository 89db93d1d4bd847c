"""TODO."""

from collections.abc import Sequence

import torch
from transformers import PreTrainedModel


def additive(seen: torch.Tensor, model: PreTrainedModel) -> torch.Tensor:
    """The mask that eager and SDPA attention add, (batch, 1, queries, keys), of who sees whom, (batch, queries, keys)."""
    return torch.zeros_like(seen, dtype=model.dtype).masked_fill(
        ~seen, torch.finfo(model.dtype).min
    )[:, None]


def can_share(model: PreTrainedModel, kernels: Sequence[str] = ("sdpa", "eager")) -> bool:
    """Whether one prompt can serve many continuations: whole attention under a mask of ours (by `kernels`), at plain places 0, 1, 2, ..."""
    config = model.config.get_text_config()
    whole = set(getattr(config, "layer_types", None) or ()) <= {"full_attention"}
    axes = "mrope_section" in (getattr(config, "rope_parameters", None) or {})
    masked = getattr(config, "_attn_implementation", None) in kernels
    return (
        whole
        and masked
        and not (axes or config.is_encoder_decoder or getattr(model, "_is_stateful", False))
    )
