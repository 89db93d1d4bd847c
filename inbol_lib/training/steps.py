"""How trainers take a step: a batch in parts, rows in an order."""

import math
import random
from collections.abc import Hashable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from accelerate import Accelerator, DistributedType
from datasets import Dataset
from torch.utils.data import Sampler
from transformers import PreTrainedModel, Trainer, TrainerCallback

from inbol_lib.data.records import save_table
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.progress import Bar, bar, say

_UNSHARDED = (DistributedType.NO, DistributedType.MULTI_CPU, DistributedType.MULTI_GPU)


def is_sharded(accelerator: Accelerator) -> bool:
    """Tell whether processes hold pieces of the model, which they must run together."""
    return accelerator.distributed_type not in _UNSHARDED


class PictureOrder(Sampler[int]):
    """Shuffles pictures, and keeps the rows of a picture next to each other.

    A batch then has several questions of most of its pictures, which are read together. That is not
    the usual shuffle: the rows of a batch are correlated, so its gradient is noisier than that of
    as many rows drawn one by one, and results differ beyond rounding.

    Parameters
    ----------
    keys : sequence of hashable
        Which picture each row shows.
    seed : int
        Seed and epoch alone decide on the order, so a resumed training goes on where it was.
    """

    def __init__(self, keys: Sequence[Hashable], seed: int):
        self.seed, self.epoch = seed, 0
        self.rows: dict[Hashable, list[int]] = {}
        for number, key in enumerate(keys):
            self.rows.setdefault(key, []).append(number)

    def __len__(self) -> int:
        return sum(map(len, self.rows.values()))

    def __iter__(self) -> Iterator[int]:
        chance = random.Random(f"{self.seed} {self.epoch}")
        pictures = list(self.rows.values())
        chance.shuffle(pictures)
        for rows in pictures:
            yield from chance.sample(rows, len(rows))

    def set_epoch(self, epoch: int) -> None:
        """Choose the order of this epoch; called by the data loader."""
        self.epoch = epoch


class Shown(TrainerCallback):
    """Shows the steps of a training as a progress bar, in its main process."""

    _bar: Bar | None = None

    def on_train_begin(self, args, state, control, **_):
        """Begin with the steps of a resumed training done."""
        if state.is_world_process_zero:
            self._bar = bar("training", "step", state.max_steps, first=state.global_step)

    def on_step_end(self, args, state, control, **_):
        """Go on by one step."""
        if self._bar is not None:
            self._bar.update()

    def on_train_end(self, args, state, control, **_):
        """Leave the full bar."""
        if self._bar is not None:
            self._bar.close()


def shorten_warmup(trainer: Trainer) -> None:
    """Keep the warm-up from eating a whole training (ours).

    A training with no more steps than its warm-up would never reach its learning rate, and one of a
    single step would have a rate of 0. Its warm-up becomes half of its steps, rounded down, and
    that is said aloud.

    Parameters
    ----------
    trainer : Trainer
        Not yet at work; its `warmup_steps` may change. Up to 1 they are a share of all steps.
    """
    args = trainer.args
    batch = args.per_device_train_batch_size * args.world_size
    rows = len(trainer.train_dataset)
    steps = math.ceil(args.num_train_epochs * math.ceil(rows / batch))
    wanted = math.ceil(args.warmup_steps * steps)
    if wanted < steps:
        return
    args.warmup_steps = steps // 2
    say(
        f"{rows} rows make {steps} training step{'s' * (steps != 1)}, all of which the warm-up "
        f"would take; it takes {args.warmup_steps} instead. More rows, more epochs or a smaller "
        "batch_size make more steps.",
        loud=True,
    )


def trained_weights(model: PreTrainedModel) -> dict[str, torch.Tensor]:
    """Return copies of the weights that a training may change, by name, on the CPU."""
    named = model.named_parameters()
    return {name: one.detach().cpu().clone() for name, one in named if one.requires_grad}


