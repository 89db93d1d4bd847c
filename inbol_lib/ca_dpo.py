"""Confidence-aware DPO (paper, Sec. 3.3, eq. 6) and the DPO variants of Table 4.

The two or three responses of a question are packed behind one image and prompt: a block mask hides them from each other,
and positions start anew after the prompt, so every response has the log-probability it would have alone.
"""

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

from inbol_lib.idk_it import arguments, finish, numbered, pixels, prompt_ids, response_ids
from inbol_lib.params import Params

RESPONSES = ("correct", "incorrect", "refusal")
CORRECT, INCORRECT, REFUSAL = range(3)
#: kind -> ((chosen, rejected) of p1, of p2); known and unknown questions have p1 = p2 (paper, Sec. 3.3)
PAIRS = {
    "known": ((CORRECT, REFUSAL), (CORRECT, REFUSAL)),
    "unknown": ((REFUSAL, INCORRECT), (REFUSAL, INCORRECT)),
    "mixed": ((CORRECT, INCORRECT), (REFUSAL, INCORRECT)),
}


# --- the loss ---------------------------------------------------------------------------------------------------------


def margins(policy: torch.Tensor, reference: torch.Tensor, kinds: list[str]) -> torch.Tensor:
    """How much further the policy than the reference prefers chosen to rejected, for p1 and p2 of every question.

    `policy`, `reference`: summed log-probabilities in nats of (correct, incorrect, refusal), shape (questions, 3).
    Returns shape (questions, 2).
    """
    ratio = policy - reference
    chosen = torch.tensor([[pair[0] for pair in PAIRS[k]] for k in kinds], device=policy.device)
    rejected = torch.tensor([[pair[1] for pair in PAIRS[k]] for k in kinds], device=policy.device)
    return ratio.gather(1, chosen) - ratio.gather(1, rejected)


def ca_dpo_loss(margin: torch.Tensor, confidence: torch.Tensor, beta: float) -> torch.Tensor:
    """Eq. 6 per question, shape (questions,): -[conf logsigmoid(beta m1) + (1 - conf) logsigmoid(beta m2)].

    `margin`: (questions, 2); `confidence`: (questions,) in [0, 1].
    """
    weights = torch.stack([confidence, 1 - confidence], 1)
    return weighted_loss(margin, weights, beta)


def weighted_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """-sum of weight times logsigmoid(beta margin) over a question's pairs; both inputs (questions, 2)."""
    return -(weights * F.logsigmoid(beta * margin)).sum(1)


def inside_loss(margin: torch.Tensor, weights: torch.Tensor, beta: float) -> torch.Tensor:
    """A control: the weights inside the sigmoid, -logsigmoid(beta * weighted margin)."""
    return -F.logsigmoid(beta * (weights * margin).sum(1))


def pair_weights(mode: str, kinds: list[str], confidence: np.ndarray, seed: int = 0) -> np.ndarray:
    """Weights (questions, 2) of p1 and p2. Known and unknown questions (p1 = p2) always sum to one.

    ca_dpo, ca_dpo_inside: (conf, 1 - conf). dpo_1: refusal > incorrect alone; dpo_2: correct > incorrect alone; dpo_3: both
    at full weight, as the paper's Table 4. Controls: ca_dpo_half (1/2, 1/2), ca_dpo_shuffled (confidences permuted among
    the mixed questions).
    """
    mixed, conf = np.array(kinds) == "mixed", np.asarray(confidence, float).copy()
    if mode == "ca_dpo_shuffled":
        conf[mixed] = np.random.default_rng(seed).permutation(conf[mixed])
    weights = np.stack([conf, 1 - conf], 1)
    fixed = {"dpo_1": (0, 1), "dpo_2": (1, 0), "dpo_3": (1, 1), "ca_dpo_half": (0.5, 0.5)}
    if mode in fixed:
        weights[mixed] = fixed[mode]
    elif not mode.startswith("ca_dpo"):
        raise ValueError(f"method {mode!r} is no preference training; choose ca_dpo, {', '.join(fixed)}, ca_dpo_shuffled or ca_dpo_inside")
    return weights


