"""TODO."""

import os
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from peft import LoraConfig
from transformers import PreTrainedModel, Trainer
from transformers.trainer_callback import PrinterCallback

from inbol_lib.mllm.loading import language_model_linear_names
from inbol_lib.params import Params


def lora_config(p: Params, model: PreTrainedModel) -> LoraConfig:
    """LoRA on every linear layer of the language model (rank and alpha: paper, App. E; the targets are ours)."""
    layers = language_model_linear_names(model)
    return LoraConfig(
        r=p.lora_rank,
        lora_alpha=p.lora_alpha,
        lora_dropout=p.lora_dropout,
        target_modules=layers,
        task_type="CAUSAL_LM",
    )


def arguments(
    p: Params, model: PreTrainedModel, partial: Path, learning_rate: float
) -> dict[str, Any]:
    """What SFTConfig and DPOConfig share. Nothing is cut (`max_length` None), or image tokens could be lost. Training stays on the
    model's device; away from the CPU, activations are computed again in the backward pass to save memory. Checkpoints fall on logged
    steps: a logged loss is a mean since the last one, which a resumed run must share. Raises ValueError when the processes
    (`accelerate launch`) can not share a batch evenly: their number must not change the result."""
    cpu, processes = model.device.type == "cpu", int(os.environ.get("WORLD_SIZE", "1"))
    if p.batch_size % processes:
        raise ValueError(
            f"batch_size {p.batch_size} can not be shared by {processes} processes; use a number of them that divides it"
        )
    return {
        "output_dir": str(partial / "checkpoints"), "per_device_train_batch_size": p.batch_size // processes,
        "learning_rate": learning_rate, "num_train_epochs": p.epochs, "warmup_steps": p.warmup_ratio,
        "lr_scheduler_type": "cosine", "seed": p.seed, "data_seed": p.seed, "logging_steps": 5, "logging_first_step": True,
        "save_steps": 200, "save_total_limit": 2, "report_to": "none", "max_length": None, "activation_checkpointing": not cpu,
        "bf16": not cpu, "use_cpu": cpu, "remove_unused_columns": False, "disable_tqdm": True, "dataloader_pin_memory": False,
    }  # fmt: skip


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
    whole = trainer.accelerator.get_state_dict(
        trainer.model_wrapped
    )  # a process may hold no more than a shard (FSDP)
    history = pd.DataFrame([row for row in trainer.state.log_history if "loss" in row])
    # A resumed log comes back in another order, and TRL's count of tokens starts anew: neither may show in the artefact.
    history = history[["step", "loss", *sorted(set(history) - {"step", "loss", "num_tokens"})]]
    if trainer.accelerator.is_main_process:
        tuned = trainer.accelerator.unwrap_model(trainer.model)
        tuned.save_pretrained(folder / "adapter", state_dict=whole, selected_adapters=["default"])
        history.to_csv(folder / "history.csv", index=False)
    return history
