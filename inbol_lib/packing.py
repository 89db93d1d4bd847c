"""Two or three responses of a question packed behind one image and prompt (ours).

A mask hides the responses from each other and positions start anew after the prompt, so every response has the log-probability it would
have alone, while image and prompt, nearly all of a sequence's tokens, are read once instead of once per response."""

import hashlib
import json
import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from datasets import Dataset, Image
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from transformers import PreTrainedModel, ProcessorMixin
from transformers.modeling_outputs import BaseModelOutputWithPooling

from inbol_lib import paths
from inbol_lib.idk_it import IGNORE, Collator, padded
from inbol_lib.models import additive, picture_marks

RESPONSES = ("correct", "incorrect", "refusal")
PROMPT, PADDING = -2, -1


def parts(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Indices by rising length in groups of at most `budget` tokens, padding counted (a longer item is a group of its own)."""
    group: list[int] = []
    for i in sorted(range(len(lengths)), key=lambda i: lengths[i]):
        if group and (len(group) + 1) * lengths[i] > budget:
            yield group
            group = []
        group.append(i)
    yield group


class PackingCollator(Collator):
    """Prompts padded on the left, then the question's responses one after another, padded on the right. A batch is read in parts of at
    most `token_budget` tokens."""

    def __init__(self, items: list[dict[str, Any]], rows: Dataset, processor: ProcessorMixin, token_budget: int = 2**31):
        super().__init__(items, rows, processor)
        self.token_budget = token_budget
        said = [[sum(map(len, row)) for row in self.rows_of(i["responses"])] for i in items]
        self.lengths = [len(rows) * (len(i["prompt_ids"]) + max(rows)) for i, rows in zip(items, said, strict=True)]

    def rows_of(self, responses: list[list[int]]) -> list[list[list[int]]]:
        return [responses]  # what each row of a question says: here all of it

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, list[dict[str, Any]]]:
        numbers = [row["image"] for row in batch]
        groups = parts([self.lengths[i] for i in numbers], self.token_budget)
        return {"parts": [self.read([numbers[k] for k in group]) for group in groups]}

    def read(self, numbers: list[int]) -> dict[str, Any]:
        """Inputs of the questions of these numbers; `question`: the place among them that a row belongs to, `numbers`: its picture."""
        items = [self.items[i] for i in numbers]
        rows = [(k, item | {"responses": said}) for k, item in enumerate(items) for said in self.rows_of(item["responses"])]
        extra = {k: torch.tensor(np.array([i[k] for i in items]), dtype=torch.float32) for k in ("reference", "weights") if k in items[0]}
        places, kinds = [k for k, _ in rows], [i["kind"] for i in items]
        about = {"numbers": [numbers[k] for k in places], "question": torch.tensor(places), "kinds": kinds, **extra}
        return self.joined([item for _, item in rows], self.images(about["numbers"])) | about

    def joined(self, items: list[dict[str, Any]], images: dict[str, torch.Tensor]) -> dict[str, Any]:
        blank, said = self.processor.tokenizer.pad_token_id, [i["responses"] for i in items]
        prompts = padded([i["prompt_ids"] for i in items], blank, "left")
        tails = padded([sum(responses, []) for responses in said], blank)
        owner = padded([[k for k, r in enumerate(responses) for _ in r] for responses in said], -1)  # the response of a slot
        place = padded([[n for r in responses for n in range(len(r))] for responses in said], 0)  # where in it the slot lies
        source = torch.arange(tails.shape[1]) * (place > 0)  # whose logits predict the slot; 0 = the prompt's last
        lengths = torch.tensor([[len(i["prompt_ids"])] for i in items])
        before = lengths - torch.arange(prompts.shape[1], 0, -1)  # places in the prompt, below 0 for padding
        segments = torch.cat([torch.where(before < 0, PADDING, PROMPT), owner], 1)
        positions = torch.cat([before.clamp(min=0), lengths + place], 1)
        model = {"input_ids": torch.cat([prompts, tails], 1), "position_ids": positions, **images}
        return {"model": model, "segments": segments, "owner": owner, "source": source}


def block_mask(segments: torch.Tensor, model: PreTrainedModel) -> torch.Tensor | BlockMask:
    """Causal mask in the form that the model's attention wants: a response sees the prompt and itself, only padding sees padding.
    `segments` (batch, length): PROMPT, PADDING, 0 and up the responses. Additive, (batch, 1, length, length), but for FlexAttention,
    which never reads the blocks that are hidden."""
    (batch, length), model = segments.shape, getattr(model, "module", model)  # the model inside DistributedDataParallel
    if model.config.get_text_config()._attn_implementation == "flex_attention":

        def sees(row, _, at, other):
            return (at >= other) & ((segments[row, other] == PROMPT) | (segments[row, other] == segments[row, at]))

        return create_block_mask(sees, batch, None, length, length, device=segments.device)
    seen = ((segments[:, None] == PROMPT) | (segments[:, None] == segments[:, :, None])).tril()
    return additive(seen, model)


class Features:
    """What the frozen vision tower sees in each picture, kept for the next pass up to `limit` bytes (a picture has 18 kB in micro-s, but
    4.7 MB in LLaVA-1.5-7B, whose tower costs little beside the language model). For models that read one picture of fixed size a row."""

    def __init__(self, limit: int = 2**30):
        self.kept: dict[int, torch.Tensor] = {}
        self.left = limit

    @torch.no_grad()
    def __call__(self, model: PreTrainedModel, numbers: list[int], inputs: dict[str, Any]) -> dict[str, Any]:
        """`inputs` with the rows' features in place of their pixels; unchanged for other kinds of models."""
        pixels = inputs.get("pixel_values")
        if "image_sizes" in inputs or pixels is None or pixels.dim() != 4 or len(pixels) != len(numbers):
            return inputs
        missing = [k for k, number in enumerate(numbers) if number not in self.kept]
        found = dict(self.kept)
        if missing:
            made = getattr(model, "module", model).get_image_features(pixel_values=pixels[missing]).pooler_output
            for k, features in zip(missing, made, strict=True):
                found[numbers[k]] = features
                if (size := features.nbytes) <= self.left:
                    self.kept[numbers[k]], self.left = features, self.left - size
        image = BaseModelOutputWithPooling(pooler_output=[found[number] for number in numbers])
        return {k: v for k, v in inputs.items() if k != "pixel_values"} | {"mm_encoder_outputs": {"image": image}}


def response_logps(model: PreTrainedModel, batch: dict[str, Any], features: Features | None = None) -> torch.Tensor:
    """Summed log-probability in nats of each response, shape (questions, 3); 0 where a question lacks a response."""
    owner, tail = batch["owner"], batch["owner"].shape[1]
    inputs = features(model, batch["numbers"], batch["model"]) if features else batch["model"]
    inputs = inputs if "attention_mask" in inputs else inputs | {"attention_mask": block_mask(batch["segments"], model)}
    logps = torch.log_softmax(model(**inputs, use_cache=False, logits_to_keep=tail + 1).logits.float(), -1)
    rows = torch.arange(len(owner), device=owner.device)[:, None]
    token = logps[rows, batch["source"], inputs["input_ids"][:, -tail:]]
    of_rows = torch.stack([(token * (owner == k)).sum(1) for k in range(len(RESPONSES))], 1)
    return of_rows.new_zeros(len(batch["kinds"]), len(RESPONSES)).index_add(0, batch["question"], of_rows)


@torch.no_grad()
def check_packing(model: PreTrainedModel, collator: PackingCollator) -> None:
    """Refuse a model that reads the collator's responses otherwise than each in a batch of its own, on the question with the most of them.
    Raises ValueError: some attention kernels drop a block mask, some families give tokens positions of their own."""
    number = max(range(len(collator.items)), key=lambda i: sum(map(bool, collator.items[i]["responses"])))
    prompt, batch = collator.items[number]["prompt_ids"], send_to_device(collator.read([number]), model.device)
    images = send_to_device(collator.images([number]), model.device)
    exact = 1e-4 if model.dtype == torch.float32 else 5e-2  # 16-bit floats keep two to three digits
    for name, response, packed in zip(RESPONSES, collator.items[number]["responses"], response_logps(model, batch)[0], strict=True):
        ids, labels = torch.tensor([prompt + response, [IGNORE] * len(prompt) + response], device=model.device)[:, None]
        marks = picture_marks(collator.processor, ids)
        loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, **marks, **images).loss  # a mean over tokens
        alone = -len(response) * loss if response else packed
        if not abs(packed - alone) <= exact * (1 + abs(alone)):
            raise ValueError(
                f"{type(model).__name__}: the {name} response has log-probability {packed:.4f} packed and {alone:.4f} alone; "
                'load the model with attn_implementation="sdpa" or "eager", or take one of another family'
            )


