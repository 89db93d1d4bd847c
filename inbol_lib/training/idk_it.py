"""IDK instruction tuning, and the SFT baseline: LoRA on the language model with TRL's `SFTTrainer` (paper, 3.3, App. E)."""

from pathlib import Path

import pandas as pd
from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback
from trl import SFTConfig, SFTTrainer

from inbol_lib.params import Params
from inbol_lib.training.collating import Collator, examples, numbered
from inbol_lib.training.lora import arguments, finish, lora_config


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
