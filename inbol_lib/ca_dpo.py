"""Confidence-aware DPO (paper, Sec. 3.3, eq. 6) and the DPO variants of Table 4.

The two or three responses of a question are packed behind one image and prompt: a block mask hides them from each other, and positions
start anew after the prompt, so every response has the log-probability it would have alone."""

import math
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
import torch.nn.functional as F
from accelerate.utils import send_to_device
from datasets import Dataset
from peft import PeftModel
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback
from trl import DPOConfig, DPOTrainer

from inbol_lib.idk_it import IGNORE, Collator, arguments, finish, numbered, padded, prompt_ids, response_ids
from inbol_lib.params import Params

RESPONSES = ("correct", "incorrect", "refusal")
CORRECT, INCORRECT, REFUSAL = range(3)
#: kind -> ((chosen, rejected) of p1, of p2); known and unknown questions have p1 = p2 (paper, Sec. 3.3)
PAIRS = {
    "known": ((CORRECT, REFUSAL), (CORRECT, REFUSAL)),
    "unknown": ((REFUSAL, INCORRECT), (REFUSAL, INCORRECT)),
    "mixed": ((CORRECT, INCORRECT), (REFUSAL, INCORRECT)),
}
NEEDED = {kind: sorted({*first, *second}) for kind, (first, second) in PAIRS.items()}  # the responses that it compares


def margins(policy: torch.Tensor, reference: torch.Tensor, kinds: list[str]) -> torch.Tensor:
    """How much further the policy than the reference prefers chosen to rejected, for p1 and p2 of every question (questions, 2).
    `policy`, `reference`: summed log-probabilities in nats of (correct, incorrect, refusal), shape (questions, 3)."""
    ratio = policy - reference
    chosen, rejected = torch.tensor([PAIRS[k] for k in kinds], device=policy.device).unbind(-1)
    return ratio.gather(1, chosen) - ratio.gather(1, rejected)


def ca_dpo_loss(margin: torch.Tensor, confidence: torch.Tensor, beta: float) -> torch.Tensor:
    """Eq. 6 per question, shape (questions,): -[conf logsigmoid(beta m1) + (1 - conf) logsigmoid(beta m2)].
    `margin`: (questions, 2); `confidence`: (questions,) in [0, 1]."""
    return weighted_loss(margin, torch.stack([confidence, 1 - confidence], 1), beta)


def weighted_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """-sum of weight times logsigmoid(beta margin) over a question's pairs; both inputs (questions, 2)."""
    return -(weights * F.logsigmoid(beta * margin)).sum(1)


def inside_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """A control: the weights inside the sigmoid, -logsigmoid(beta * weighted margin)."""
    return -F.logsigmoid(beta * (weights * margin).sum(1))


def pair_weights(mode: str, kinds: list[str], confidence: np.ndarray, seed: int = 0) -> np.ndarray:
    """Weights (questions, 2) of p1 and p2. Known and unknown questions (p1 = p2) always sum to one.

    ca_dpo, ca_dpo_inside: (conf, 1 - conf). dpo_1: refusal > incorrect alone; dpo_2: correct > incorrect alone; dpo_3: both at full
    weight, as the paper's Table 4. Controls: ca_dpo_half (1/2, 1/2), ca_dpo_shuffled (confidences permuted among the mixed questions)."""
    mixed, conf = np.array(kinds) == "mixed", np.array(confidence, float)
    if mode == "ca_dpo_shuffled":
        conf[mixed] = np.random.default_rng(seed).permutation(conf[mixed])
    weights = np.stack([conf, 1 - conf], 1)
    fixed = {"dpo_1": (0, 1), "dpo_2": (1, 0), "dpo_3": (1, 1), "ca_dpo_half": (0.5, 0.5)}
    if mode in fixed:
        weights[mixed] = fixed[mode]
    elif not mode.startswith("ca_dpo"):
        raise ValueError(f"method {mode!r} is no preference training; choose ca_dpo, {', '.join(fixed)}, ca_dpo_shuffled or ca_dpo_inside")
    return weights