def fingerprint(collator: PackingCollator, start: Path, model: PreTrainedModel) -> str:
    """A hash of all that the reference's log-probabilities rest on: the start adapter, tokens, pictures, precision and batches."""
    digest = hashlib.sha256(f"{model.dtype} {model.device.type} {collator.token_budget}".encode())
    for file in sorted(start.glob("adapter_*")):
        digest.update(file.read_bytes())
    for item in collator.items:
        digest.update(json.dumps([item["prompt_ids"], item["responses"]]).encode())
    for row in collator.rows.select_columns("image").cast_column("image", Image(decode=False)):
        digest.update(row["image"]["bytes"])
    return digest.hexdigest()[:16]


@torch.no_grad()
def add_reference(
    model: PreTrainedModel, collator: PackingCollator, start: Path, accelerator: Accelerator, features: Features | None = None
) -> None:
    """Write the frozen start model's log-probabilities into every item as `reference`, shape (3,). They are computed once, shared by the
    processes, and kept in runs/reference for every training on the same rows from the same start, such as the variants of Table 4."""
    kept = paths.runs() / "reference" / f"{fingerprint(collator, start, model)}.npy"
    if kept.is_file():
        found = np.load(kept)
    else:
        mine = list(parts(collator.lengths, collator.token_budget))[accelerator.process_index :: accelerator.num_processes]
        read = (send_to_device(collator.read(group), model.device) for group in mine)
        done = [(group, response_logps(model, part, features).float().cpu().numpy()) for group, part in zip(mine, read, strict=True)]
        done = gather_object(done)
        found = np.concatenate([rows for _, rows in done])[np.argsort(np.concatenate([group for group, _ in done]))]
        if accelerator.is_main_process:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(unfinished := kept.with_suffix(f".{os.getpid()}.npy"), found)
            unfinished.replace(kept)
    for item, row in zip(collator.items, found, strict=True):
        item["reference"] = row
