"""LoRA's linear layers in fewer and larger multiplications (ours), with the same gradients.

PEFT multiplies every token by W, by A and by B, and adds up. Small matrices make that slow on a
CPU, where W + s B A costs less to add up once for all tokens of a pass. The gradients of A and B
are those of PEFT's sum, to rounding.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from peft.tuners.lora import Linear
from torch import nn


class _Adapted(torch.autograd.Function):
    """x (W + s B A)^T + bias, with gradients of x, A and B."""

    @staticmethod
    def forward(ctx, x, weight, bias, down, up, scaling):
        whole = torch.addmm(weight, up, down, alpha=scaling)
        ctx.save_for_backward(x, whole, down, up)
        ctx.scaling = scaling
        return nn.functional.linear(x, whole, bias)

    @staticmethod
    def backward(ctx, grad):
        x, whole, down, up = ctx.saved_tensors
        of_x = grad @ whole if ctx.needs_input_grad[0] else None
        flat, grad = x.flatten(0, -2), grad.flatten(0, -2)
        low = grad @ (ctx.scaling * up)  # (tokens, rank)
        of_down = low.T @ flat
        of_up = grad.T @ (flat @ (ctx.scaling * down).T)
        return of_x, None, None, of_down, of_up, None


def _forward(layer: Linear, x: torch.Tensor, *args: Any, **options: Any) -> torch.Tensor:
    """Compute what PEFT's `Linear.forward` does."""
    base = layer.base_layer
    enough = x.numel() // x.shape[-1] >= max(base.in_features, base.out_features)
    if args or options or not enough or not _is_simple(layer, x):
        return type(layer).forward(layer, x, *args, **options)
    (name,) = layer.active_adapters
    down, up = layer.lora_A[name].weight, layer.lora_B[name].weight
    return _Adapted.apply(x, base.weight, base.bias, down, up, layer.scaling[name])


def _is_simple(layer: Linear, x: torch.Tensor) -> bool:
    """Tell whether the layer is W + s B A, all in the precision of `x`, at this moment."""
    if layer.disable_adapters or layer.merged or torch.is_autocast_enabled(x.device.type):
        return False
    active = layer.active_adapters
    if len(active) != 1 or active[0] not in layer.lora_A or active[0] in layer.lora_variant:
        return False
    dropout, down, up = (
        getattr(layer, part)[active[0]] for part in ("lora_dropout", "lora_A", "lora_B")
    )
    drops = layer.training and not isinstance(dropout, nn.Identity)
    same = x.dtype == layer.base_layer.weight.dtype == down.weight.dtype
    return same and not drops and up.bias is None


@contextmanager
def fewer_multiplications(model: nn.Module) -> Iterator[None]:
    """Let LoRA's linear layers of a model on a CPU compute in this way inside the `with` block.

    Layers with dropout, or with fewer tokens in a pass than a side of W has rows, compute as ever.

    Parameters
    ----------
    model : nn.Module
        With adapters of PEFT. On a GPU nothing changes.
    """
    layers = [layer for layer in model.modules() if type(layer) is Linear]
    if next(model.parameters()).device.type != "cpu":
        layers = []
    layers = [layer for layer in layers if type(layer.base_layer) is nn.Linear]
    for layer in layers:
        layer.forward = partial(_forward, layer)
    try:
        yield
    finally:
        for layer in layers:
            del layer.forward
