"""The vision tower's output, kept between passes.

The tower is frozen, so a picture's features never change; the same picture is read once per epoch
and once for the reference.
"""

from collections.abc import Sequence
from typing import Any

import torch
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling


class Features:
    """Puts the features of pictures in the place of their pixels, and keeps them for later passes.

    Parameters
    ----------
    limit : int
        Bytes to keep at most; further features are computed each time. A picture takes 18 kB in
        micro-s, but 4.7 MB in LLaVA-1.5-7B, whose tower costs little beside its language model.
    """

    def __init__(self, limit: int = 2**30):
        self.kept: dict[int, torch.Tensor] = {}
        self.left = limit  # bytes

    @torch.no_grad()
    def __call__(
        self, model: PreTrainedModel, numbers: Sequence[int], inputs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return `inputs` with features in the place of pixels.

        Parameters
        ----------
        model : PreTrainedModel
            May be wrapped by DistributedDataParallel.
        numbers : sequence of int, length batch
            Which picture each row of `inputs` shows.
        inputs : dict
            The model's inputs.

        Returns
        -------
        dict
            `inputs` unchanged, unless each row has one picture of a fixed size, as in LLaVA-1.5.
        """
        if not one_fixed_picture_a_row(inputs, len(numbers)):
            return inputs
        found = self.features_of(model, numbers, inputs["pixel_values"])
        image = BaseModelOutputWithPooling(pooler_output=[found[number] for number in numbers])
        others = {name: value for name, value in inputs.items() if name != "pixel_values"}
        return others | {"mm_encoder_outputs": {"image": image}}

    def features_of(
        self, model: PreTrainedModel, numbers: Sequence[int], pixels: torch.Tensor
    ) -> dict[int, torch.Tensor]:
        """Return the features of (at least) these pictures by number; run the tower if need be."""
        found = dict(self.kept)
        missing = [place for place, number in enumerate(numbers) if number not in self.kept]
        if missing:
            plain = getattr(model, "module", model)  # the model inside DistributedDataParallel
            made = plain.get_image_features(pixel_values=pixels[missing]).pooler_output
            for place, features in zip(missing, made, strict=True):
                found[numbers[place]] = features
                self.keep(numbers[place], features)
        return found

    def keep(self, number: int, features: torch.Tensor) -> None:
        """Keep the features of a picture if there is room for them."""
        if features.nbytes <= self.left:
            self.kept[number] = features
            self.left -= features.nbytes


def one_fixed_picture_a_row(inputs: dict[str, Any], rows: int) -> bool:
    """Tell whether `inputs` hold pixels (rows, channels, height, width) and nothing about sizes.

    Other families cut a picture into tiles, or give each row its own number of pixels.
    """
    pixels = inputs.get("pixel_values")
    if pixels is None or "image_sizes" in inputs:
        return False
    return pixels.dim() == 4 and len(pixels) == rows