# --- packing ----------------------------------------------------------------------------------------------------------


class PackingCollator:
    """Prompts padded on the left, then the question's responses one after another, padded on the right; rows name items
    by number."""

    def __init__(self, items: list[dict[str, Any]], rows: Dataset, processor: ProcessorMixin):
        self.items, self.rows, self.processor = items, rows, processor

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, Any]:
        numbers = [row["image"] for row in batch]
        items = [self.items[i] for i in numbers]
        prompt = max(len(i["prompt_ids"]) for i in items)
        tail = max(sum(len(r) for r in i["responses"]) for i in items)
        ids = torch.full((len(items), prompt + tail), self.processor.tokenizer.pad_token_id)
        owner = torch.full((len(items), tail), -1)  # which response a slot belongs to
        source = torch.zeros((len(items), tail), dtype=torch.long)  # whose logits predict the slot; 0 = the prompt's last
        positions = torch.zeros_like(ids)
        for row, item in enumerate(items):
            n = len(item["prompt_ids"])
            ids[row, prompt - n : prompt] = torch.tensor(item["prompt_ids"])
            positions[row, prompt - n : prompt] = torch.arange(n)
            slot = 0
            for k, response in enumerate(item["responses"]):
                end = slot + len(response)
                if response:
                    ids[row, prompt + slot : prompt + end] = torch.tensor(response)
                    positions[row, prompt + slot : prompt + end] = torch.arange(n, n + len(response))
                    owner[row, slot:end] = k
                    source[row, slot + 1 : end] = torch.arange(slot + 1, end)
                slot = end
        mask = block_mask(items, prompt, owner)
        image = pixels(self.processor, self.rows, numbers)
        extra = {k: torch.tensor(np.array([i[k] for i in items]), dtype=torch.float32) for k in ("reference", "weights") if k in items[0]}
        model = {"input_ids": ids, "position_ids": positions, "attention_mask": mask, **image}
        return {"model": model, "owner": owner, "source": source, "kinds": [i["kind"] for i in items], **extra}


def block_mask(items: list[dict[str, Any]], prompt: int, owner: torch.Tensor) -> torch.Tensor:
    """Additive mask (batch, 1, length, length): causal; a response sees the prompt and itself, padding sees itself."""
    size, tail = owner.shape
    real = torch.arange(prompt)[None] >= prompt - torch.tensor([len(i["prompt_ids"]) for i in items])[:, None]
    part = torch.cat([torch.where(real, -2, -1), owner], 1)  # -2 prompt, -1 padding, 0.. responses
    causal = torch.ones(prompt + tail, prompt + tail, dtype=torch.bool).tril()
    seen = causal & (part[:, :, None] != -1) & ((part[:, None, :] == -2) | (part[:, :, None] == part[:, None, :]))
    seen |= torch.eye(prompt + tail, dtype=torch.bool)
    mask = torch.zeros(size, 1, prompt + tail, prompt + tail)
    return mask.masked_fill(~seen[:, None], torch.finfo(mask.dtype).min)


def response_logps(model: PreTrainedModel, batch: dict[str, Any]) -> torch.Tensor:
    """Summed log-probability in nats of each response, shape (questions, 3); 0 where a question lacks a response."""
    owner, tail = batch["owner"], batch["owner"].shape[1]
    inputs = dict(batch["model"])
    inputs["attention_mask"] = inputs["attention_mask"].to(model.dtype)
    logits = model(**inputs, use_cache=False, logits_to_keep=tail + 1).logits.float()
    logps = torch.log_softmax(logits, -1)
    rows = torch.arange(len(owner), device=owner.device)[:, None]
    token = logps[rows, batch["source"], inputs["input_ids"][:, -tail:]]
    return torch.stack([(token * (owner == k)).sum(1) for k in range(len(RESPONSES))], 1)


