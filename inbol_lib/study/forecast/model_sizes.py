"""The sizes of a model that decide its cost, from a table or from its configuration."""

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from inbol_lib import params
from inbol_lib.errors import ParameterError


class Shape(NamedTuple):
    """The sizes of a model that decide its cost.

    Attributes
    ----------
    language
        Parameters of the decoder.
    vision
        Parameters of the vision tower and the projector.
    lora
        Parameters of an adapter of rank 1 on all linear layers of the decoder.
    image_tokens
        Tokens of a picture in the prompt.
    patches
        Patches of a picture in the vision tower.
    """

    language: int
    vision: int
    lora: int
    image_tokens: int
    patches: int


#: SmolVLM cuts a 4:3 photograph into 12 tiles and adds the whole picture: 13 times 64 tokens, and
#: about 50 that mark them.
SHAPES = {
    "llava-hf/llava-1.5-7b-hf": Shape(6_607_605_760, 324_487_168, 2_498_560, 576, 577),
    "llava-hf/llava-1.5-13b-hf": Shape(12_852_352_000, 334_974_976, 3_911_680, 576, 577),
    "HuggingFaceTB/SmolVLM-256M-Instruct": Shape(134_588_736, 93_510_912, 305_280, 880, 13 * 1024),
}


@cache
def shape(name: str) -> Shape:
    """Return the sizes of a model in `SHAPES`, or of one whose config.json is on this disk.

    Raises
    ------
    ParameterError
        If the model is neither.
    """
    name = params.pinned(name)[0]
    if name in SHAPES:
        return SHAPES[name]
    import torch  # here, because a plan of known models needs none of these, and they load slowly
    from transformers import AutoConfig, AutoModelForImageTextToText

    from inbol_lib.mllm.loading import resolve  # loads torch as well

    if not Path(resolve(name), "config.json").is_file():
        raise ParameterError(
            f"the size of {name} is not known: give a folder that holds its config.json, "
            f"or one of {', '.join(SHAPES)}"
        )
    config = AutoConfig.from_pretrained(resolve(name), local_files_only=True)
    with torch.device("meta"):  # no weights
        return shape_of(AutoModelForImageTextToText.from_config(config))


def shape_of(model: Any) -> Shape:
    """Count the sizes of a model.

    A picture counts as one square of the size that the model's configuration names.

    Raises
    ------
    ParameterError
        If the configuration names no size.
    """
    from inbol_lib.mllm.loading import language_model_linear_names  # loads torch, which is slow

    vision_config = model.config.vision_config
    if not hasattr(vision_config, "image_size"):
        raise ParameterError(
            f"{model.config.model_type} takes pictures of any size, so the plan cannot count "
            "their tokens"
        )
    language = _sizes(model.get_decoder())
    language_and_head = language | _sizes(model.get_output_embeddings())
    everything = _sizes(model)
    vision = sum(size for key, size in everything.items() if key not in language_and_head)
    names = language_model_linear_names(model)
    lora = sum(sum(model.get_submodule(name).weight.shape) for name in names)
    patches = (vision_config.image_size // vision_config.patch_size) ** 2
    image_tokens = getattr(model.config, "image_seq_length", patches)
    return Shape(sum(language.values()), vision, lora, image_tokens, patches + 1)


def _sizes(module: Any) -> dict[int, int]:
    """Return the identity of each parameter -> its number of elements; a tied one counts once."""
    return {id(weight): weight.numel() for weight in module.parameters()}
