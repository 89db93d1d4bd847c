"""Load a model with its processor, speak its chat format, and name the layers that LoRA may touch."""

import os
from pathlib import Path

import torch
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

PACKAGED = Path(__file__).parent / "micro" / "weights"


def resolve(model_id: str) -> str:
    """The packaged folder of a micro model, else the id (a folder, or a Hugging Face id) unchanged."""
    return str(PACKAGED / model_id) if (PACKAGED / model_id / "config.json").is_file() else model_id


def load(model_id: str, adapter: Path | None = None, device: str | None = None) -> tuple[PreTrainedModel, ProcessorMixin]:
    """Model (in evaluation mode, LoRA `adapter` applied) and processor with left padding.

    Raises ValueError when the tokenizer has no BOS, EOS or pad token, or pads with EOS (EOS would drop out of the loss).
    """
    source = resolve(model_id)
    if model_id.startswith("micro-") and source == model_id:
        raise ValueError(f"{model_id} is not packaged; there are: {sorted(f.name for f in PACKAGED.glob('micro-*'))}")
    processor = AutoProcessor.from_pretrained(source)
    check_tokens(processor)
    processor.tokenizer.padding_side = "left"
    device = device or os.environ.get("INBOL_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    model = AutoModelForImageTextToText.from_pretrained(source, dtype=torch.float32 if device == "cpu" else torch.bfloat16)
    if adapter is not None:
        from peft import PeftModel

        model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    return model.to(device).eval(), processor


def check_tokens(processor: ProcessorMixin) -> None:
    """Refuse tokenizers under which a training or a padded batch would go wrong unnoticed."""
    tokenizer = processor.tokenizer
    missing = [name for name in ("eos_token_id", "pad_token_id") if getattr(tokenizer, name) is None]
    if missing:
        raise ValueError(f"the tokenizer has no {', '.join(missing)}; add them before training or batching")
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise ValueError("pad and EOS are the same token, so EOS would be masked from the loss; give it a pad token of its own")


def chat_prompt(processor: ProcessorMixin, text: str, image: bool = True) -> str:
    """The user's text in the processor's own chat format, up to where the assistant speaks."""
    content = [{"type": "image"}] * image + [{"type": "text", "text": text}]
    return processor.apply_chat_template([{"role": "user", "content": content}], add_generation_prompt=True, tokenize=False)


def encode(processor: ProcessorMixin, images: list[Image.Image], texts: list[str]) -> dict[str, torch.Tensor]:
    """Left-padded inputs for user texts with one image each: input_ids and attention_mask (batch, length), pixel_values.

    Raises ValueError when a row lost image tokens (truncation) or does not begin with BOS.
    """
    prompts = [chat_prompt(processor, text) for text in texts]
    tokenizer = processor.tokenizer
    special = not prompts[0].startswith(tokenizer.bos_token or "\0")
    batch = processor(images=list(images), text=prompts, return_tensors="pt", padding=True, add_special_tokens=special)
    counts = (batch["input_ids"] == image_token_id(processor)).sum(1)
    if counts.min() == 0:
        raise ValueError("a prompt holds no image token; check the chat template and truncation")
    if batch["attention_mask"][:, -1].min() == 0:
        raise ValueError("prompts are not padded on the left")
    return dict(batch)


def image_token_id(processor: ProcessorMixin) -> int:
    return getattr(processor, "image_token_id", None) or processor.tokenizer.convert_tokens_to_ids(processor.image_token)


def language_model_linear_names(model: PreTrainedModel) -> list[str]:
    """Full names of the linear layers inside the language model: what LoRA adapts (paper-like), nothing visual.

    Raises ValueError when the language model can not be told from the vision tower.
    """
    language = model.get_decoder() if hasattr(model, "get_decoder") else None
    if language is None:
        raise ValueError(f"{type(model).__name__} does not say which part is its language model")
    inside = {id(m) for m in language.modules() if isinstance(m, torch.nn.Linear)}
    names = [n for n, m in model.named_modules() if id(m) in inside]
    visual = [n for n in names if any(w in n for w in ("vision", "visual", "projector"))]
    if visual or not names:
        raise ValueError(f"expected language layers alone, got {visual or 'none'}")
    return names
