"""Small models of three families, about as large as micro-s, with random weights."""

import copy
from collections.abc import Callable
from functools import partial
from typing import NamedTuple

import smolvlm
import torch
from transformers import (
    AutoConfig,
    AutoModelForImageTextToText,
    AutoProcessor,
    Idefics3Config,
    LlavaConfig,
    PaddleOCRVLProcessor,
    PretrainedConfig,
    PreTrainedModel,
    ProcessorMixin,
    Qwen2_5_VLConfig,
    Qwen2VLImageProcessorPil,
)

from inbol_lib.micro.models.architecture import CHAT_TEMPLATE
from inbol_lib.mllm import loading
from inbol_lib.mllm.picture_features import skip_unread_layers

#: LLaVA-1.5's number of image tokens, which the other families' pictures have as well
LARGE = 576
TOWER = {"hidden_size": 128, "intermediate_size": 512, "num_attention_heads": 4}


class Shape(NamedTuple):
    """A model for our side, its equal for the peer, and what both read.

    `ours` skips the tower's unread layers, as `loading.load` makes it; `theirs` is as Transformers
    builds it. `size` is that of a picture in pixels, height and width.
    """

    ours: PreTrainedModel
    theirs: PreTrainedModel
    processor: ProcessorMixin
    size: tuple[int, int]


def shape(family: str, image_tokens: int = LARGE) -> Shape:
    """Return a family's models for pictures of `image_tokens` tokens (LLaVA) or of 576."""
    if family != "llava" and image_tokens != LARGE:
        raise ValueError(f"{family} has {LARGE} image tokens here, not {image_tokens}")
    config, processor, size = llava(image_tokens) if family == "llava" else OTHERS[family]()
    return pair(config, processor, size)


def pair(config: PretrainedConfig, processor: ProcessorMixin, size: tuple[int, int]) -> Shape:
    """Build one model with random weights where models run, and make a copy of it for our side."""
    processor.tokenizer.padding_side = "left"
    theirs = random_model(config, processor)
    ours = copy.deepcopy(theirs)
    skip_unread_layers(ours)
    return Shape(ours, theirs, processor, size)


def random_model(config: PretrainedConfig, processor: ProcessorMixin) -> PreTrainedModel:
    torch.manual_seed(0)
    where = loading.placement()
    with torch.device(where["device"]):
        model = AutoModelForImageTextToText.from_config(config, dtype=where["dtype"]).eval()
    model.generation_config.eos_token_id = processor.tokenizer.eos_token_id
    model.generation_config.pad_token_id = processor.tokenizer.pad_token_id
    return model


def micro_s() -> tuple[LlavaConfig, ProcessorMixin]:
    folder = loading.resolve("micro-s")
    return AutoConfig.from_pretrained(folder), AutoProcessor.from_pretrained(folder)


def llava(image_tokens: int) -> tuple[LlavaConfig, ProcessorMixin, tuple[int, int]]:
    """micro-s for larger pictures."""
    config, processor = micro_s()
    edge = round(image_tokens**0.5) * config.vision_config.patch_size
    return sized(config, processor, edge)


def sized(
    config: LlavaConfig, processor: ProcessorMixin, edge: int
) -> tuple[LlavaConfig, ProcessorMixin, tuple[int, int]]:
    """A LLaVA for pictures of `edge` pixels a side."""
    config.vision_config.image_size, config.text_config.max_position_embeddings = edge, 4096
    config.image_seq_length = (edge // config.vision_config.patch_size) ** 2
    processor.patch_size = config.vision_config.patch_size
    square = {"height": edge, "width": edge}
    processor.image_processor.size = processor.image_processor.crop_size = square
    return config, processor, (edge, edge)


def idefics3() -> tuple[Idefics3Config, ProcessorMixin, tuple[int, int]]:
    """Four times two tiles and the whole picture, 64 tokens each."""
    config, read = micro_s()
    processor = smolvlm.processor(read.tokenizer, CHAT_TEMPLATE, edge=128, scale=1)
    made = Idefics3Config(
        vision_config={**TOWER, "num_hidden_layers": 3, "image_size": 128, "patch_size": 16},
        text_config=text_config(config, processor),
        scale_factor=1,
        image_token_id=processor.image_token_id,
        pad_token_id=processor.tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    return made, processor, (256, 512)


def text_config(config: LlavaConfig, processor: ProcessorMixin) -> dict:
    """micro-s's language model with room for a family's own marks."""
    text = config.text_config.to_dict()
    return text | {"vocab_size": len(processor.tokenizer), "max_position_embeddings": 4096}


def qwen2_5_vl() -> tuple[Qwen2_5_VLConfig, ProcessorMixin, tuple[int, int]]:
    """24 x 24 squares of 16 pixels, which have positions inside the picture."""
    config, read = micro_s()
    marks = {
        "image": "<|image_pad|>",
        "video": "<|video_pad|>",
        "vision_start": "<|vision_start|>",
        "vision_end": "<|vision_end|>",
    }
    tokenizer, edge = read.tokenizer, 384
    tokenizer.add_special_tokens({"additional_special_tokens": list(marks.values())})
    ids = {name: tokenizer.convert_tokens_to_ids(mark) for name, mark in marks.items()}
    tokenizer.image_token, tokenizer.image_token_id = marks["image"], ids["image"]
    pictures = Qwen2VLImageProcessorPil(
        patch_size=8, merge_size=2, size={"shortest_edge": 256, "longest_edge": edge**2}
    )
    template = CHAT_TEMPLATE.replace("<image>\n", "<|vision_start|><|image_pad|><|vision_end|>")
    # The family's own class reads videos too, which takes torchvision; this one treats pictures
    # alike.
    processor = PaddleOCRVLProcessor(pictures, tokenizer, chat_template=template)
    text = text_config(config, processor)
    rope = {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [4, 6, 6]}
    made = Qwen2_5_VLConfig(
        text_config=text | {"model_type": "qwen2_5_vl_text", "rope_parameters": rope},
        vision_config={
            "depth": 3,
            "hidden_size": 128,
            "intermediate_size": 512,
            "num_heads": 4,
            "patch_size": 8,
            "window_size": 64,
            "out_hidden_size": 128,
            "fullatt_block_indexes": [2],
        },
        tie_word_embeddings=False,
        **{f"{name}_token_id": number for name, number in ids.items()},
    )
    return made, processor, (edge, edge)


OTHERS: dict[str, Callable] = {"idefics3": idefics3, "qwen2_5_vl": qwen2_5_vl}


def never_stop(model: PreTrainedModel, processor: ProcessorMixin) -> None:
    """Take EOS out of everything that the model may say, so that all responses have full length."""
    mute = partial(without_token, processor.tokenizer.eos_token_id)
    model.get_output_embeddings().register_forward_hook(mute)


def without_token(token: int, _module, _inputs, logits: torch.Tensor) -> torch.Tensor:
    logits[..., token] = torch.finfo(logits.dtype).min
    return logits
