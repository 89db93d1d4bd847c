"""The chat format of a multimodal model: prompts, their image tokens, and what ends a response.

Every family has a format of its own; the processor knows it. What a processor would get wrong
without saying so (padding, BOS, truncated image tokens) is checked here.
"""

from collections.abc import Sequence

import torch
from PIL import Image
from transformers import BatchFeature, LlavaProcessor, PreTrainedModel, ProcessorMixin


def chat_prompt(processor: ProcessorMixin | None, text: str) -> str:
    """Return the prompt of one image and the user's text, up to where the assistant speaks.

    An endpoint formats prompts itself: without a processor the text comes back unchanged.
    """
    if processor is None:
        return text
    content = [{"type": "image"}, {"type": "text", "text": text}]
    messages = [{"role": "user", "content": content}]
    return processor.apply_chat_template(messages, add_generation_prompt=True, tokenize=False)


def writes_bos(processor: ProcessorMixin, prompt: str) -> bool:
    """Return whether the chat template has put BOS before a prompt, so that nobody else must."""
    bos = processor.tokenizer.bos_token
    return bool(bos) and prompt.startswith(bos)


def encode(
    processor: ProcessorMixin, images: Sequence[Image.Image], texts: Sequence[str]
) -> BatchFeature:
    """Return the model's inputs for user texts with one image each.

    Parameters
    ----------
    processor : ProcessorMixin
        The model's processor; its tokenizer pads on the left.
    images, texts : Sequence
        One image for each text.

    Returns
    -------
    BatchFeature
        `input_ids` and `attention_mask`, each `(batch, length)`, `pixel_values`, and whatever else
        the model's family needs.

    Raises
    ------
    ValueError
        If a row is padded on the right, does not begin with BOS or has lost image tokens to
        truncation.
    """
    return encode_prompts(processor, images, [chat_prompt(processor, text) for text in texts])


def encode_prompts(
    processor: ProcessorMixin, images: Sequence[Image.Image], prompts: Sequence[str]
) -> BatchFeature:
    """Return what `encode` does, for texts that `chat_prompt` has formatted."""
    batch = processor(
        images=list(images),
        text=list(prompts),
        return_tensors="pt",
        padding=True,
        add_special_tokens=not writes_bos(processor, prompts[0]),
    )
    check_batch(processor, images, batch["input_ids"], batch["attention_mask"])
    return batch


def check_batch(
    processor: ProcessorMixin, images: Sequence[Image.Image], ids: torch.Tensor, mask: torch.Tensor
) -> None:
    """Refuse a batch that the model would read wrongly.

    Parameters
    ----------
    processor : ProcessorMixin
        The processor that made the batch.
    images : Sequence[Image.Image]
        One image for each row.
    ids, mask : torch.Tensor
        Token ids and attention mask, `(batch, length)`.

    Raises
    ------
    ValueError
        If a row is padded on the right, does not begin with BOS or has lost image tokens.
    """
    tokenizer = processor.tokenizer
    if mask[:, -1].min() == 0:
        raise ValueError(
            'prompts are not padded on the left; set processor.tokenizer.padding_side = "left"'
        )
    first = ids.gather(1, mask.argmax(1, keepdim=True))
    if tokenizer.bos_token_id is not None and not (first == tokenizer.bos_token_id).all():
        raise ValueError("a prompt does not begin with BOS; check the chat template")
    held = (ids == image_token_id(processor)).sum(1).tolist()
    needed = _image_tokens_needed(processor, images, held)
    if held != needed or 0 in held:
        raise ValueError(
            f"prompts hold {sorted(set(held))} image tokens, "
            f"the images need {sorted(set(needed))}; check truncation"
        )


def _image_tokens_needed(
    processor: ProcessorMixin, images: Sequence[Image.Image], held: list[int]
) -> list[int]:
    """Return how many image tokens each row needs.

    Only LLaVA's processor is asked. Other families count by image size, and their processors
    compare text and ids themselves, so what is `held` is right.
    """
    if not isinstance(processor, LlavaProcessor):
        return held
    sizes = [(image.height, image.width) for image in images]
    return processor._get_num_multimodal_tokens(image_sizes=sizes).num_image_tokens


def image_token_id(processor: ProcessorMixin) -> int:
    """Return the id of the token that stands for a piece of an image."""
    known = getattr(processor, "image_token_id", None)
    return known or processor.tokenizer.convert_tokens_to_ids(processor.image_token)


def picture_marks(processor: ProcessorMixin, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """Return what families with positions inside a picture (Qwen-VL) need beside `ids`.

    Without these marks of which tokens belong to a picture, such a model would read a training
    text at plain positions, unlike a prompt of `encode`, and give no warning.

    Parameters
    ----------
    processor : ProcessorMixin
        The model's processor; it says whether its family needs marks.
    ids : torch.Tensor
        Token ids of any shape.

    Returns
    -------
    dict[str, torch.Tensor]
        `mm_token_type_ids`, shaped like `ids`: 1 for a picture's token, else 0; or nothing.
    """
    if not getattr(processor, "return_mm_token_type_ids", False):
        return {}
    return {"mm_token_type_ids": (ids == image_token_id(processor)).long()}


def stop_ids(model: PreTrainedModel, processor: ProcessorMixin) -> torch.Tensor:
    """Return the ids of all tokens that end a response: the tokenizer's EOS and the model's own."""
    configured = model.generation_config.eos_token_id
    stops = configured if isinstance(configured, list) else [configured]
    ids = {processor.tokenizer.eos_token_id, *stops} - {None}
    return torch.tensor(sorted(ids), device=model.device)
