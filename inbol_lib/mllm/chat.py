"""TODO."""

from collections.abc import Sequence

import torch
from PIL import Image
from transformers import BatchFeature, LlavaProcessor, ProcessorMixin


def chat_prompt(processor: ProcessorMixin | None, text: str) -> str:
    """The user's image and text in the processor's own chat format, up to where the assistant speaks (an endpoint formats itself)."""
    if processor is None:
        return text
    content = [{"type": "image"}, {"type": "text", "text": text}]
    return processor.apply_chat_template(
        [{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False
    )


def encode(
    processor: ProcessorMixin, images: Sequence[Image.Image], texts: Sequence[str]
) -> BatchFeature:
    """Left-padded inputs for user texts with one image each: input_ids and attention_mask (batch, length), pixel_values.
    Raises ValueError when a row is padded on the right, does not begin with BOS or has lost image tokens (truncation)."""
    prompts = [chat_prompt(processor, text) for text in texts]
    special = not prompts[0].startswith(processor.tokenizer.bos_token or "\0")
    batch = processor(
        images=list(images),
        text=prompts,
        return_tensors="pt",
        padding=True,
        add_special_tokens=special,
    )
    check_batch(processor, images, batch["input_ids"], batch["attention_mask"])
    return batch


def check_batch(
    processor: ProcessorMixin, images: Sequence[Image.Image], ids: torch.Tensor, mask: torch.Tensor
) -> None:
    """Refuse a batch (batch, length) that would be read wrongly: padding, BOS, image tokens."""
    if mask[:, -1].min() == 0:
        raise ValueError(
            'prompts are not padded on the left; set processor.tokenizer.padding_side = "left"'
        )
    first = ids.gather(1, mask.argmax(1, keepdim=True))
    if (
        processor.tokenizer.bos_token_id is not None
        and not (first == processor.tokenizer.bos_token_id).all()
    ):
        raise ValueError("a prompt does not begin with BOS; check the chat template")
    held = (ids == image_token_id(processor)).sum(1).tolist()
    wanted = held  # other families place theirs by image size, and their processors compare text and ids themselves
    if isinstance(processor, LlavaProcessor):
        wanted = processor._get_num_multimodal_tokens(
            image_sizes=[(i.height, i.width) for i in images]
        ).num_image_tokens
    if held != wanted or not min(held):
        raise ValueError(
            f"prompts hold {sorted(set(held))} image tokens, the images need {sorted(set(wanted))}; check truncation"
        )


def image_token_id(processor: ProcessorMixin) -> int:
    return getattr(processor, "image_token_id", None) or processor.tokenizer.convert_tokens_to_ids(
        processor.image_token
    )


def picture_marks(processor: ProcessorMixin, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """What families with positions inside a picture (Qwen-VL) want beside `ids`: which tokens are a picture's. Without it they would
    read a training text at plain positions, unlike a prompt of `encode`, and say nothing."""
    wanted = getattr(processor, "return_mm_token_type_ids", False)
    return {"mm_token_type_ids": (ids == image_token_id(processor)).long()} if wanted else {}
