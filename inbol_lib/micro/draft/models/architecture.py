"""A LLaVA-1.5 in miniature: CLIP vision tower, two-layer projector and Llama.

All parts are the Hugging Face classes that the full model is made of, so whatever works on a
miniature works on LLaVA-1.5 as well.
"""

import torch
from transformers import (
    CLIPImageProcessorPil,
    CLIPVisionConfig,
    LlavaConfig,
    LlavaForConditionalGeneration,
    LlavaProcessor,
    PreTrainedTokenizerFast,
)

from inbol_lib.micro.models.architecture import (
    CHAT_TEMPLATE,
    Size,
    Stack,
    text_config,
    train_tokenizer,
)

__all__ = ["SIZES", "build", "processor", "train_tokenizer"]

IMAGE_SIZE, PATCH_SIZE = 72, 12  # in pixels; makes 6 x 6 = 36 image tokens

SIZES = {
    "tiny": Size(Stack(32, 2, 2), Stack(32, 2, 2)),
    "s": Size(Stack(128, 3, 4), Stack(128, 6, 4)),
    "m": Size(Stack(160, 4, 5), Stack(192, 6, 6)),
}


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