class PackingCollator(Collator):
    """Prompts padded on the left, then the question's responses one after another, padded on the right."""

    def joined(self, items: list[dict[str, Any]], images: dict[str, torch.Tensor]) -> dict[str, Any]:
        blank, said = self.processor.tokenizer.pad_token_id, [i["responses"] for i in items]
        prompts = padded([i["prompt_ids"] for i in items], blank, "left")
        tails = padded([sum(responses, []) for responses in said], blank)
        owner = padded([[k for k, r in enumerate(responses) for _ in r] for responses in said], -1)  # the response of a slot
        place = padded([[n for r in responses for n in range(len(r))] for responses in said], 0)  # where in it the slot lies
        source = torch.arange(tails.shape[1]) * (place > 0)  # whose logits predict the slot; 0 = the prompt's last
        lengths = torch.tensor([[len(i["prompt_ids"])] for i in items])
        before = lengths - torch.arange(prompts.shape[1], 0, -1)  # places in the prompt, below 0 for padding
        mask = block_mask(torch.cat([torch.where(before < 0, -1, -2), owner], 1))
        positions = torch.cat([before.clamp(min=0), lengths + place], 1)
        model = {"input_ids": torch.cat([prompts, tails], 1), "position_ids": positions, "attention_mask": mask, **images}
        extra = {k: torch.tensor(np.array([i[k] for i in items]), dtype=torch.float32) for k in ("reference", "weights") if k in items[0]}
        return {"model": model, "owner": owner, "source": source, "kinds": [i["kind"] for i in items], **extra}


def block_mask(part: torch.Tensor) -> torch.Tensor:
    """Additive causal mask (batch, 1, length, length): a response sees the prompt and itself, only padding sees padding.
    `part` (batch, length): -2 prompt, -1 padding, 0 and up the responses."""
    seen = ((part[:, None] == -2) | (part[:, None] == part[:, :, None])).tril()
    return torch.where(seen, 0.0, torch.finfo(torch.float32).min)[:, None]


def response_logps(model: PreTrainedModel, batch: dict[str, Any]) -> torch.Tensor:
    """Summed log-probability in nats of each response, shape (questions, 3); 0 where a question lacks a response."""
    owner, tail = batch["owner"], batch["owner"].shape[1]
    inputs = batch["model"] | {"attention_mask": batch["model"]["attention_mask"].to(model.dtype)}
    logps = torch.log_softmax(model(**inputs, use_cache=False, logits_to_keep=tail + 1).logits.float(), -1)
    rows = torch.arange(len(owner), device=owner.device)[:, None]
    token = logps[rows, batch["source"], inputs["input_ids"][:, -tail:]]
    return torch.stack([(token * (owner == k)).sum(1) for k in range(len(RESPONSES))], 1)


@torch.no_grad()
def check_packing(model: PreTrainedModel, collator: PackingCollator) -> None:
    """Refuse a model that reads packed responses otherwise than separate ones, on the question with the most responses.
    Raises ValueError: some attention kernels drop a block mask, some families give image tokens positions of their own."""
    number = max(range(len(collator.items)), key=lambda i: sum(map(bool, collator.items[i]["responses"])))
    prompt, batch = collator.items[number]["prompt_ids"], send_to_device(collator([{"image": number}]), model.device)
    images = {k: v for k, v in batch["model"].items() if k not in ("input_ids", "position_ids", "attention_mask")}
    exact = 1e-3 if model.dtype == torch.float32 else 5e-2  # 16-bit floats keep two to three digits
    for name, response, packed in zip(RESPONSES, collator.items[number]["responses"], response_logps(model, batch)[0], strict=True):
        ids, labels = torch.tensor([prompt + response, [IGNORE] * len(prompt) + response], device=model.device)[:, None]
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, **images).loss  # a mean over tokens
        alone = -len(response) * loss if response else packed
        if not abs(packed - alone) <= exact * (1 + abs(alone)):
            raise ValueError(
                f"{type(model).__name__}: the {name} response has log-probability {packed:.4f} packed and {alone:.4f} alone; "
                'load the model with attn_implementation="sdpa" or "eager", or take one with plain rotary positions'
            )


