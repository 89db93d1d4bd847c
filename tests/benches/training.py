"""The peers of training: TRL's trainers in every setting that may be fast, and what they refuse."""

import copy
import logging
import tempfile
import time
from pathlib import Path
from typing import Any

import pandas as pd
from datasets import Dataset
from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel, ProcessorMixin, Trainer
from transformers.trainer_callback import PrinterCallback
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from benches import rows, shapes
from inbol_lib.params import Params
from inbol_lib.training import lora

#: rows that a step reads at a time; gradients add up to the same batch
MICRO_BATCHES = (1, 2, 4, 8, 16)
MERGED = "micro-batch 2, start merged"
MARKED = "micro-batch 2, assistant_only_loss"


def micro_batches(p: Params, sizes: tuple[int, ...] = MICRO_BATCHES) -> dict[str, dict[str, Any]]:
    """Setting -> its arguments, for every micro-batch, and for TRL's default, which keeps nothing
    of the forward pass.
    """
    found = {f"micro-batch {size}": micro_batch(p, size) for size in sizes}
    spare = micro_batch(p, 2) | {"activation_checkpointing": True}
    return found | {"micro-batch 2, checkpointing": spare}


def micro_batch(p: Params, size: int) -> dict[str, Any]:
    return {
        "per_device_train_batch_size": size,
        "gradient_accumulation_steps": max(1, p.batch_size // size),
    }


def dpo_settings(p: Params) -> dict[str, dict[str, Any]]:
    """All settings of `DPOTrainer`.

    With a merged start the reference is the model without adapter; otherwise it is a second
    adapter, as in ours.
    """
    return micro_batches(p) | {MERGED: micro_batch(p, 2)}


def sft_settings(p: Params) -> dict[str, dict[str, Any]]:
    """All settings of `SFTTrainer`; `assistant_only_loss` reads whole conversations."""
    return micro_batches(p) | {MARKED: micro_batch(p, 2) | {"assistant_only_loss": True}}


def saved_start(p: Params, model: PreTrainedModel, folder: Path) -> Path:
    """Save an adapter that changes nothing yet; both sides start from it."""
    get_peft_model(copy.deepcopy(model), lora.lora_config(p, model)).save_pretrained(folder)
    return folder


def dpo_trainer(
    p: Params,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    pairs: Dataset,
    start: Path,
    setting: dict[str, Any],
    merged: bool = False,
) -> DPOTrainer:
    """TRL's trainer, which goes on with the adapter `start` or, merged, puts a new one on it."""
    fresh = PeftModel.from_pretrained(copy.deepcopy(model), start, is_trainable=True)
    if merged:
        whole = fresh.merge_and_unload()
        fresh = get_peft_model(whole, lora.lora_config(p, whole))
    arguments = lora.arguments(p, fresh, Path(tempfile.mkdtemp()), p.dpo_learning_rate)
    return DPOTrainer(
        model=fresh,
        args=DPOConfig(**arguments | setting, beta=p.beta),
        processing_class=processor,
        train_dataset=pairs,
    )


def sft_trainer(
    p: Params,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    talks: Dataset,
    setting: dict[str, Any],
) -> SFTTrainer:
    """TRL's trainer, which puts a new adapter on the model."""
    fresh = copy.deepcopy(model)
    arguments = lora.arguments(p, fresh, Path(tempfile.mkdtemp()), p.learning_rate)
    return SFTTrainer(
        model=fresh,
        args=SFTConfig(**arguments | setting),
        peft_config=lora.lora_config(p, fresh),
        processing_class=processor,
        train_dataset=talks,
    )


def train_seconds(trainer: Trainer) -> float:
    """Seconds of `train()` alone: making the trainer is not counted."""
    trainer.remove_callback(PrinterCallback)
    start = time.perf_counter()
    trainer.train()
    return time.perf_counter() - start


#: switches of TRL's trainers that promise speed or memory, tried on pictures with text
DPO_SWITCHES = (
    {"precompute_ref_log_probs": True},
    {"padding_free": True},
    {"use_logits_to_keep": True},
    {"pad_to_multiple_of": 8},
    {"max_length": 512, "truncation_mode": "keep_end"},
    {"use_liger_kernel": True},
    {"activation_offloading": True},
)
SFT_SWITCHES = (
    {"packing": True},
    {"packing": True, "packing_strategy": "wrapped"},
    {"padding_free": True},
    {"assistant_only_loss": True},
    {"completion_only_loss": True},
    {"pad_to_multiple_of": 8},
    {"max_length": 512, "truncation_mode": "keep_end"},
    {"use_liger_kernel": True},
    {"activation_offloading": True},
)


def refusals(p: Params) -> pd.DataFrame:
    """Try every switch on four rows: `said` is the first line of an error or of TRL's warning."""
    shape = shapes.shape("llava", 36)
    asked = rows.preferences(4, shape.size)
    talks = rows.conversations(rows.instructions(asked))
    start = saved_start(p, shape.theirs, Path(tempfile.mkdtemp()))
    pairs = rows.pairs(shape.processor, asked)

    def dpo(switch: dict[str, Any]) -> Trainer:
        setting = micro_batch(p, 2) | switch
        return dpo_trainer(p, shape.theirs, shape.processor, pairs, start, setting)

    def sft(switch: dict[str, Any]) -> Trainer:
        return sft_trainer(p, shape.theirs, shape.processor, talks, micro_batch(p, 2) | switch)

    found = [answer("DPOTrainer", dpo, switch) for switch in DPO_SWITCHES]
    found += [answer("SFTTrainer", sft, switch) for switch in SFT_SWITCHES]
    return pd.DataFrame(found)


def answer(name: str, make, switch: dict[str, Any]) -> dict[str, str]:
    """What a trainer does about a switch: it trains, trains without it, refuses it, or lacks a
    package or an accelerator for it.
    """
    written = ", ".join(f"{key}={value!r}" for key, value in switch.items())
    heard = Heard()
    logging.getLogger("trl").addHandler(heard)
    result, said = "accepted", ""
    try:
        train_seconds(make(switch))
    except Exception as error:  # whatever it is, it is what TRL says
        refused = isinstance(error, ValueError | TypeError | NotImplementedError)
        result = "refused" if refused else "unavailable here"
        said = f"{type(error).__name__}: {first_line(error)}"
    finally:
        logging.getLogger("trl").removeHandler(heard)
    if result == "accepted" and heard.lines:
        result, said = "ignored", heard.lines[0]
    return {"trainer": name, "switch": written, "result": result, "said": said}


def first_line(error: Exception) -> str:
    return (str(error).splitlines() or [""])[0]


class Heard(logging.Handler):
    """Keeps the warnings in which a trainer names a switch that it does not follow."""

    def __init__(self):
        super().__init__(logging.WARNING)
        self.lines: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        text = record.getMessage()
        if "Falling back" in text or "unavailable" in text:
            self.lines.append(text.splitlines()[0].removeprefix("[RANK 0] "))
