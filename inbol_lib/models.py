"""Load a model with its processor, speak its chat format, and name the layers that LoRA may touch."""

import os
from collections.abc import Sequence
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, BatchFeature, LlavaProcessor, PreTrainedModel, ProcessorMixin

from inbol_lib import hub
from inbol_lib.endpoints import PREFIX, Endpoint

PACKAGED = Path(__file__).parent / "micro" / "weights"


def resolve(model_id: str) -> str:
    """The packaged folder of a micro model, the folder of a pinned id (hub.source), else the id (a folder, or a Hugging Face id) unchanged.
    Raises ValueError for a "micro-" id that is not packaged, so that no such name is ever looked up on the Hub."""
    if (PACKAGED / model_id / "config.json").is_file():
        return str(PACKAGED / model_id)
    if model_id.startswith("micro-"):
        raise ValueError(f"{model_id} is not packaged; there are: {sorted(f.name for f in PACKAGED.glob('micro-*'))}")
    return hub.source(model_id)


def placement(device: str | None = None) -> dict[str, str | torch.dtype]:
    """Where models run: `device`, else INBOL_DEVICE, else a GPU if there is one; 32-bit floats on the CPU, bfloat16 elsewhere."""
    device = device or os.environ.get("INBOL_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    return {"device": device, "dtype": torch.float32 if device == "cpu" else torch.bfloat16}


def load(model_id: str, adapter: Path | None = None, device: str | None = None) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Model (in evaluation mode, LoRA `adapter` applied) and processor with left padding; an Endpoint and None for "endpoint:<model>".
    Raises ValueError when the tokenizer has no EOS or pad token, or pads with EOS (EOS would drop out of the loss)."""
    if model_id.startswith(PREFIX):
        return Endpoint(model_id), None
    source, where = resolve(model_id), placement(device)
    offline = {"local_files_only": Path(source).is_dir()}
    processor = AutoProcessor.from_pretrained(source, **offline)
    check_tokens(processor)
    processor.tokenizer.padding_side = "left"
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=where["dtype"], **offline)
    if adapter is not None:
        from peft import PeftModel  # two seconds that most notebooks need not wait

        model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    return model.to(where["device"]).eval(), processor


def check_tokens(processor: ProcessorMixin) -> None:
    """Refuse tokenizers under which a training or a padded batch would go wrong unnoticed."""
    tokenizer = processor.tokenizer
    missing = [name for name in ("eos_token_id", "pad_token_id") if getattr(tokenizer, name) is None]
    if missing:
        raise ValueError(f"the tokenizer has no {', '.join(missing)}; add them before training or batching")
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise ValueError("pad and EOS are the same token, so EOS would be masked from the loss; give it a pad token of its own")


def chat_prompt(processor: ProcessorMixin | None, text: str) -> str:
    """The user's image and text in the processor's own chat format, up to where the assistant speaks (an endpoint formats itself)."""
    if processor is None:
        return text
    content = [{"type": "image"}, {"type": "text", "text": text}]
    return processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False)


def encode(processor: ProcessorMixin, images: Sequence[Image.Image], texts: Sequence[str]) -> BatchFeature:
    """Left-padded inputs for user texts with one image each: input_ids and attention_mask (batch, length), pixel_values.
    Raises ValueError when a row is padded on the right, does not begin with BOS or has lost image tokens (truncation)."""
    prompts = [chat_prompt(processor, text) for text in texts]
    special = not prompts[0].startswith(processor.tokenizer.bos_token or "\0")
    batch = processor(images=list(images), text=prompts, return_tensors="pt", padding=True, add_special_tokens=special)
    check_batch(processor, images, batch["input_ids"], batch["attention_mask"])
    return batch


def check_batch(processor: ProcessorMixin, images: Sequence[Image.Image], ids: torch.Tensor, mask: torch.Tensor) -> None:
    """Refuse a batch (batch, length) that would be read wrongly: padding, BOS, image tokens."""
    if mask[:, -1].min() == 0:
        raise ValueError('prompts are not padded on the left; set processor.tokenizer.padding_side = "left"')
    first = ids.gather(1, mask.argmax(1, keepdim=True))
    if processor.tokenizer.bos_token_id is not None and not (first == processor.tokenizer.bos_token_id).all():
        raise ValueError("a prompt does not begin with BOS; check the chat template")
    held = (ids == image_token_id(processor)).sum(1).tolist()
    wanted = held  # other families place theirs by image size, and their processors compare text and ids themselves
    if isinstance(processor, LlavaProcessor):
        wanted = processor._get_num_multimodal_tokens(image_sizes=[(i.height, i.width) for i in images]).num_image_tokens
    if held != wanted or not min(held):
        raise ValueError(f"prompts hold {sorted(set(held))} image tokens, the images need {sorted(set(wanted))}; check truncation")


def additive(seen: torch.Tensor, model: PreTrainedModel) -> torch.Tensor:
    """The mask that eager and SDPA attention add, (batch, 1, queries, keys), of who sees whom, (batch, queries, keys)."""
    return torch.zeros_like(seen, dtype=model.dtype).masked_fill(~seen, torch.finfo(model.dtype).min)[:, None]


def image_token_id(processor: ProcessorMixin) -> int:
    return getattr(processor, "image_token_id", None) or processor.tokenizer.convert_tokens_to_ids(processor.image_token)


def picture_marks(processor: ProcessorMixin, ids: torch.Tensor) -> dict[str, torch.Tensor]:
    """What families with positions inside a picture (Qwen-VL) want beside `ids`: which tokens are a picture's. Without it they would
    read a training text at plain positions, unlike a prompt of `encode`, and say nothing."""
    wanted = getattr(processor, "return_mm_token_type_ids", False)
    return {"mm_token_type_ids": (ids == image_token_id(processor)).long()} if wanted else {}


def language_model_linear_names(model: PreTrainedModel) -> list[str]:
    """Full names of the linear layers inside the language model: what LoRA adapts (paper-like), nothing visual.
    Raises ValueError when the language model can not be told from the vision tower."""
    inside = set(model.get_decoder().modules())
    names = [n for n, m in model.named_modules() if m in inside and isinstance(m, torch.nn.Linear)]
    visual = [n for n in names if any(w in n for w in ("vision", "visual", "projector"))]
    if visual or not names:
        raise ValueError(f"expected language layers alone, got {visual or 'none'}")
    return names