class CADPOTrainer(DPOTrainer):
    """TRL's `DPOTrainer` with packed responses, reference log-probabilities computed once, and eq. 6, a mean over questions (not
    pairs), as its loss. Logs margins in nats and the share of preferences on the right side, over all pairs and by kind."""

    mode = "ca_dpo"

    def _compute_loss(self, model, inputs, return_outputs=False):
        margin = margins(response_logps(model, inputs), inputs["reference"], inputs["kinds"])
        loss = (inside_loss if self.mode == "ca_dpo_inside" else weighted_loss)(margin, inputs["weights"], self.beta).mean()
        if model.training and self.state.global_step == 0:  # the policy is still the reference: a pair costs ln 2 times its weight
            expected, exact = math.log(2) * inputs["weights"].sum(1).mean(), 5e-2 if self.args.bf16 else 1e-4
            assert abs(loss - expected) < exact, f"the first loss is {loss:.5f}, not {expected:.5f}: the reference is not the start model"
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
            raise ValueError(f"question {row.get('id')}: kind {row['kind']!r}; it is one of {', '.join(PAIRS)}")
        lacking = [RESPONSES[k] for k in NEEDED[row["kind"]] if not (row[RESPONSES[k]] or "").strip()]
        if lacking:
            raise ValueError(f"question {row.get('id')} is {row['kind']} and lacks its {' and '.join(lacking)} response")
        if not 0 <= row["confidence"] <= 1:
            raise ValueError(f"question {row.get('id')}: confidence {row['confidence']}; it lies between 0 and 1")


def items(processor: ProcessorMixin, preferences: Dataset) -> list[dict[str, Any]]:
    """Packed training items: prompt ids, kind, confidence and the ids of each response that the kind needs ([] = none)."""
    rows = preferences.remove_columns("image").to_list()
    check_rows(rows)
    return [
        {"prompt_ids": prompt, "kind": row["kind"], "confidence": row["confidence"],
         "responses": [response_ids(processor, row[name]) if k in NEEDED[row["kind"]] else [] for k, name in enumerate(RESPONSES)]}
        for prompt, row in zip(prompt_ids(processor, preferences), rows, strict=True)
    ]  # fmt: skip


@torch.no_grad()
def add_reference(model: PreTrainedModel, collator: PackingCollator, batch: int = 64) -> None:
    """Write the frozen start model's log-probabilities into every item as `reference`, shape (3,)."""
    order = sorted(range(len(collator.items)), key=lambda i: len(collator.items[i]["prompt_ids"]))
    for chosen in (order[start : start + batch] for start in range(0, len(order), batch)):
        logps = response_logps(model, send_to_device(collator([{"image": i} for i in chosen]), model.device))
        for i, row in zip(chosen, logps.float().cpu().numpy(), strict=True):
            collator.items[i]["reference"] = row


def train(
    p: Params, model: PreTrainedModel, processor: ProcessorMixin, preferences: Dataset, folder: Path, start: Path,
    callbacks: list[TrainerCallback] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """CA-DPO (or the variant `p.preference`) from the IDK-IT adapter `start`; writes folder/adapter and folder/history.csv.

    The policy goes on with the IDK-IT adapter itself (the paper does not say whether it merges it first); the reference is that
    adapter, frozen. A killed run resumes from folder/partial. Returns the history."""
    weights = pair_weights(p.preference, preferences["kind"], preferences["confidence"], p.seed)
    made = [{**item, "weights": pair} for item, pair in zip(items(processor, preferences), weights, strict=True)]
    collator = PackingCollator(made, preferences, processor)
    policy = PeftModel.from_pretrained(model, str(start), is_trainable=True).eval()
    trainer = CADPOTrainer(
        model=policy, args=DPOConfig(**arguments(p, policy, folder / "partial", p.dpo_learning_rate), beta=p.beta),
        processing_class=processor, train_dataset=numbered(preferences), data_collator=collator, callbacks=callbacks,
    )  # fmt: skip
    trainer.mode = p.preference
    if "ref" in policy.peft_config:
        policy.delete_adapter("ref")  # TRL's copy of the start, whose log-probabilities are computed once
    with trainer.accelerator.autocast():  # the precision of training, or the first loss would not be ln 2
        check_packing(policy.eval(), collator)
        add_reference(policy, collator)
    return finish(trainer, folder)
