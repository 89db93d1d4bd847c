"""Confidence-aware DPO (paper, Sec. 3.3, eq. 6) and the DPO variants of Table 4.

The loss itself is in `preference_loss`, and how responses are read in `packing`. Here a trainer
puts them together.
"""

import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import torch
from datasets import Dataset
from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback, set_seed
from trl import DPOConfig, DPOTrainer

from inbol_lib.mllm.picture_features import Features
from inbol_lib.params import Params
from inbol_lib.training.collating import numbered, prompt_ids, response_ids
from inbol_lib.training.lora import arguments, lora_config, save_adapter, train_and_save, untorn
from inbol_lib.training.packing import RESPONSES, Item, check_packing, make_collator, response_logps
from inbol_lib.training.passes.lora_layers import fewer_multiplications
from inbol_lib.training.preference_loss import (
    NEEDED,
    PAIRS,
    inside_loss,
    margins,
    pair_weights,
    weighted_loss,
)
from inbol_lib.training.reference import add_reference
from inbol_lib.training.steps import StepsInParts, is_sharded, picture_order


class CADPOTrainer(StepsInParts, DPOTrainer):
    """TRL's `DPOTrainer` with packed responses and eq. 6 as its loss.

    The loss is a mean over questions, not over pairs. Reference log-probabilities come with the
    batch instead of from a second model. Logged are the margins in nats, by kind of question, and
    the share of pairs with a margin above 0 (accuracy, in [0, 1]), over all questions and by kind.

    Attributes
    ----------
    mode : str
        The variant of the loss, `Params.preference`.
    features : Features or None
        Keeps the features of pictures between steps; None computes them each time.
    """

    mode = "ca_dpo"
    features: Features | None = None

    def training_step(self, model, inputs, num_items_in_batch=None):
        """Compute one batch's loss and gradients; the loss counts questions, not tokens."""
        return super().training_step(model, inputs)

    def _compute_loss(self, model, inputs, return_outputs=False):
        policy = response_logps(model, inputs, self.features)
        margin = margins(policy, inputs["reference"], inputs["kinds"])
        loss_of = inside_loss if self.mode == "ca_dpo_inside" else weighted_loss
        losses = loss_of(margin, inputs["weights"], self.beta)
        if model.training and self.state.global_step == 0:
            check_first_loss(losses, inputs["weights"], 5e-2 if self.args.bf16 else 1e-4)
        if inputs.get("share", 1):
            self._log_margins(margin, inputs["kinds"], "train" if model.training else "eval")
        # A part of a batch contributes its share of the mean over the whole batch.
        loss = losses.sum() * inputs.get("share", 1) / inputs.get("questions", len(losses))
        return (loss, {"margin": margin}) if return_outputs else loss

    def _log_margins(self, margin: torch.Tensor, kinds: Sequence[str], mode: str) -> None:
        metrics = self._metrics[mode]
        for kind, row in zip(kinds, margin.detach().cpu(), strict=True):
            metrics[f"margin/{kind}"].append(row.mean().item())
            accuracy = (row > 0).float().mean().item()
            metrics["accuracy"].append(accuracy)
            metrics[f"accuracy/{kind}"].append(accuracy)


def check_first_loss(losses: torch.Tensor, weights: torch.Tensor, tolerance: float) -> None:
    """Check the loss of the first step, where the policy is still the reference.

    All margins are 0 then, so a pair costs ln 2 times its weight (eq. 6).

    Parameters
    ----------
    losses : torch.Tensor, shape (questions,)
        In nats.
    weights : torch.Tensor, shape (questions, 2)
        Of p1 and p2 (`pair_weights`).
    tolerance : float
        How far the mean loss may be off, in nats; wider in 16-bit precision.

    Raises
    ------
    AssertionError
        When it is further off.
    """
    loss, expected = losses.mean(), math.log(2) * weights.sum(1).mean()
    assert abs(loss - expected) < tolerance, (
        f"the first loss is {loss:.5f}, not {expected:.5f}: the reference is not the start model"
    )


def check_rows(rows: list[dict[str, Any]]) -> None:
    """Check that every preference row has what its kind needs.

    Raises
    ------
    ValueError
        Naming the first row with an unknown kind, a response that is missing, or a confidence
        outside [0, 1].
    """
    for row in rows:
        name, kind = f"question {row.get('id')}", row["kind"]
        if kind not in PAIRS:
            raise ValueError(f"{name}: kind {kind!r}; it must be one of {', '.join(PAIRS)}")
        needed = [RESPONSES[number] for number in NEEDED[kind]]
        lacking = [response for response in needed if not (row[response] or "").strip()]
        if lacking:
            raise ValueError(f"{name} is {kind} and lacks its {' and '.join(lacking)} response")
        if not 0 <= row["confidence"] <= 1:
            raise ValueError(f"{name}: confidence {row['confidence']}; it must lie between 0 and 1")


