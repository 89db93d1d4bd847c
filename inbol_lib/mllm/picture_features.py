"""The frozen vision tower: its unread layers are skipped, and its output is kept between passes.

The tower never changes, whatever is trained or merged, so neither do a picture's features. They are
computed once for all questions about a picture, all epochs, all methods and the reference.
"""

import hashlib
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from PIL import Image
from transformers import PreTrainedModel
from transformers.modeling_outputs import BaseModelOutputWithPooling


def picture_key(image: Image.Image) -> bytes:
    """Return a digest of a picture's size, mode and pixels: equal pictures have equal keys."""
    digest = hashlib.blake2b(f"{image.mode} {image.size}".encode(), digest_size=16)
    digest.update(image.tobytes())
    return digest.digest()


def skip_unread_layers(model: PreTrainedModel) -> int:
    """Make the vision tower skip the layers behind the one whose features the model reads.

    LLaVA reads the last layer but one, yet Transformers runs all of them. The layers keep their
    weights and places, so that saving and numbering stay as they are; the features are equal bit
    for bit.

    Returns
    -------
    int
        How many layers are skipped: 0 for families that read the tower's last output.
    """
    tower = getattr(model.base_model, "vision_tower", None)
    layers = getattr(getattr(tower, "encoder", None), "layers", None)
    read = getattr(model.config, "vision_feature_layer", None)
    if layers is None or read is None:
        return 0
    # Of the hidden states, number 0 is the input of layer 0, so number k needs k layers.
    states = range(len(layers) + 1)
    deepest = max(states[number] for number in ([read] if isinstance(read, int) else read))
    for layer in layers[deepest:]:
        layer.forward = _unchanged
    return len(layers) - deepest


def _unchanged(hidden_states: torch.Tensor, *_args: Any, **_options: Any) -> torch.Tensor:
    return hidden_states


class Features:
    """Puts the features of pictures in the place of their pixels, and keeps them for later passes.

    Parameters
    ----------
    limit : int
        Bytes to keep at most; further features are computed each time. A picture takes 18 kB in
        micro-s, but 4.7 MB in LLaVA-1.5-7B, whose tower costs little beside its language model.
    """

    def __init__(self, limit: int = 2**30):
        self.kept: dict[Hashable, torch.Tensor] = {}
        self.left = limit  # bytes

    @torch.no_grad()
    def __call__(
        self, model: PreTrainedModel, pictures: Sequence[Hashable], inputs: dict[str, Any]
    ) -> dict[str, Any]:
        """Return `inputs` with features in the place of pixels.

        Parameters
        ----------
        model : PreTrainedModel
            May be wrapped by DistributedDataParallel.
        pictures : sequence of hashable, length batch
            Which picture each row of `inputs` shows.
        inputs : dict
            The model's inputs.

        Returns
        -------
        dict
            `inputs` unchanged, unless each row has one picture of a fixed size, as in LLaVA-1.5.
        """
        if not one_fixed_picture_a_row(inputs, len(pictures)):
            return inputs
        found = self.features_of(model, pictures, inputs["pixel_values"])
        others = {name: value for name, value in inputs.items() if name != "pixel_values"}
        return others | as_inputs([found[picture] for picture in pictures])

    def features_of(
        self, model: PreTrainedModel, pictures: Sequence[Hashable], pixels: torch.Tensor
    ) -> dict[Hashable, torch.Tensor]:
        """Return the features of these pictures; run the tower once for each that is not kept."""
        places = {picture: place for place, picture in enumerate(pictures)}
        found = {picture: self.kept[picture] for picture in places if picture in self.kept}
        missing = [picture for picture in places if picture not in found]
        if missing:
            plain = getattr(model, "module", model)  # the model inside DistributedDataParallel
            shown = pixels[[places[picture] for picture in missing]]
            made = plain.get_image_features(pixel_values=shown).pooler_output
            for picture, features in zip(missing, made, strict=True):
                found[picture] = features
                self.keep(picture, features)
        return found

    def keep(self, picture: Hashable, features: torch.Tensor) -> None:
        """Keep the features of a picture if there is room for them."""
        if features.nbytes <= self.left:
            self.kept[picture] = features
            self.left -= features.nbytes


def as_inputs(features: list[torch.Tensor]) -> dict[str, Any]:
    """Return what a model takes instead of pixels: the features of each row's picture."""
    return {"mm_encoder_outputs": {"image": BaseModelOutputWithPooling(pooler_output=features)}}


def one_fixed_picture_a_row(inputs: dict[str, Any], rows: int) -> bool:
    """Tell whether `inputs` hold pixels (rows, channels, height, width) and nothing about sizes.

    Other families cut a picture into tiles, or give each row its own number of pixels.
    """
    pixels = inputs.get("pixel_values")
    if pixels is None or "image_sizes" in inputs:
        return False
    return pixels.dim() == 4 and len(pixels) == rows
