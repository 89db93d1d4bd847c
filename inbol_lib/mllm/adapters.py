"""LoRA adapters of a loaded model, put on and taken off without loading it again."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import PreTrainedModel


@contextmanager
def worn(model: PreTrainedModel, adapter: Path | None) -> Iterator[PreTrainedModel]:
    """Merge an adapter into the model's weights, and put back the weights themselves afterwards.

    What PEFT has added could only be subtracted up to rounding, so the weights that an adapter
    changes are copied first (to the memory of the CPU), and every adapter meets the same model.

    Parameters
    ----------
    model : PreTrainedModel
        As `loading.load` returns it; changed in place meanwhile.
    adapter : Path | None
        Folder of a LoRA adapter; None leaves the model as it is.

    Yields
    ------
    PreTrainedModel
        `model`, equal bit for bit to what `loading.load` returns for this adapter.
    """
    if adapter is None:
        yield model
        return
    from peft import PeftModel  # here, because it takes two seconds that most notebooks can save
    from peft.tuners.tuners_utils import BaseTunerLayer

    wrapped = PeftModel.from_pretrained(model, str(adapter))
    changed = [
        layer.get_base_layer().weight
        for layer in wrapped.modules()
        if isinstance(layer, BaseTunerLayer)
    ]
    kept = [weight.detach().to("cpu", copy=True) for weight in changed]
    merged = wrapped.merge_and_unload()
    try:
        yield merged
    finally:
        with torch.no_grad():
            for weight, before in zip(changed, kept, strict=True):
                weight.copy_(before)
        vars(model).pop("peft_config", None)  # so that PEFT takes the model for a fresh one
