"""Load a model with its processor, and name the layers that LoRA may adapt."""

import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from transformers import AutoModelForImageTextToText, AutoProcessor, PreTrainedModel, ProcessorMixin

from inbol_lib.errors import ParameterError
from inbol_lib.mllm import pinning
from inbol_lib.mllm.endpoints import PREFIX, Endpoint
from inbol_lib.mllm.picture_features import skip_unread_layers
from inbol_lib.paths import WEIGHTS


def resolve(model_id: str) -> str:
    """Return what `from_pretrained` loads for a model's name.

    Parameters
    ----------
    model_id : str
        A packaged micro model, an id pinned to a commit, a folder, or an id of the Hub.

    Returns
    -------
    str
        The folder of a packaged model or of a pinned commit; else the id unchanged.

    Raises
    ------
    ParameterError
        If a "micro-" id is not packaged (such a name is never looked up on the Hub), or if a
        pinned commit is unavailable.
    """
    packaged = WEIGHTS / model_id
    if (packaged / "config.json").is_file():
        return str(packaged)
    if model_id.startswith("micro-"):
        there = sorted(folder.name for folder in WEIGHTS.glob("micro-*"))
        raise ParameterError(f"{model_id} is not packaged; there are: {there}")
    return pinning.source(model_id)


def placement(
    device: str | None = None, precision: str = "float32"
) -> dict[str, str | torch.dtype]:
    """Return the `device` and `dtype` of models: `precision` on the CPU, else bfloat16.

    The device is the given one, else that of INBOL_DEVICE, else a GPU if there is one.
    """
    usual = "cuda" if torch.cuda.is_available() else "cpu"
    device = device or os.environ.get("INBOL_DEVICE") or usual
    if device != "cpu":
        return {"device": device, "dtype": torch.bfloat16}
    if precision == "bfloat16" and not _computes_bfloat16():
        warnings.warn(
            "this CPU has no instructions for bfloat16 (AVX512-BF16, AMX), so precision: bfloat16 "
            "is slower here than float32",
            stacklevel=3,
        )
    return {"device": device, "dtype": getattr(torch, precision)}


def _computes_bfloat16() -> bool:
    """Return whether this CPU multiplies matrices of bfloat16 without turning them into float32."""
    has = torch.cpu.get_capabilities()
    return any(has.get(name, False) for name in ("avx512_bf16", "amx_bf16", "bf16"))


def load(
    model_id: str,
    adapter: Path | None = None,
    device: str | None = None,
    precision: str = "float32",
) -> tuple[PreTrainedModel, ProcessorMixin] | tuple[Endpoint, None]:
    """Return a model in evaluation mode and its processor, which pads on the left.

    Parameters
    ----------
    model_id : str
        Any name that `resolve` takes, or "endpoint:<model>".
    adapter : Path | None
        A LoRA adapter to merge into the weights.
    device, precision : str
        See `placement`.

    Returns
    -------
    tuple
        Model and processor; an Endpoint and None for "endpoint:<model>".

    Raises
    ------
    ParameterError
        If nothing can be read under this name, or if the tokenizer has no EOS or pad token, or pads
        with EOS; see also `resolve`.
    """
    if model_id.startswith(PREFIX):
        return Endpoint(model_id), None
    source, where = resolve(model_id), placement(device, precision)
    offline = {"local_files_only": Path(source).is_dir()}
    with _missing_named(model_id):
        processor = AutoProcessor.from_pretrained(source, **offline)
    check_tokens(processor)
    processor.tokenizer.padding_side = "left"
    with _missing_named(model_id):
        model = AutoModelForImageTextToText.from_pretrained(source, dtype=where["dtype"], **offline)
    skip_unread_layers(model)
    if adapter is not None:
        from peft import PeftModel  # takes two seconds that most notebooks can save

        model = PeftModel.from_pretrained(model, str(adapter)).merge_and_unload()
    return model.to(where["device"]).eval(), processor


@contextmanager
def _missing_named(model_id: str) -> Iterator[None]:
    """Turn what transformers says of a model that it cannot find into a ParameterError."""
    try:
        yield
    except OSError as error:
        if error.errno:  # a disk's own trouble
            raise
        raise ParameterError(
            f"model: given {model_id!r}, which cannot be read: {str(error).splitlines()[0]} Give a "
            "folder, a packaged micro model or an id on the Hugging Face Hub; HF_HUB_OFFLINE=0 "
            "lets it be fetched"
        ) from None


def check_tokens(processor: ProcessorMixin) -> None:
    """Refuse a tokenizer that would spoil a training or a padded batch without any error.

    Raises
    ------
    ParameterError
        If there is no EOS or pad token, or if both are the same token, so that EOS would be
        masked from the loss.
    """
    tokenizer = processor.tokenizer
    needed = ("eos_token_id", "pad_token_id")
    missing = [name for name in needed if getattr(tokenizer, name) is None]
    if missing:
        raise ParameterError(
            f"the tokenizer has no {', '.join(missing)}; add them before training or batching"
        )
    if tokenizer.pad_token_id == tokenizer.eos_token_id:
        raise ParameterError(
            "pad and EOS are the same token, so EOS would be masked from the loss; "
            "give it a pad token of its own"
        )


def language_model_linear_names(model: PreTrainedModel) -> list[str]:
    """Return the full names of the linear layers inside the language model, none of them visual.

    These are the layers that LoRA adapts, as in the paper.

    Raises
    ------
    ParameterError
        If the language model cannot be told apart from the vision tower.
    """
    inside = set(model.get_decoder().modules())
    names = [
        name
        for name, module in model.named_modules()
        if module in inside and isinstance(module, torch.nn.Linear)
    ]
    visual = [name for name in names if _is_visual(name)]
    if visual or not names:
        raise ParameterError(f"expected language layers alone, got {visual or 'none'}")
    return names


def _is_visual(name: str) -> bool:
    return any(word in name for word in ("vision", "visual", "projector"))
