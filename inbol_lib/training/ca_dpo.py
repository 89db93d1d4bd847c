"""Confidence-aware DPO (paper, Sec. 3.3, eq. 6) and the DPO variants of Table 4, on responses packed behind one prompt (`packing`)."""

import math
from pathlib import Path
from typing import Any

import pandas as pd
from accelerate import DistributedType
from datasets import Dataset
from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback, set_seed
from trl import DPOConfig, DPOTrainer

from inbol_lib.params import Params
from inbol_lib.training.collating import numbered, prompt_ids, response_ids
from inbol_lib.training.lora import arguments, finish, lora_config
from inbol_lib.training.packing import RESPONSES, PackingCollator, check_packing, response_logps
from inbol_lib.training.picture_features import Features
from inbol_lib.training.preference_loss import (
    NEEDED,
    PAIRS,
    inside_loss,
    margins,
    pair_weights,
    weighted_loss,
)
from inbol_lib.training.reference import add_reference
from inbol_lib.training.row_per_response import RowCollator, can_pack


class CADPOTrainer(DPOTrainer):
    """TRL's `DPOTrainer` with packed responses, reference log-probabilities computed once, and eq. 6, a mean over questions (not
    pairs), as its loss. Logs margins in nats and the share of preferences on the right side, over all pairs and by kind."""

    mode, features = "ca_dpo", None

    def training_step(self, model, inputs, num_items_in_batch=None):
        """One batch, part after part, so that its size is free of what fits into memory; the gradients of the parts add up."""
        *first, last = inputs["parts"]
        questions = sum(len(part["kinds"]) for part in inputs["parts"])
        with self.accelerator.no_sync(model):
            losses = [
                super(CADPOTrainer, self).training_step(model, part | {"questions": questions})
                for part in first
            ]
        return sum(losses) + super().training_step(model, last | {"questions": questions})

    def _compute_loss(self, model, inputs, return_outputs=False):
        margin = margins(
            response_logps(model, inputs, self.features), inputs["reference"], inputs["kinds"]
        )
        costs = (inside_loss if self.mode == "ca_dpo_inside" else weighted_loss)(
            margin, inputs["weights"], self.beta
        )
        if (
            model.training and self.state.global_step == 0
        ):  # the policy is still the reference: a pair costs ln 2 times its weight
            loss, expected, exact = (
                costs.mean(),
                math.log(2) * inputs["weights"].sum(1).mean(),
                5e-2 if self.args.bf16 else 1e-4,
            )
            assert abs(loss - expected) < exact, (
                f"the first loss is {loss:.5f}, not {expected:.5f}: the reference is not the start model"
            )
        loss = costs.sum() / inputs.get("questions", len(costs))
        metrics = self._metrics["train" if model.training else "eval"]
        for kind, row in zip(inputs["kinds"], margin.detach().cpu(), strict=True):
            metrics[f"margin/{kind}"].append(row.mean().item())
            for name in ("accuracy", f"accuracy/{kind}"):
                metrics[name].append((row > 0).float().mean().item())
        return (loss, {"margin": margin}) if return_outputs else loss


def check_rows(rows: list[dict[str, Any]]) -> None:
    """Refuse preference rows that lack what their kind needs. Raises ValueError with the first of them."""
    for row in rows:
        if row["kind"] not in PAIRS:
            raise ValueError(
                f"question {row.get('id')}: kind {row['kind']!r}; it is one of {', '.join(PAIRS)}"
            )
        lacking = [
            RESPONSES[k] for k in NEEDED[row["kind"]] if not (row[RESPONSES[k]] or "").strip()
        ]
        if lacking:
            raise ValueError(
                f"question {row.get('id')} is {row['kind']} and lacks its {' and '.join(lacking)} response"
            )
        if not 0 <= row["confidence"] <= 1:
            raise ValueError(
                f"question {row.get('id')}: confidence {row['confidence']}; it lies between 0 and 1"
            )


def items(processor: ProcessorMixin, preferences: Dataset) -> list[dict[str, Any]]:
    """Packed training items: prompt ids, kind, confidence and the ids of each response that the kind needs ([] = none)."""
    rows = preferences.remove_columns("image").to_list()
    check_rows(rows)
    return [
        {"prompt_ids": prompt, "kind": row["kind"], "confidence": row["confidence"],
         "responses": [response_ids(processor, row[name]) if k in NEEDED[row["kind"]] else [] for k, name in enumerate(RESPONSES)]}
        for prompt, row in zip(prompt_ids(processor, preferences), rows, strict=True)
    ]  # fmt: skip


def untrained(p: Params, model: PreTrainedModel, folder: Path) -> Path:
    """A fresh adapter, which changes nothing yet, saved in `folder`: where a policy starts that skips IDK-IT (a control, ours)."""
    if not (folder / "adapter_config.json").is_file():
        set_seed(p.seed)
        fresh = get_peft_model(model, lora_config(p, model))
        fresh.save_pretrained(str(folder))
        fresh.unload()
    return folder


def train(
    p: Params, model: PreTrainedModel, processor: ProcessorMixin, preferences: Dataset, folder: Path, start: Path,
    cache: Path | None = None, callbacks: list[TrainerCallback] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """CA-DPO (or the variant `p.preference`) from the IDK-IT adapter `start`; writes folder/adapter and folder/history.csv. ca_dpo_base
    starts from the original model instead.

    The policy goes on with the IDK-IT adapter itself (the paper does not say whether it merges it first); the reference is that
    adapter, frozen. A killed run resumes from folder/partial. Returns the history."""
    if p.preference == "ca_dpo_base":
        start = untrained(p, model, folder / "partial" / "untrained")
    weights = pair_weights(p.preference, preferences["kind"], preferences["confidence"], p.seed)
    made = [
        {**item, "weights": pair}
        for item, pair in zip(items(processor, preferences), weights, strict=True)
    ]
    collator = (PackingCollator if can_pack(model) else RowCollator)(
        made, preferences, processor, p.token_budget
    )
    policy = PeftModel.from_pretrained(model, str(start), is_trainable=True).eval()
    trainer = CADPOTrainer(
        model=policy, args=DPOConfig(**arguments(p, policy, folder / "partial", p.dpo_learning_rate), beta=p.beta),
        processing_class=processor, train_dataset=numbered(preferences), data_collator=collator, callbacks=callbacks,
    )  # fmt: skip
    trainer.mode = p.preference
    if trainer.accelerator.distributed_type in (
        DistributedType.NO,
        DistributedType.MULTI_CPU,
        DistributedType.MULTI_GPU,
    ):
        trainer.features = Features()  # a sharded model can not be asked for them alone
    if "ref" in policy.peft_config:
        policy.delete_adapter(
            "ref"
        )  # TRL's copy of the start, whose log-probabilities are computed once
    with (
        trainer.accelerator.autocast()
    ):  # the precision of training, or the first loss would not be ln 2
        check_packing(policy.eval(), collator)
        add_reference(policy, collator, start, trainer.accelerator, trainer.features, cache)
    return finish(trainer, folder)
