"""IDK instruction tuning, and the SFT baseline: LoRA on the language model with TRL's `SFTTrainer` (paper, 3.3, App. E)."""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from datasets import Dataset
from peft import LoraConfig
from transformers import PreTrainedModel, ProcessorMixin
from transformers.trainer_utils import get_last_checkpoint
from trl import SFTConfig, SFTTrainer

from inbol_lib.models import encode, image_token_id, language_model_linear_names
from inbol_lib.params import Params

IGNORE = -100


def lora_config(p: Params, model: PreTrainedModel) -> LoraConfig:
    """LoRA on every linear layer of the language model (rank and alpha: paper, App. E; the targets are ours)."""
    return LoraConfig(
        r=p.lora_rank, lora_alpha=p.lora_alpha, lora_dropout=p.lora_dropout,
        target_modules=language_model_linear_names(model), task_type="CAUSAL_LM",
    )  # fmt: skip


def arguments(p: Params, partial: Path, learning_rate: float) -> dict[str, Any]:
    """What SFTConfig and DPOConfig share. Nothing is cut (`max_length` None), or image tokens could be lost."""
    return {
        "output_dir": str(partial / "checkpoints"), "per_device_train_batch_size": p.batch_size,
        "learning_rate": learning_rate, "num_train_epochs": p.epochs, "warmup_steps": p.warmup_ratio,
        "lr_scheduler_type": "cosine", "seed": p.seed, "data_seed": p.seed, "logging_steps": 5, "logging_first_step": True,
        "save_steps": 200, "save_total_limit": 1, "report_to": "none", "max_length": None, "activation_checkpointing": False,
        "bf16": torch.cuda.is_available(), "use_cpu": not torch.cuda.is_available(), "remove_unused_columns": False,
        "disable_tqdm": True, "dataloader_pin_memory": False,
    }  # fmt: skip


def response_ids(processor: ProcessorMixin, text: str) -> list[int]:
    """Token ids of a response as it follows "ASSISTANT:", closed by EOS (LLaVA's own template leaves EOS out)."""
    tokenizer = processor.tokenizer
    return [*tokenizer(f" {text}", add_special_tokens=False).input_ids, tokenizer.eos_token_id]


def prompts(processor: ProcessorMixin, rows: Dataset, batch: int = 256) -> list[dict[str, Any]]:
    """Token ids of each row's prompt (padding removed) and its pixel values, encoded once for the whole training."""
    out = []
    for start in range(0, len(rows), batch):
        chunk = rows[start : start + batch]
        coded = encode(processor, chunk["image"], chunk["prompt"])
        for i, mask in enumerate(coded["attention_mask"].bool()):
            rest = {k: v[i] for k, v in coded.items() if k not in ("input_ids", "attention_mask")}
            out.append({"prompt_ids": coded["input_ids"][i][mask].tolist(), "image": rest})
    return out


def examples(processor: ProcessorMixin, instructions: Dataset) -> list[dict[str, Any]]:
    """Training items with `input_ids`, `labels` and `image`; only the response and its EOS are in the loss.

    Raises AssertionError when a row does not begin with BOS, end with EOS, or has an image token in the loss.
    """
    tokenizer, image_id = processor.tokenizer, image_token_id(processor)
    items = []
    for coded, response in zip(prompts(processor, instructions), instructions["response"], strict=True):
        answer = response_ids(processor, response)
        ids, labels = coded["prompt_ids"] + answer, [IGNORE] * len(coded["prompt_ids"]) + answer
        assert tokenizer.bos_token_id is None or ids[0] == tokenizer.bos_token_id, "a row does not begin with BOS"
        assert labels[-1] == tokenizer.eos_token_id, "a row does not end with EOS"
        assert image_id not in labels, "an image token is in the loss"
        items.append({"input_ids": ids, "labels": labels, "image": coded["image"]})
    return items


def images(items: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    """The pixel tensors of several items stacked."""
    return {k: torch.stack([item["image"][k] for item in items]) for k in items[0]["image"]}


def numbered(items: list) -> Dataset:
    """TRL wants a `Dataset` with an image column; ours holds each item's number, which the collator looks up."""
    return Dataset.from_dict({"image": list(range(len(items)))})


class Collator:
    """Pads encoded items on the right and stacks their images; rows name items by number."""

    def __init__(self, items: list[dict[str, Any]], pad_token_id: int):
        self.items, self.pad = items, pad_token_id

    def __call__(self, rows: list[dict[str, int]]) -> dict[str, torch.Tensor]:
        items = [self.items[row["image"]] for row in rows]
        longest = max(len(item["input_ids"]) for item in items)
        fill = lambda key, value: torch.tensor([i[key] + [value] * (longest - len(i[key])) for i in items])  # noqa: E731
        ids = fill("input_ids", self.pad)
        lengths = torch.tensor([len(i["input_ids"]) for i in items])
        mask = (torch.arange(longest)[None] < lengths[:, None]).long()
        return {"input_ids": ids, "labels": fill("labels", IGNORE), "attention_mask": mask, **images(items)}


def train(p: Params, model: PreTrainedModel, processor: ProcessorMixin, instructions: Dataset, folder: Path) -> pd.DataFrame:
    """Tune `model` on `instructions` (columns image, prompt, response); writes folder/adapter and folder/history.csv.

    A killed run resumes from the last checkpoint in folder/partial. Returns the history (step, loss, ...).
    """
    torch.manual_seed(p.seed)
    items = examples(processor, instructions)
    trainer = SFTTrainer(
        model=model, args=SFTConfig(**arguments(p, folder / "partial", p.learning_rate)), peft_config=lora_config(p, model),
        processing_class=processor, train_dataset=numbered(items), data_collator=Collator(items, processor.tokenizer.pad_token_id),
    )  # fmt: skip
    return finish(trainer, folder)


def finish(trainer, folder: Path) -> pd.DataFrame:
    """Train (or resume), save the adapter as safetensors and the log as history.csv."""
    from transformers.trainer_callback import PrinterCallback

    trainer.remove_callback(PrinterCallback)
    checkpoints = Path(trainer.args.output_dir)
    last = get_last_checkpoint(str(checkpoints)) if checkpoints.is_dir() else None
    trainer.train(resume_from_checkpoint=last)
    trainer.model.save_pretrained(folder / "adapter", selected_adapters=["default"])
    history = pd.DataFrame([row for row in trainer.state.log_history if "loss" in row])
    history.to_csv(folder / "history.csv", index=False)
    return history
