"""A LLaVA-1.5 in miniature: CLIP vision tower, two-layer projector and Llama.

All parts are the Hugging Face classes that the full model is made of, so whatever works on a
miniature works on LLaVA-1.5 as well.
"""

from collections.abc import Iterable
from typing import NamedTuple

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlamaConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

IMAGE_SIZE, PATCH_SIZE = 72, 12  # in pixels; makes 6 x 6 = 36 image tokens
SPECIAL_TOKENS = ["<unk>", "<s>", "</s>", "<pad>", "<image>"]


class Stack(NamedTuple):
    """The size of a stack of transformer layers."""

    width: int
    layers: int
    heads: int


class Size(NamedTuple):
    """The size of a miniature."""

    vision: Stack
    language: Stack


SIZES = {
    "tiny": Size(Stack(32, 2, 2), Stack(32, 2, 2)),
    "s": Size(Stack(128, 3, 4), Stack(128, 6, 4)),
    "m": Size(Stack(160, 4, 5), Stack(192, 6, 6)),
}

#: LLaVA-1.5's chat format, with the two things that its published template lacks for training: BOS
#: in front, and EOS after each answer.
CHAT_TEMPLATE = (
    "{{ bos_token }}{% for message in messages %}"
    "{% if message['role'] == 'user' %}USER: "
    "{% if message['content'] is string %}{{ message['content'] }}{% else %}"
    "{% for part in message['content'] if part['type'] == 'image' %}<image>\n{% endfor %}"
    "{% for part in message['content'] if part['type'] == 'text' %}{{ part['text'] }}{% endfor %}"
    "{% endif %} "
    "{% else %}ASSISTANT: {% generation %}"
    "{% if message['content'] is string %}{{ message['content'] }}"
    "{% else %}{{ message['content'][0]['text'] }}{% endif %}"
    "{{ eos_token }}{% endgeneration %}{% endif %}{% endfor %}"
    "{% if add_generation_prompt %}ASSISTANT:{% endif %}"
)


def train_tokenizer(texts: Iterable[str], vocab_size: int = 1024) -> PreTrainedTokenizerFast:
    """Train a byte-level BPE tokenizer; every digit is a token of its own.

    So no number hides inside another, and a model can count and add without knowing each by heart.
    """
    tokenizer = Tokenizer(models.BPE())
    digits = pre_tokenizers.Digits(individual_digits=True)
    byte_level = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, byte_level])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        pad_token="<pad>",
        extra_special_tokens={"image_token": "<image>"},
        padding_side="left",
        clean_up_tokenization_spaces=False,
    )


def processor(tokenizer: PreTrainedTokenizerFast) -> LlavaProcessor:
    """Return a stock `LlavaProcessor` with the PIL image backend and the chat format above."""
    edge = {"height": IMAGE_SIZE, "width": IMAGE_SIZE}
    image_processor = CLIPImageProcessorPil(
        size=edge, crop_size=edge, do_center_crop=False, image_mean=[0.5] * 3, image_std=[0.5] * 3
    )
    return LlavaProcessor(
        image_processor,
        tokenizer,
        patch_size=PATCH_SIZE,
        vision_feature_select_strategy="default",
        num_additional_image_tokens=1,
        chat_template=CHAT_TEMPLATE,
    )


def build(
    size: str, tokenizer: PreTrainedTokenizerFast, seed: int = 0
) -> LlavaForConditionalGeneration:
    """Build a model with random weights.

    The patch embedding starts larger than CLIP's default, with which the vision tower stays at
    chance for thousands of steps.

    Parameters
    ----------
    size : str
        "tiny", "s" or "m".
    tokenizer : PreTrainedTokenizerFast
        Gives the size of the vocabulary and the special tokens.
    seed : int
        The same seed gives the same weights.

    Raises
    ------
    ValueError
        For another size.
    """
    if size not in SIZES:
        raise ValueError(f"size {size!r} is unknown; choose one of {', '.join(SIZES)}")
    torch.manual_seed(seed)
    config = LlavaConfig(
        vision_config=_vision_config(SIZES[size].vision),
        text_config=text_config(SIZES[size].language, tokenizer),
        image_token_id=tokenizer.convert_tokens_to_ids("<image>"),
        image_seq_length=(IMAGE_SIZE // PATCH_SIZE) ** 2,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    model = LlavaForConditionalGeneration(config)
    with torch.no_grad():
        model.model.vision_tower.embeddings.patch_embedding.weight.normal_(0, 0.067)
    return model.eval()


def _vision_config(stack: Stack) -> CLIPVisionConfig:
    return CLIPVisionConfig(
        hidden_size=stack.width,
        intermediate_size=4 * stack.width,
        num_hidden_layers=stack.layers + 1,  # LLaVA reads the last layer but one
        num_attention_heads=stack.heads,
        image_size=IMAGE_SIZE,
        patch_size=PATCH_SIZE,
        projection_dim=stack.width,
    )


def text_config(stack: Stack, tokenizer: PreTrainedTokenizerFast) -> LlamaConfig:
    """Return the language model's configuration for a size and a tokenizer."""
    return LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=stack.width,
        intermediate_size=stack.width * 8 // 3,
        num_hidden_layers=stack.layers,
        num_attention_heads=stack.heads,
        num_key_value_heads=stack.heads,
        max_position_embeddings=512,
        tie_word_embeddings=False,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
    )
