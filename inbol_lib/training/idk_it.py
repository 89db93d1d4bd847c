"""IDK instruction tuning and the SFT baseline, with TRL's `SFTTrainer` (paper, Sec. 3.3, App. E).

The two differ only in their rows. IDK-IT learns correct responses to known questions and refuses
unknown ones; SFT learns the gold answer of every answerable question, however unsure the model is.
Both refuse unanswerable questions.
"""

from pathlib import Path
from typing import Any

import pandas as pd
import torch
from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback
from trl import SFTConfig, SFTTrainer

from inbol_lib.mllm.picture_features import Features
from inbol_lib.params import Params
from inbol_lib.training.collating import IGNORE, examples, numbered
from inbol_lib.training.lora import arguments, lora_config, train_and_save
from inbol_lib.training.packing import Item, check_packing, make_collator
from inbol_lib.training.passes.lora_layers import fewer_multiplications
from inbol_lib.training.passes.scoring import kept_logits, of_targets
from inbol_lib.training.steps import StepsInParts, is_sharded, picture_order


class InstructionTrainer(StepsInParts, SFTTrainer):
    """TRL's `SFTTrainer` with its loss and numbers, scored only where there is a response.

    The loss is the mean over all tokens of the responses of a batch, in all processes. Logged
    beside it are their mean entropy in nats and the share of them that are most probable
    (`mean_token_accuracy`).

    Attributes
    ----------
    features : Features or None
        Keeps the features of pictures between steps; None computes them each time.
    """

    features: Features | None = None

    def training_step(self, model, inputs, num_items_in_batch=None):
        """Compute one batch's loss and gradients, and log its numbers."""
        self._counts = torch.zeros(3, device=self.accelerator.device)
        tokens = len(inputs["labels"]) if num_items_in_batch is None else num_items_in_batch
        self._tokens = tokens
        loss = super().training_step(model, inputs, num_items_in_batch)
        entropy, right, count = self.accelerator.gather(self._counts[None]).sum(0).tolist()
        self._metrics["train"]["entropy"].append(entropy / count)
        self._metrics["train"]["mean_token_accuracy"].append(right / count)
        return loss

    def compute_loss(self, model, inputs, return_outputs=False, num_items_in_batch=None):
        """Return a part's share of the mean over the tokens of all responses of a batch."""
        logits = kept_logits(model, inputs, self.features)
        logps = torch.log_softmax(logits, -1)
        losses = -of_targets(logps, inputs)
        if inputs["share"]:
            self._counts += counts(logits.detach(), logps.detach(), inputs)
        loss = losses.sum() * inputs["share"] / self._tokens
        if num_items_in_batch is not None and self.args.average_tokens_across_devices:
            # The tokens of all processes are counted, and their gradients are averaged.
            loss = loss * self.accelerator.num_processes
        return (loss, {"logits": logits}) if return_outputs else loss


@torch.no_grad()
def counts(logits: torch.Tensor, logps: torch.Tensor, batch: dict[str, Any]) -> torch.Tensor:
    """Return the sum of entropies in nats, the number of most probable tokens, and that of all.

    Parameters
    ----------
    logits : torch.Tensor, shape (kept, vocabulary)
        Of `kept_logits`.
    logps : torch.Tensor, shape (kept, vocabulary)
        Their log-probabilities in nats.
    batch : dict
        The same part of a batch.

    Returns
    -------
    torch.Tensor, shape (3,)
    """
    source, target = batch["source"], batch["target"]
    entropy = -(logps.exp() * logps).sum(-1)[source].sum()
    right = (logits.argmax(-1)[source] == target).sum()
    return torch.stack([entropy, right, torch.tensor(len(target), device=logits.device)])


def items(examples: list[dict[str, list[int]]]) -> list[Item]:
    """Return training items as questions with one response each.

    Parameters
    ----------
    examples : list of dict
        With `input_ids` and `labels` (`collating.examples`).
    """
    made: list[Item] = []
    for example in examples:
        start = example["labels"].count(IGNORE)
        ids = example["input_ids"]
        made.append({"prompt_ids": ids[:start], "responses": [ids[start:]], "kind": "instruction"})
    return made


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
        When there are no instructions, when a response is empty, when the model misreads rows of
        several questions (`check_packing`), or when the processes cannot share a batch evenly.
    """
    instructed = items(examples(processor, instructions))
    collator = make_collator(model, instructed, instructions, processor, p.token_budget)
    trainer = InstructionTrainer(
        model=model,
        args=SFTConfig(**arguments(p, model, folder / "partial", p.learning_rate)),
        peft_config=lora_config(p, model),
        processing_class=processor,
        train_dataset=numbered(instructions),
        data_collator=collator,
        callbacks=callbacks,
    )
    trainer.order = picture_order(p, collator.pictures.keys)
    if not is_sharded(trainer.accelerator):
        # A sharded model cannot run its vision tower by itself.
        trainer.features = collator.pictures.keep(Features())
    with fewer_multiplications(trainer.model):
        with trainer.accelerator.autocast():
            check_packing(trainer.model.eval(), collator, trainer.features)
        return train_and_save(trainer, folder)
