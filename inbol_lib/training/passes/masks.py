"""The mask of trees of questions, in the form that a model's attention wants."""

import torch
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from transformers import PreTrainedModel

from inbol_lib.mllm.attention import additive
from inbol_lib.training.layout import sees, visible


def tree_mask(
    question: torch.Tensor, response: torch.Tensor, model: PreTrainedModel
) -> torch.Tensor | BlockMask:
    """Return the mask of `visible` in the form that the model's attention wants.

    Parameters
    ----------
    question, response : torch.Tensor, shape (rows, length)
        As in `Layout`.
    model : PreTrainedModel
        May be wrapped by DistributedDataParallel.

    Returns
    -------
    torch.Tensor, shape (rows, 1, length, length), or BlockMask
        An additive mask; for FlexAttention a block mask, whose hidden blocks are never computed.
    """
    model = getattr(model, "module", model)  # the model inside DistributedDataParallel
    if model.config.get_text_config()._attn_implementation == "flex_attention":
        return _flex_mask(question, response)
    return additive(visible(question, response), model)


def _flex_mask(question: torch.Tensor, response: torch.Tensor) -> BlockMask:
    rows, length = question.shape

    def seen(row, _head, query, key):  # as `visible`, one pair of tokens at a time
        looking, looked_at = (row, query), (row, key)
        allowed = sees(
            question[looking], response[looking], question[looked_at], response[looked_at]
        )
        return (query >= key) & allowed

    return create_block_mask(seen, rows, None, length, length, device=question.device)
