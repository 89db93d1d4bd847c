"""TODO."""

from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling


class Features:
    """What the frozen vision tower sees in each picture, kept for the next pass up to `limit` bytes (a picture has 18 kB in micro-s, but
    4.7 MB in LLaVA-1.5-7B, whose tower costs little beside the language model). For models that read one picture of fixed size a row."""

    def __init__(self, limit: int = 2**30):
        self.kept: dict[int, torch.Tensor] = {}
        self.left = limit

    @torch.no_grad()
    def __call__(
        self, model: PreTrainedModel, numbers: list[int], inputs: dict[str, Any]
    ) -> dict[str, Any]:
        """`inputs` with the rows' features in place of their pixels; unchanged for other kinds of models."""
        pixels = inputs.get("pixel_values")
        if (
            "image_sizes" in inputs
            or pixels is None
            or pixels.dim() != 4
            or len(pixels) != len(numbers)
        ):
            return inputs
        missing = [k for k, number in enumerate(numbers) if number not in self.kept]
        found = dict(self.kept)
        if missing:
            made = (
                getattr(model, "module", model)
                .get_image_features(pixel_values=pixels[missing])
                .pooler_output
            )
            for k, features in zip(missing, made, strict=True):
                found[numbers[k]] = features
                if (size := features.nbytes) <= self.left:
                    self.kept[numbers[k]], self.left = features, self.left - size
        image = BaseModelOutputWithPooling(pooler_output=[found[number] for number in numbers])
        return {k: v for k, v in inputs.items() if k != "pixel_values"} | {
            "mm_encoder_outputs": {"image": image}
        }