def check_moved(before: dict[str, torch.Tensor], after: Mapping, trainer: Trainer) -> None:
    """Refuse a training that has changed nothing, because its adapter would pass for a result.

    Parameters
    ----------
    before : dict
        `trained_weights` of the start.
    after : mapping
        Name -> weight at the end; names that were not there before count as changed.
    trainer : Trainer
        Its steps and rates are named in the message.

    Raises
    ------
    ParameterError
        If every weight is what it was.
    """
    same = (torch.equal(before[name], after[name].cpu()) for name in before if name in after)
    if not before or not set(before) <= set(after) or not all(same):
        return
    rates = [row["learning_rate"] for row in trainer.state.log_history if "learning_rate" in row]
    steps, rows = trainer.state.global_step, len(trainer.train_dataset)
    raise ParameterError(
        f"the training changed nothing: {steps} steps on {rows} rows, at a learning rate of at "
        f"most {max(rates, default=0)}. More rows (train_questions, num_instructions, num_pairs; "
        "short_class: repeat), more epochs or a greater learning rate make it learn"
    )


def picture_order(p: Params, keys: Sequence[Hashable]) -> PictureOrder | None:
    """Return the order of rows that `p.shuffle` asks for; None for the trainer's usual one."""
    return PictureOrder(keys, p.seed) if p.shuffle == "pictures" else None


def check_number(loss: torch.Tensor, batch: dict[str, Any], trainer: Trainer) -> None:
    """Stop a training whose loss is infinite or no number, before it spoils the weights.

    The trainer would log the mean of the other losses in its place, and go on.

    Parameters
    ----------
    loss : torch.Tensor
        Of one batch.
    batch : dict
        Of `PackingCollator`; its `rows` are named and saved.
    trainer : Trainer
        Its collator holds the rows; they are saved beside its checkpoints.

    Raises
    ------
    FloatingPointError
        Naming the batch, and where it lies.
    """
    if torch.isfinite(loss):
        return
    rows = trainer.data_collator.rows.select(batch["rows"].tolist())
    step = trainer.state.global_step + 1
    file = save_table(rows, Path(trainer.args.output_dir).parent / f"stopped-at-{step}.parquet")
    names = rows["id"] if "id" in rows.column_names else batch["rows"].tolist()
    raise FloatingPointError(
        f"the loss of step {step} is {loss.item()}, so the training has stopped. Its batch lies in "
        f"{file}: {', '.join(map(str, names))}. A smaller learning rate may help; remove "
        f"{file.parent} to train from the start, else it goes on from the last checkpoint"
    )


class StepsInParts:
    """What both trainers add to TRL's: a step goes through the parts of a batch.

    The gradients of the parts add up, so the size of a batch does not depend on what fits into
    memory. Processes exchange gradients only once, after the last part.

    Attributes
    ----------
    order : Sampler or None
        In which order rows are drawn; None leaves it to the trainer.
    """

    order: Sampler[int] | None = None

    def training_step(self, model, inputs, num_items_in_batch=None):
        """Compute one batch's loss and gradients, part after part."""
        *first, last = self.parts_of(inputs)
        loss = 0
        with self.accelerator.no_sync(model):
            for part in first:
                loss = loss + super().training_step(model, part, num_items_in_batch)
        total = loss + super().training_step(model, last, num_items_in_batch)
        check_number(total, inputs, self)
        return total

    def parts_of(self, inputs: dict[str, Any]) -> list[dict[str, Any]]:
        """Return the parts of a batch, as many in each process if these hold pieces of the model.

        Processes run such a model together, so one with fewer parts repeats its last, with a
        `share` of 0 in loss and gradient. Each part knows the number of the batch's `questions`.
        """
        questions = sum(len(part["kinds"]) for part in inputs["parts"])
        parts = [part | {"questions": questions, "share": 1} for part in inputs["parts"]]
        if is_sharded(self.accelerator):
            count = torch.tensor([len(parts)], device=self.accelerator.device)
            most = int(self.accelerator.gather(count).max())
            parts += [parts[-1] | {"share": 0}] * (most - len(parts))
        return parts

    def _get_train_sampler(self, train_dataset: Dataset | None = None) -> Sampler[int] | None:
        if self.order is not None:
            return self.order
        return super()._get_train_sampler(train_dataset)

    def create_model_card(self, *_args: Any, **_options: Any) -> None:
        """Write no card: a study says itself what it has trained."""
