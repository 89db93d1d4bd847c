"""IDK instruction tuning and the SFT baseline, with TRL's `SFTTrainer` (paper, Sec. 3.3, App. E).

The two differ only in their rows. IDK-IT learns correct responses to known questions and refuses
unknown ones; SFT learns the gold answer of every answerable question, however unsure the model is.
Both refuse unanswerable questions.
"""

from pathlib import Path

import pandas as pd
from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback
from trl import SFTConfig, SFTTrainer

from inbol_lib.params import Params
from inbol_lib.training.collating import Collator, examples, numbered
from inbol_lib.training.lora import arguments, lora_config, train_and_save


def train(
    p: Params,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    instructions: Dataset,
    folder: Path,
    callbacks: list[TrainerCallback] | None = None,
) -> pd.DataFrame:
    """Train a LoRA adapter of `model` on `instructions`.

    A killed run resumes from the last checkpoint in folder/partial and ends with the same result.

    Parameters
    ----------
    p : Params
        LoRA and training parameters.
    model : PreTrainedModel
        The original model. It is changed in place: it carries the adapter afterwards.
    processor : ProcessorMixin
        The model's own processor.
    instructions : Dataset
        Columns `image`, `prompt` and `response`.
    folder : Path
        Receives adapter/ and history.csv.
    callbacks : list of TrainerCallback, optional
        Passed on to the trainer.

    Returns
    -------
    pandas.DataFrame
        The history: one row per logged step with `step`, `loss` and the other logged numbers.

    Raises
    ------
    ValueError
        When there are no instructions, when a response is empty, or when the processes cannot share
        a batch evenly.
    """
    items = examples(processor, instructions)
    trainer = SFTTrainer(
        model=model,
        args=SFTConfig(**arguments(p, model, folder / "partial", p.learning_rate)),
        peft_config=lora_config(p, model),
        processing_class=processor,
        train_dataset=numbered(instructions),
        data_collator=Collator(items, instructions, processor),
        callbacks=callbacks,
    )
    return train_and_save(trainer, folder)
