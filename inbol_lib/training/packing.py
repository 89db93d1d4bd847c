"""Two or three responses of a question packed behind one image and prompt (ours).

A mask hides the responses from each other and positions start anew after the prompt, so every response has the log-probability it would
have alone, while image and prompt, nearly all of a sequence's tokens, are read once instead of once per response."""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from accelerate.utils import send_to_device
from datasets import Dataset
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.mllm.attention import additive
from inbol_lib.mllm.chat import picture_marks
from inbol_lib.training.collating import IGNORE, Collator, padded
from inbol_lib.training.picture_features import Features

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

    def __init__(
        self,
        items: list[dict[str, Any]],
        rows: Dataset,
        processor: ProcessorMixin,
        token_budget: int = 2**31,
    ):
        super().__init__(items, rows, processor)
        self.token_budget = token_budget
        said = [[sum(map(len, row)) for row in self.rows_of(i["responses"])] for i in items]
        self.lengths = [
            len(rows) * (len(i["prompt_ids"]) + max(rows))
            for i, rows in zip(items, said, strict=True)
        ]

    def rows_of(self, responses: list[list[int]]) -> list[list[list[int]]]:
        return [responses]  # what each row of a question says: here all of it

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, list[dict[str, Any]]]:
        numbers = [row["image"] for row in batch]
        groups = parts([self.lengths[i] for i in numbers], self.token_budget)
        return {"parts": [self.read([numbers[k] for k in group]) for group in groups]}

    def read(self, numbers: list[int]) -> dict[str, Any]:
        """Inputs of the questions of these numbers; `question`: the place among them that a row belongs to, `numbers`: its picture."""
        items = [self.items[i] for i in numbers]
        rows = [
            (k, item | {"responses": said})
            for k, item in enumerate(items)
            for said in self.rows_of(item["responses"])
        ]
        extra = {
            k: torch.tensor(np.array([i[k] for i in items]), dtype=torch.float32)
            for k in ("reference", "weights")
            if k in items[0]
        }
        places, kinds = [k for k, _ in rows], [i["kind"] for i in items]
        about = {
            "numbers": [numbers[k] for k in places],
            "question": torch.tensor(places),
            "kinds": kinds,
            **extra,
        }
        return self.joined([item for _, item in rows], self.images(about["numbers"])) | about

    def joined(
        self, items: list[dict[str, Any]], images: dict[str, torch.Tensor]
    ) -> dict[str, Any]:
        blank, said = self.processor.tokenizer.pad_token_id, [i["responses"] for i in items]
        prompts = padded([i["prompt_ids"] for i in items], blank, "left")
        tails = padded([sum(responses, []) for responses in said], blank)
        owner = padded(
            [[k for k, r in enumerate(responses) for _ in r] for responses in said], -1
        )  # the response of a slot
        place = padded(
            [[n for r in responses for n in range(len(r))] for responses in said], 0
        )  # where in it the slot lies
        source = torch.arange(tails.shape[1]) * (
            place > 0
        )  # whose logits predict the slot; 0 = the prompt's last
        lengths = torch.tensor([[len(i["prompt_ids"])] for i in items])
        before = lengths - torch.arange(
            prompts.shape[1], 0, -1
        )  # places in the prompt, below 0 for padding
        segments = torch.cat([torch.where(before < 0, PADDING, PROMPT), owner], 1)
        positions = torch.cat([before.clamp(min=0), lengths + place], 1)
        model = {"input_ids": torch.cat([prompts, tails], 1), "position_ids": positions, **images}
        return {"model": model, "segments": segments, "owner": owner, "source": source}


def block_mask(segments: torch.Tensor, model: PreTrainedModel) -> torch.Tensor | BlockMask:
    """Causal mask in the form that the model's attention wants: a response sees the prompt and itself, only padding sees padding.
    `segments` (batch, length): PROMPT, PADDING, 0 and up the responses. Additive, (batch, 1, length, length), but for FlexAttention,
    which never reads the blocks that are hidden."""
    (batch, length), model = (
        segments.shape,
        getattr(model, "module", model),
    )  # the model inside DistributedDataParallel
    if model.config.get_text_config()._attn_implementation == "flex_attention":

        def sees(row, _, at, other):
            return (at >= other) & (
                (segments[row, other] == PROMPT) | (segments[row, other] == segments[row, at])
            )

        return create_block_mask(sees, batch, None, length, length, device=segments.device)
    seen = ((segments[:, None] == PROMPT) | (segments[:, None] == segments[:, :, None])).tril()
    return additive(seen, model)


def response_logps(
    model: PreTrainedModel, batch: dict[str, Any], features: Features | None = None
) -> torch.Tensor:
    """Summed log-probability in nats of each response, shape (questions, 3); 0 where a question lacks a response."""
    owner, tail = batch["owner"], batch["owner"].shape[1]
    inputs = features(model, batch["numbers"], batch["model"]) if features else batch["model"]
    inputs = (
        inputs
        if "attention_mask" in inputs
        else inputs | {"attention_mask": block_mask(batch["segments"], model)}
    )
    logps = torch.log_softmax(
        model(**inputs, use_cache=False, logits_to_keep=tail + 1).logits.float(), -1
    )
    rows = torch.arange(len(owner), device=owner.device)[:, None]
    token = logps[rows, batch["source"], inputs["input_ids"][:, -tail:]]
    of_rows = torch.stack([(token * (owner == k)).sum(1) for k in range(len(RESPONSES))], 1)
    return of_rows.new_zeros(len(batch["kinds"]), len(RESPONSES)).index_add(
        0, batch["question"], of_rows
    )


@torch.no_grad()
def check_packing(model: PreTrainedModel, collator: PackingCollator) -> None:
    """Refuse a model that reads the collator's responses otherwise than each in a batch of its own, on the question with the most of them.
    Raises ValueError: some attention kernels drop a block mask, some families give tokens positions of their own."""
    number = max(
        range(len(collator.items)), key=lambda i: sum(map(bool, collator.items[i]["responses"]))
    )
    prompt, batch = (
        collator.items[number]["prompt_ids"],
        send_to_device(collator.read([number]), model.device),
    )
    images = send_to_device(collator.images([number]), model.device)
    exact = 1e-4 if model.dtype == torch.float32 else 5e-2  # 16-bit floats keep two to three digits
    for name, response, packed in zip(
        RESPONSES, collator.items[number]["responses"], response_logps(model, batch)[0], strict=True
    ):
        ids, labels = torch.tensor(
            [prompt + response, [IGNORE] * len(prompt) + response], device=model.device
        )[:, None]
        marks = picture_marks(collator.processor, ids)
        loss = model(
            input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, **marks, **images
        ).loss  # a mean over tokens
        alone = -len(response) * loss if response else packed
        if not abs(packed - alone) <= exact * (1 + abs(alone)):
            raise ValueError(
                f"{type(model).__name__}: the {name} response has log-probability {packed:.4f} packed and {alone:.4f} alone; "
                'load the model with attn_implementation="sdpa" or "eager", or take one of another family'
            )
