"""Load a model with its processor, speak its chat format, and name the layers that LoRA may touch."""

import os
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

from inbol_lib.mllm import pinning
from inbol_lib.mllm.endpoints import PREFIX, Endpoint
from inbol_lib.paths import WEIGHTS


def resolve(model_id: str) -> str:
    """The packaged folder of a micro model, the folder of a pinned id (pinning.source), else the id (a folder, or a Hugging Face id) unchanged.
    Raises ValueError for a "micro-" id that is not packaged, so that no such name is ever looked up on the Hub."""
    if (WEIGHTS / model_id / "config.json").is_file():
        return str(WEIGHTS / model_id)
    if model_id.startswith("micro-"):
        raise ValueError(
            f"{model_id} is not packaged; there are: {sorted(f.name for f in WEIGHTS.glob('micro-*'))}"
        )
    return pinning.source(model_id)


def placement(device: str | None = None) -> dict[str, str | torch.dtype]:
    """Where models run: `device`, else INBOL_DEVICE, else a GPU if there is one; 32-bit floats on the CPU, bfloat16 elsewhere."""
    device = (
        device or os.environ.get("INBOL_DEVICE") or ("cuda" if torch.cuda.is_available() else "cpu")
    )
    return {"device": device, "dtype": torch.float32 if device == "cpu" else torch.bfloat16}


def load(
    model_id: str, adapter: Path | None = None, device: str | None = None
) -> tuple[PreTrainedModel, ProcessorMixin]:
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
    missing = [
        name for name in ("eos_token_id", "pad_token_id") if getattr(tokenizer, name) is None
    ]
    if missing:
        raise ValueError(
            f"the tokenizer has no {', '.join(missing)}; add them before training or batching"
        )
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise ValueError(
            "pad and EOS are the same token, so EOS would be masked from the loss; give it a pad token of its own"
        )


def language_model_linear_names(model: PreTrainedModel) -> list[str]:
    """Full names of the linear layers inside the language model: what LoRA adapts (paper-like), nothing visual.
    Raises ValueError when the language model can not be told from the vision tower."""
    inside = set(model.get_decoder().modules())
    names = [n for n, m in model.named_modules() if m in inside and isinstance(m, torch.nn.Linear)]
    visual = [n for n in names if any(w in n for w in ("vision", "visual", "projector"))]
    if visual or not names:
        raise ValueError(f"expected language layers alone, got {visual or 'none'}")
    return names