def items(processor: ProcessorMixin, preferences: Dataset) -> list[Item]:
    """Tokenize preference rows.

    Parameters
    ----------
    processor : ProcessorMixin
        Of the model to train.
    preferences : Dataset
        Columns `image`, `prompt`, `kind`, `confidence`, `correct`, `incorrect` and `refusal`.

    Returns
    -------
    list of Item
        One per row, as yet without weights and reference.

    Raises
    ------
    ValueError
        When there are no rows, or when a row lacks what its kind needs (`check_rows`).
    """
    rows = preferences.remove_columns("image").to_list()
    check_rows(rows)
    prompts = prompt_ids(processor, preferences)
    return [_item(processor, ids, row) for ids, row in zip(prompts, rows, strict=True)]


def _item(processor: ProcessorMixin, prompt: list[int], row: dict[str, Any]) -> Item:
    responses: list[list[int]] = [[] for _ in RESPONSES]
    for number in NEEDED[row["kind"]]:
        responses[number] = response_ids(processor, row[RESPONSES[number]])
    return {
        "prompt_ids": prompt,
        "kind": row["kind"],
        "confidence": row["confidence"],
        "responses": responses,
    }


def untrained(p: Params, model: PreTrainedModel, folder: Path) -> Path:
    """Save a fresh adapter, which changes nothing yet, in `folder`, unless it is there already.

    A policy that skips IDK-IT starts from it (``ca_dpo_base``, a control of ours).

    Returns
    -------
    Path
        `folder`.
    """
    if not untorn(folder / "adapter_config.json"):  # written last
        set_seed(p.seed)
        fresh = get_peft_model(model, lora_config(p, model))
        save_adapter(fresh, folder)
        fresh.unload()
    return folder


def train(
    p: Params,
    model: PreTrainedModel,
    processor: ProcessorMixin,
    preferences: Dataset,
    folder: Path,
    start: Path,
    cache: Path | None = None,
    callbacks: list[TrainerCallback] | None = None,
) -> pd.DataFrame:
    """Train the IDK-IT adapter `start` further with CA-DPO, or the variant `p.preference`.

    A killed run resumes from the last checkpoint in folder/partial and ends with the same result.

    Parameters
    ----------
    p : Params
        The variant, beta and the training parameters.
    model : PreTrainedModel
        The original model. It is changed in place: it carries the adapter afterwards.
    processor : ProcessorMixin
        The model's own processor.
    preferences : Dataset
        See `items`.
    folder : Path
        Receives adapter/ and history.csv.
    start : Path
        The adapter of IDK-IT. ``ca_dpo_base`` starts from the original model instead.
    cache : Path, optional
        Keeps the reference for trainings on the same rows from the same start (`add_reference`).
    callbacks : list of TrainerCallback, optional
        Passed on to the trainer.

    Returns
    -------
    pandas.DataFrame
        The history: one row per logged step with `step`, `loss` and the other logged numbers.

    Raises
    ------
    ValueError
        When `p.preference` is not a preference training, when the rows are not fit for training
        (`items`), when the model misreads packed responses (`check_packing`), or when the processes
        cannot share a batch evenly.
    AssertionError
        When the first loss shows that the reference is not the start model.

    Notes
    -----
    The policy goes on with the IDK-IT adapter itself, and the reference is that adapter, frozen.
    The paper does not say whether it merges the adapter into the model first.
    """
    if p.preference == "ca_dpo_base":
        start = untrained(p, model, folder / "partial" / "untrained")
    weights = pair_weights(p.preference, preferences["kind"], preferences["confidence"], p.seed)
    questions = items(processor, preferences)
    for item, pair in zip(questions, weights, strict=True):
        item["weights"] = pair
    collator = make_collator(model, questions, preferences, processor, p.token_budget)
    policy = PeftModel.from_pretrained(model, str(start), is_trainable=True).eval()
    trainer = CADPOTrainer(
        model=policy,
        args=DPOConfig(
            **arguments(p, policy, folder / "partial", p.dpo_learning_rate), beta=p.beta
        ),
        processing_class=processor,
        train_dataset=numbered(preferences),
        data_collator=collator,
        callbacks=callbacks,
    )
    trainer.mode = p.preference
    trainer.order = picture_order(p, collator.pictures.keys)
    if not is_sharded(trainer.accelerator):
        # A sharded model cannot run its vision tower by itself.
        trainer.features = collator.pictures.keep(Features())
    if "ref" in policy.peft_config:
        # TRL's copy of the start; ours is read once, and its log-probabilities are kept.
        policy.delete_adapter("ref")
    # The reference must have the precision of training, or the first loss would not be ln 2.
    with fewer_multiplications(policy):
        with trainer.accelerator.autocast():
            check_packing(policy.eval(), collator, trainer.features)
            add_reference(policy, collator, start, trainer.accelerator, trainer.features, cache)
        return train_and_save(trainer, folder)
