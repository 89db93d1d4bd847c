"""What both trainings share: LoRA, the trainer's settings, resuming and saving."""

import gc
import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
from peft import LoraConfig, PeftModel
from transformers import PreTrainedModel, Trainer
from transformers.trainer_callback import PrinterCallback

from inbol_lib.data import files
from inbol_lib.errors import ParameterError
from inbol_lib.mllm.loading import language_model_linear_names
from inbol_lib.params import Params
from inbol_lib.training.steps import Shown, check_moved, shorten_warmup, trained_weights


def lora_config(p: Params, model: PreTrainedModel) -> LoraConfig:
    """Describe LoRA on every linear layer of the language model.

    Rank and alpha are the paper's (App. E). The choice of layers is ours, and leaves the vision
    tower and the projector as they are.
    """
    return LoraConfig(
        r=p.lora_rank,
        lora_alpha=p.lora_alpha,
        lora_dropout=p.lora_dropout,
        target_modules=language_model_linear_names(model),
        task_type="CAUSAL_LM",
    )


def arguments(
    p: Params, model: PreTrainedModel, partial: Path, learning_rate: float
) -> dict[str, Any]:
    """Return the settings that `SFTConfig` and `DPOConfig` share.

    Parameters
    ----------
    p : Params
        Batch size, epochs, warm-up and seed.
    model : PreTrainedModel
        The model to train. It stays on its device; away from the CPU, training runs in bfloat16.
    partial : Path
        Folder for checkpoints.
    learning_rate : float
        The peak of the cosine schedule; the two trainings have different ones.

    Returns
    -------
    dict
        Keyword arguments of either configuration.

    Raises
    ------
    ParameterError
        When the processes of `accelerate launch` cannot share a batch evenly: their number must not
        change the result.
    """
    on_cpu = model.device.type == "cpu"
    processes = int(os.environ.get("WORLD_SIZE", "1"))
    if p.batch_size % processes:
        raise ParameterError(
            f"batch_size {p.batch_size} cannot be shared by {processes} processes; "
            "use a number of processes that divides it"
        )
    return {
        "output_dir": str(partial / "checkpoints"),
        "per_device_train_batch_size": p.batch_size // processes,
        "learning_rate": learning_rate,
        "num_train_epochs": p.epochs,
        "warmup_steps": p.warmup_ratio,  # below 1, it is a share of all steps
        "lr_scheduler_type": "cosine",
        "seed": p.seed,
        "data_seed": p.seed,
        # A logged loss is the mean since the last logged step, so checkpoints must fall on logged
        # steps for a resumed run to log the same.
        "logging_steps": 5,
        "logging_first_step": True,
        "save_steps": 200,
        "save_total_limit": 2,
        "report_to": "none",
        "max_length": None,  # truncation could remove image tokens
        "activation_checkpointing": not on_cpu,  # saves GPU memory, costs a second forward pass
        "bf16": not on_cpu,
        "use_cpu": on_cpu,
        "remove_unused_columns": False,
        "disable_tqdm": True,
        "dataloader_pin_memory": False,
    }


def last_checkpoint(folder: Path) -> Path | None:
    """Return the newest complete checkpoint in `folder`, or None.

    A kill or a full disk during saving leaves a checkpoint without its trainer_state.json, which
    is written last, or with a torn one.
    """
    complete = {}
    for file in folder.glob("checkpoint-*/trainer_state.json"):
        step = untorn(file).get("global_step")
        if file.parent.name == f"checkpoint-{step}":
            complete[step] = file.parent
    return complete[max(complete)] if complete else None


def untorn(file: Path) -> dict[str, Any]:
    """Return the object in a JSON file, {} where there is none, or no whole one."""
    try:
        read = json.loads(file.read_bytes())
    except (FileNotFoundError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def save_adapter(model: PeftModel, folder: Path, **options: Any) -> None:
    """Save a LoRA adapter, the same bytes for the same adapter.

    PEFT writes the names of the layers as a set lists them, in another order in every process.

    Parameters
    ----------
    model : PeftModel
        Carries the adapter.
    folder : Path
        Receives adapter_config.json and the weights.
    **options
        Of PEFT's `save_pretrained`.
    """
    model.save_pretrained(str(folder), **options)
    file = folder / "adapter_config.json"
    config = json.loads(file.read_text())
    for name, value in model.peft_config["default"].to_dict().items():
        if isinstance(value, set):
            config[name] = sorted(value)
    with files.whole(file) as unfinished:
        unfinished.write_text(json.dumps(config, indent=2, sort_keys=True))


def train_and_save(trainer: Trainer, folder: Path) -> pd.DataFrame:
    """Train to the end, from the last checkpoint if there is one, and save the result.

    Parameters
    ----------
    trainer : Trainer
        Its output folder is searched for checkpoints; a resumed training says so on stderr.
    folder : Path
        Receives adapter/ (safetensors) and history.csv, written by the main process only.

    Returns
    -------
    pandas.DataFrame
        The history: one row per logged step with `step`, `loss` and the other logged numbers.

    Raises
    ------
    ParameterError
        If the training has changed nothing.
    FloatingPointError
        If a loss (`steps.check_number`) or a trained weight is infinite or no number.
    """
    trainer.remove_callback(PrinterCallback)
    trainer.add_callback(Shown())
    shorten_warmup(trainer)
    start = trained_weights(trainer.model)
    checkpoint = last_checkpoint(Path(trainer.args.output_dir))
    if checkpoint:
        print(f"training resumes from {checkpoint.name}", file=sys.stderr)
    with _no_garbage_sought():
        trainer.train(resume_from_checkpoint=str(checkpoint) if checkpoint else None)
    # Under FSDP a process holds only a shard, and every process must help to gather the whole.
    weights = trainer.accelerator.get_state_dict(trainer.model_wrapped)
    history = logged_history(trainer)
    if spoilt := [name for name, weight in weights.items() if not weight.isfinite().all()]:
        raise FloatingPointError(
            f"{len(spoilt)} trained weights are no numbers, such as {spoilt[0]}; nothing "
            f"is saved. Remove {trainer.args.output_dir} and train with a smaller learning rate"
        )
    if trainer.accelerator.is_main_process:
        check_moved(start, weights, trainer)
        tuned = trainer.accelerator.unwrap_model(trainer.model)
        adapter = folder / "adapter"
        save_adapter(tuned, adapter, state_dict=weights, selected_adapters=["default"])
        history.to_csv(folder / "history.csv", index=False)
    return history


@contextmanager
def _no_garbage_sought() -> Iterator[None]:
    """Spare the objects that are there already from the search for garbage.

    Transformers searches before every training, which takes 0.3 s for the libraries' own objects.
    """
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


def logged_history(trainer: Trainer) -> pd.DataFrame:
    """Return the trainer's log as a table that a resumed run reproduces exactly.

    A resumed log has its columns in another order, and TRL's count of tokens starts again from
    zero, so columns are sorted after `step` and `loss`, and the count is left out.
    """
    history = pd.DataFrame([row for row in trainer.state.log_history if "loss" in row])
    others = sorted(set(history) - {"step", "loss", "num_tokens"})
    return history[["step", "loss", *others]]