def separate_logp(model: PreTrainedModel, item: dict[str, Any], k: int, image: dict[str, torch.Tensor]) -> torch.Tensor:
    """Log-probability in nats of an item's response `k` in a sequence of its own, with the model's own mask and positions."""
    ids, n = torch.tensor([item["prompt_ids"] + item["responses"][k]], device=model.device), len(item["responses"][k])
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), use_cache=False, **image).logits[0, -n - 1 : -1].float()
    return torch.log_softmax(logits, -1).gather(1, ids[0, -n:, None]).sum()


@torch.no_grad()
def check_packing(model: PreTrainedModel, collator: PackingCollator) -> None:
    """Refuse a model that reads packed responses otherwise than separate ones, on the question with the most responses.

    Raises ValueError: some attention kernels drop a block mask, some families give image tokens positions of their own.
    """
    number = max(range(len(collator.items)), key=lambda i: sum(map(bool, collator.items[i]["responses"])))
    item, batch = collator.items[number], send_to_device(collator([{"image": number}]), model.device)
    image = {k: v for k, v in batch["model"].items() if k not in ("input_ids", "position_ids", "attention_mask")}
    packed = response_logps(model, batch)[0]
    exact = 1e-3 if model.dtype == torch.float32 else 5e-2  # 16-bit floats keep two to three digits
    for k, response in enumerate(item["responses"]):
        alone = separate_logp(model, item, k, image) if response else packed[k]
        if not abs(packed[k] - alone) <= exact * (1 + abs(alone)):
            raise ValueError(
                f"{type(model).__name__}: the {RESPONSES[k]} response has log-probability {packed[k]:.4f} packed and {alone:.4f} "
                'alone; load the model with attn_implementation="sdpa" or "eager", or take one with plain rotary positions'
            )


# --- training ---------------------------------------------------------------------------------------------------------


class CADPOTrainer(DPOTrainer):
    """TRL's `DPOTrainer` with packed responses, reference log-probabilities computed once, and eq. 6 as its loss.

    The loss is divided by questions, not by pairs.
    """

    def __init__(self, *args: Any, mode: str = "ca_dpo", **kwargs: Any):
        self.mode = mode
        super().__init__(*args, **kwargs)
        if "ref" in getattr(self.model, "peft_config", {}):
            self.model.delete_adapter("ref")  # its log-probabilities are known already

    def _compute_loss(self, model, inputs, return_outputs=False):
        margin = margins(response_logps(model, inputs), inputs["reference"], inputs["kinds"])
        loss = (inside_loss if self.mode == "ca_dpo_inside" else weighted_loss)(margin, inputs["weights"], self.beta).mean()
        if model.training and self.state.global_step == 0:
            self._check_start(loss.item(), inputs["weights"].sum(1).mean().item())
        self._note(margin.detach().cpu(), inputs["kinds"], self._metrics["train" if model.training else "eval"])
        return (loss, {"margin": margin}) if return_outputs else loss

    def _check_start(self, loss: float, weight: float) -> None:
        """Before its first update the policy is the reference, so every pair costs ln 2 times its weight."""
        expected = math.log(2) * (1.0 if self.mode == "ca_dpo_inside" else weight)
        exact = 5e-2 if self.args.bf16 else 1e-4
        assert abs(loss - expected) < exact, f"the first loss is {loss:.5f}, not {expected:.5f}: the reference is not the start model"

    @staticmethod
    def _note(margin: torch.Tensor, kinds: list[str], metrics: dict[str, list[float]]) -> None:
        """Margins in nats and the share of preferences on the right side, over all pairs and by kind of question."""
        for row, kind in zip(margin, kinds, strict=True):
            metrics[f"margin/{kind}"].append(row.mean().item())
            metrics[f"accuracy/{kind}"].append((row > 0).float().mean().item())
            metrics["accuracy"].append(metrics[f"accuracy/{kind}"][-1])


