"""IDK instruction tuning, and the SFT baseline: LoRA on the language model with TRL's `SFTTrainer` (paper, 3.3, App. E)."""

import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from datasets import Dataset
from peft import LoraConfig
from torch.nn.utils.rnn import pad_sequence
from transformers import PreTrainedModel, ProcessorMixin, Trainer, TrainerCallback
from transformers.trainer_callback import PrinterCallback
from trl import SFTConfig, SFTTrainer

from inbol_lib.models import chat_prompt, encode, image_token_id, language_model_linear_names, picture_marks
from inbol_lib.params import Params

IGNORE = -100


def lora_config(p: Params, model: PreTrainedModel) -> LoraConfig:
    """LoRA on every linear layer of the language model (rank and alpha: paper, App. E; the targets are ours)."""
    layers = language_model_linear_names(model)
    return LoraConfig(r=p.lora_rank, lora_alpha=p.lora_alpha, lora_dropout=p.lora_dropout, target_modules=layers, task_type="CAUSAL_LM")


def arguments(p: Params, model: PreTrainedModel, partial: Path, learning_rate: float) -> dict[str, Any]:
    """What SFTConfig and DPOConfig share. Nothing is cut (`max_length` None), or image tokens could be lost. Training stays on the
    model's device; away from the CPU, activations are computed again in the backward pass to save memory. Checkpoints fall on logged
    steps: a logged loss is a mean since the last one, which a resumed run must share. Raises ValueError when the processes
    (`accelerate launch`) can not share a batch evenly: their number must not change the result."""
    cpu, processes = model.device.type == "cpu", int(os.environ.get("WORLD_SIZE", "1"))
    if p.batch_size % processes:
        raise ValueError(f"batch_size {p.batch_size} can not be shared by {processes} processes; use a number of them that divides it")
    return {
        "output_dir": str(partial / "checkpoints"), "per_device_train_batch_size": p.batch_size // processes,
        "learning_rate": learning_rate, "num_train_epochs": p.epochs, "warmup_steps": p.warmup_ratio,
        "lr_scheduler_type": "cosine", "seed": p.seed, "data_seed": p.seed, "logging_steps": 5, "logging_first_step": True,
        "save_steps": 200, "save_total_limit": 2, "report_to": "none", "max_length": None, "activation_checkpointing": not cpu,
        "bf16": not cpu, "use_cpu": cpu, "remove_unused_columns": False, "disable_tqdm": True, "dataloader_pin_memory": False,
    }  # fmt: skip


def response_ids(processor: ProcessorMixin, text: str) -> list[int]:
    """Token ids of a response as it follows "ASSISTANT:" or, spaceless, a new line, closed by EOS (LLaVA's own template leaves EOS out)."""
    tokenizer, space = processor.tokenizer, "" if chat_prompt(processor, "")[-1].isspace() else " "
    return [*tokenizer(f"{space}{text}", add_special_tokens=False).input_ids, tokenizer.eos_token_id]


def prompt_ids(processor: ProcessorMixin, rows: Dataset, batch: int = 256) -> list[list[int]]:
    """Token ids of each row's prompt without padding, made once for the whole training. Raises ValueError without rows."""
    if not len(rows):
        raise ValueError("there are no rows to train on; check the composition's counts (metrics.json)")
    out = []
    for chunk in rows.iter(batch):
        coded = encode(processor, chunk["image"], chunk["prompt"])
        out += [ids[mask].tolist() for ids, mask in zip(coded["input_ids"], coded["attention_mask"].bool(), strict=True)]
    return out


def examples(processor: ProcessorMixin, instructions: Dataset) -> list[dict[str, list[int]]]:
    """Training items with `input_ids` and `labels`; only the response and its EOS are in the loss. Raises ValueError for an empty
    response, AssertionError when a row does not begin with BOS, end with EOS, or has an image token in the loss. (`models.encode` has
    counted the image tokens.)"""
    tokenizer, image_id = processor.tokenizer, image_token_id(processor)
    empty = [i for i, text in enumerate(instructions["response"]) if not (text or "").strip()]
    if empty:
        raise ValueError(f"{len(empty)} instructions have no response (rows {empty[:5]}); every row needs one to learn from")
    items = []
    for prompt, response in zip(prompt_ids(processor, instructions), instructions["response"], strict=True):
        answer = response_ids(processor, response)
        assert tokenizer.bos_token_id in (None, prompt[0]), "a row does not begin with BOS"
        assert answer[-1] == tokenizer.eos_token_id, "a row does not end with EOS"
        assert image_id not in answer, "an image token is in the loss"
        items.append({"input_ids": prompt + answer, "labels": [IGNORE] * len(prompt) + answer})
    return items


