"""What a pass leaves out because nothing reads it (ours): the same logits for less work.

Two things. Tokens of the shared start see all that stands before them, so they need no mask, and
half of their attention is never computed. And the last layer is read at the kept tokens alone, so
its queries, its output and its MLP are computed for no other.

Backward passes must not run the layers again, so models with activation checkpointing, which GPUs
use, are read in the ordinary way; so are families whose layers are not Llama's.
"""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from typing import Any, NamedTuple

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.integrations.sdpa_attention import sdpa_attention_forward
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS, sdpa_mask
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

NAME = "inbol_head_and_tail"
LONG = 128  # tokens of a head from which it pays to compute it by itself


class Reading(NamedTuple):
    """What the attention of a pass must know."""

    head: int  # tokens at the start of each row that nothing is read from in the last layer
    plain: bool  # whether every row is an ordinary text
    mask: torch.Tensor | None  # of all queries, for a short head; an ordinary text needs none
    last_mask: torch.Tensor  # of the queries behind the head
    last: int  # the number of the last layer


_READING: ContextVar[Reading] = ContextVar("reading")


def head_and_tail(
    module: nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    **options: Any,
) -> tuple[torch.Tensor, None]:
    """Attend as SDPA does, in two pieces where that is less work.

    Parameters
    ----------
    module : nn.Module
        An attention layer with its number as `layer_idx`.
    query, key, value : torch.Tensor, shape (rows, heads, length, size)
        Of every token.
    attention_mask : torch.Tensor or None
        Not read: the mask is that of the pass.
    **options
        Passed on to Transformers' function for SDPA.

    Returns
    -------
    tuple
        A tensor of shape (rows, length, heads, size), 0 where the last layer is not read, and None.
    """
    reading = _READING.get()
    head, is_last = reading.head, module.layer_idx == reading.last
    if not is_last and (reading.plain or head < LONG):
        return sdpa_attention_forward(module, query, key, value, reading.mask, **options)
    tail, _ = sdpa_attention_forward(
        module, query[:, :, head:], key, value, reading.last_mask, **options
    )
    if is_last:
        return nn.functional.pad(tail, (0, 0, 0, 0, head, 0)), None
    start = slice(0, head)
    first, _ = sdpa_attention_forward(
        module, query[:, :, start], key[:, :, start], value[:, :, start], None, **options
    )
    return torch.cat([first, tail], 1), None


ALL_ATTENTION_FUNCTIONS.register(NAME, head_and_tail)
ALL_MASK_ATTENTION_FUNCTIONS.register(NAME, sdpa_mask)


def applies(model: PreTrainedModel) -> bool:
    """Tell whether passes of this model can be cut short.

    Parameters
    ----------
    model : PreTrainedModel
        Not wrapped by anything but PEFT.
    """
    decoder = model.get_decoder()
    layers = getattr(decoder, "layers", None)
    if model.device.type != "cpu" or decoder.config._attn_implementation != "sdpa" or not layers:
        return False
    if getattr(decoder, "is_activation_checkpointing", False):
        return False
    parts = ("self_attn.q_proj", "self_attn.o_proj", "self_attn.layer_idx", "mlp.gate_proj")
    return all(_has(layers[-1], part) for part in parts)


def _has(module: nn.Module, path: str) -> bool:
    for name in path.split("."):
        if not hasattr(module, name):
            return False
        module = getattr(module, name)
    return True


@contextmanager
def cut_short(model: PreTrainedModel, reading: Reading, keep: torch.Tensor) -> Iterator[None]:
    """Leave out what nothing reads from passes inside the `with` block.

    Parameters
    ----------
    model : PreTrainedModel
        One to which this `applies`.
    reading : Reading
        Of the batch.
    keep : torch.Tensor, shape (rows, length)
        Booleans: the tokens whose logits are read. The others' are wrong.
    """
    decoder = model.get_decoder()
    layer, before = decoder.layers[-1], decoder.config._attn_implementation
    kept = keep.flatten().nonzero()[:, 0]
    token = _READING.set(reading)
    decoder.config._attn_implementation = NAME
    with ExitStack() as hooks:
        for module in (layer.self_attn.q_proj, layer.self_attn.o_proj, layer.mlp):
            hooks.callback(module.register_forward_pre_hook(_only(kept)).remove)
            hooks.callback(module.register_forward_hook(_back_among(kept, keep.shape)).remove)
        try:
            yield
        finally:
            decoder.config._attn_implementation = before
            _READING.reset(token)


def _only(kept: torch.Tensor):
    """Return a hook that hands a module these tokens alone, as one row."""

    def hook(_module: nn.Module, inputs: tuple[torch.Tensor]) -> tuple[torch.Tensor]:
        return (inputs[0].flatten(0, 1).index_select(0, kept)[None],)

    return hook


def _back_among(kept: torch.Tensor, shape: torch.Size):
    """Return a hook that puts a module's output for these tokens among zeros for the others."""

    def hook(_module: nn.Module, _inputs: Any, output: torch.Tensor) -> torch.Tensor:
        whole = output.new_zeros(shape.numel(), output.shape[-1])
        return whole.index_copy(0, kept, output[0]).view(*shape, -1)

    return hook