def check_rows(rows: list[dict[str, Any]]) -> None:
    """Refuse preference rows that lack what their kind needs. Raises ValueError with the first of them."""
    for row in rows:
        if row["kind"] not in PAIRS:
            raise ValueError(f"question {row.get('id')}: kind {row['kind']!r}; it is one of {', '.join(PAIRS)}")
        lacking = [RESPONSES[k] for k in needed(row["kind"]) if not (row[RESPONSES[k]] or "").strip()]
        if lacking:
            raise ValueError(f"question {row.get('id')} is {row['kind']} and lacks its {' and '.join(lacking)} response")
        if not 0 <= row["confidence"] <= 1:
            raise ValueError(f"question {row.get('id')}: confidence {row['confidence']}; it lies between 0 and 1")


def needed(kind: str) -> list[int]:
    """The responses that a kind of question compares."""
    return sorted({response for pair in PAIRS[kind] for response in pair})


def items(processor: ProcessorMixin, preferences: Dataset) -> list[dict[str, Any]]:
    """Packed training items: prompt ids, kind, confidence and the ids of each response that the kind needs ([] = none)."""
    rows = preferences.remove_columns("image").to_list()
    check_rows(rows)
    return [
        {"prompt_ids": prompt, "kind": row["kind"], "confidence": row["confidence"],
         "responses": [response_ids(processor, row[name]) if k in needed(row["kind"]) else [] for k, name in enumerate(RESPONSES)]}
        for prompt, row in zip(prompt_ids(processor, preferences), rows, strict=True)
    ]  # fmt: skip


@torch.no_grad()
def add_reference(model: PreTrainedModel, collator: PackingCollator, batch: int = 64) -> None:
    """Write the frozen start model's log-probabilities into every item as `reference`, shape (3,)."""
    made = collator.items
    order = sorted(range(len(made)), key=lambda i: len(made[i]["prompt_ids"]))
    for start in range(0, len(order), batch):
        chosen = order[start : start + batch]
        logps = response_logps(model, send_to_device(collator([{"image": i} for i in chosen]), model.device))
        for i, row in zip(chosen, logps.float().cpu().numpy(), strict=True):
            made[i]["reference"] = row


def train(
    p: Params, model: PreTrainedModel, processor: ProcessorMixin, preferences: Dataset, folder: Path, start: Path,
    callbacks: list[TrainerCallback] | None = None,
) -> pd.DataFrame:  # fmt: skip
    """CA-DPO (or the variant `p.preference`) from the IDK-IT adapter `start`; writes folder/adapter and folder/history.csv.

    The policy goes on with the IDK-IT adapter itself (the paper does not say whether it merges it first); the reference
    is that adapter, frozen. A killed run resumes from folder/partial. Returns the history.
    """
    made = items(processor, preferences)
    kinds, conf = [i["kind"] for i in made], np.array([i["confidence"] for i in made])
    for item, weight in zip(made, pair_weights(p.preference, kinds, conf, p.seed), strict=True):
        item["weights"] = weight
    collator = PackingCollator(made, preferences, processor)
    policy = PeftModel.from_pretrained(model, str(start), is_trainable=True).eval()
    trainer = CADPOTrainer(
        model=policy, args=DPOConfig(**arguments(p, policy, folder / "partial", p.dpo_learning_rate), beta=p.beta), mode=p.preference,
        processing_class=processor, train_dataset=numbered(preferences), data_collator=collator, callbacks=callbacks,
    )  # fmt: skip
    with trainer.accelerator.autocast():  # the precision of training, or the first loss would not be ln 2
        check_packing(policy.eval(), collator)
        add_reference(policy, collator)
    return finish(trainer, folder)