def numbered(rows: Dataset) -> Dataset:
    """TRL wants a `Dataset` with an image column; ours holds each row's number, which the collators look up."""
    return Dataset.from_dict({"image": list(range(len(rows)))})


def padded(rows: list[list[int]], value: int, side: str = "right") -> torch.Tensor:
    """Rows of different length as one tensor (rows, longest), filled up with `value`."""
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=value, padding_side=side)


class Collator:
    """Pads encoded items on the right and adds their images, one per row, read once. Images are made batch by batch: those of 11,000
    rows would fill 15 GB at 336 pixels a side."""

    def __init__(self, items: list[dict[str, Any]], rows: Dataset, processor: ProcessorMixin):
        self.items, self.rows, self.processor = items, rows, processor

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, Any]:
        return self.read([row["image"] for row in batch])

    def read(self, numbers: list[int]) -> dict[str, Any]:
        """The model's inputs for the rows of these numbers."""
        return self.joined([self.items[i] for i in numbers], self.images(numbers))

    def images(self, numbers: list[int]) -> dict[str, torch.Tensor]:
        return dict(self.processor.image_processor(list(self.rows[numbers]["image"]), return_tensors="pt"))

    def joined(self, items: list[dict[str, Any]], images: dict[str, torch.Tensor]) -> dict[str, Any]:
        """The model's inputs for some items and their images."""
        ids = padded([i["input_ids"] for i in items], self.processor.tokenizer.pad_token_id)
        return {
            "input_ids": ids,
            "labels": padded([i["labels"] for i in items], IGNORE),
            "attention_mask": padded([[1] * len(i["labels"]) for i in items], 0),
            **picture_marks(self.processor, ids),
            **images,
        }


def train(
    p: Params, model: PreTrainedModel, processor: ProcessorMixin, instructions: Dataset, folder: Path,
    callbacks: list[TrainerCallback] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """Tune `model` on `instructions` (columns image, prompt, response); writes folder/adapter and folder/history.csv.
    A killed run resumes from the last checkpoint in folder/partial, to the same result. Returns the history (step, loss, ...)."""
    items = examples(processor, instructions)
    trainer = SFTTrainer(
        model=model, args=SFTConfig(**arguments(p, model, folder / "partial", p.learning_rate)), peft_config=lora_config(p, model),
        processing_class=processor, train_dataset=numbered(instructions), data_collator=Collator(items, instructions, processor),
        callbacks=callbacks,
    )  # fmt: skip
    return finish(trainer, folder)


def last_checkpoint(folder: Path) -> Path | None:
    """The newest checkpoint that was written to its end; a kill can leave one without its trainer_state.json, written last."""
    complete = [f.parent for f in folder.glob("checkpoint-*/trainer_state.json")]
    return max(complete, key=lambda f: int(f.name.split("-")[1]), default=None)


def finish(trainer: Trainer, folder: Path) -> pd.DataFrame:
    """Train (or resume, saying so), save the adapter as safetensors and the log as history.csv; of several processes, the first does."""
    trainer.remove_callback(PrinterCallback)
    last = last_checkpoint(Path(trainer.args.output_dir))
    if last:
        print(f"training resumes from {last.name}", file=sys.stderr)
    trainer.train(resume_from_checkpoint=str(last) if last else None)
    whole = trainer.accelerator.get_state_dict(trainer.model_wrapped)  # a process may hold no more than a shard (FSDP)
    history = pd.DataFrame([row for row in trainer.state.log_history if "loss" in row])
    # A resumed log comes back in another order, and TRL's count of tokens starts anew: neither may show in the artefact.
    history = history[["step", "loss", *sorted(set(history) - {"step", "loss", "num_tokens"})]]
    if trainer.accelerator.is_main_process:
        tuned = trainer.accelerator.unwrap_model(trainer.model)
        tuned.save_pretrained(folder / "adapter", state_dict=whole, selected_adapters=["default"])
        history.to_csv(folder / "history.csv", index=False)
    return history
