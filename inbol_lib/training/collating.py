"""TODO."""

from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from transformers import ProcessorMixin

from inbol_lib.mllm.chat import chat_prompt, encode, image_token_id, picture_marks

IGNORE = -100


def response_ids(processor: ProcessorMixin, text: str) -> list[int]:
    """Token ids of a response as it follows "ASSISTANT:" or, spaceless, a new line, closed by EOS (LLaVA's own template leaves EOS out)."""
    tokenizer, space = processor.tokenizer, "" if chat_prompt(processor, "")[-1].isspace() else " "
    return [
        *tokenizer(f"{space}{text}", add_special_tokens=False).input_ids,
        tokenizer.eos_token_id,
    ]


def prompt_ids(processor: ProcessorMixin, rows: Dataset, batch: int = 256) -> list[list[int]]:
    """Token ids of each row's prompt without padding, made once for the whole training. Raises ValueError without rows."""
    if not len(rows):
        raise ValueError(
            "there are no rows to train on; check the composition's counts (metrics.json)"
        )
    out = []
    for chunk in rows.iter(batch):
        coded = encode(processor, chunk["image"], chunk["prompt"])
        out += [
            ids[mask].tolist()
            for ids, mask in zip(coded["input_ids"], coded["attention_mask"].bool(), strict=True)
        ]
    return out


def examples(processor: ProcessorMixin, instructions: Dataset) -> list[dict[str, list[int]]]:
    """Training items with `input_ids` and `labels`; only the response and its EOS are in the loss. Raises ValueError for an empty
    response, AssertionError when a row does not begin with BOS, end with EOS, or has an image token in the loss. (`models.encode` has
    counted the image tokens.)"""
    tokenizer, image_id = processor.tokenizer, image_token_id(processor)
    empty = [i for i, text in enumerate(instructions["response"]) if not (text or "").strip()]
    if empty:
        raise ValueError(
            f"{len(empty)} instructions have no response (rows {empty[:5]}); every row needs one to learn from"
        )
    items = []
    for prompt, response in zip(
        prompt_ids(processor, instructions), instructions["response"], strict=True
    ):
        answer = response_ids(processor, response)
        assert tokenizer.bos_token_id in (None, prompt[0]), "a row does not begin with BOS"
        assert answer[-1] == tokenizer.eos_token_id, "a row does not end with EOS"
        assert image_id not in answer, "an image token is in the loss"
        items.append({"input_ids": prompt + answer, "labels": [IGNORE] * len(prompt) + answer})
    return items


def numbered(rows: Dataset) -> Dataset:
    """TRL wants a `Dataset` with an image column; ours holds each row's number, which the collators look up."""
    return Dataset.from_dict({"image": list(range(len(rows)))})


def padded(rows: list[list[int]], value: int, side: str = "right") -> torch.Tensor:
    """Rows of different length as one tensor (rows, longest), filled up with `value`."""
    return pad_sequence(
        [torch.tensor(row) for row in rows],
        batch_first=True,
        padding_value=value,
        padding_side=side,
    )


class Collator:
    """Pads encoded items on the right and adds their images, one per row, read once. Images are made batch by batch: those of 11,000
    rows would fill 15 GB at 336 pixels a side."""

    def __init__(self, items: list[dict[str, Any]], rows: Dataset, processor: ProcessorMixin):
        self.items, self.rows, self.processor = items, rows, processor

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, Any]:
        return self.read([row["image"] for row in batch])

    def read(self, numbers: list[int]) -> dict[str, Any]:
        """The model's inputs for the rows of these numbers."""
        return self.joined([self.items[i] for i in numbers], self.images(numbers))

    def images(self, numbers: list[int]) -> dict[str, torch.Tensor]:
        return dict(
            self.processor.image_processor(list(self.rows[numbers]["image"]), return_tensors="pt")
        )

    def joined(
        self, items: list[dict[str, Any]], images: dict[str, torch.Tensor]
    ) -> dict[str, Any]:
        """The model's inputs for some items and their images."""
        ids = padded([i["input_ids"] for i in items], self.processor.tokenizer.pad_token_id)
        return {
            "input_ids": ids,
            "labels": padded([i["labels"] for i in items], IGNORE),
            "attention_mask": padded([[1] * len(i["labels"]) for i in items], 0),
            **picture_marks(self.processor, ids),
            **images,
        }
