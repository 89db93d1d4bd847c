"""From rows of text and pictures to tensors: tokens, labels, padding.

Each row is tokenized once, before training starts. Pictures are processed batch by batch: those of
11,000 rows would fill 15 GB at 336 pixels a side.
"""

from typing import Any

import torch
from datasets import Dataset
from torch.nn.utils.rnn import pad_sequence
from transformers import ProcessorMixin

from inbol_lib.errors import ParameterError
from inbol_lib.mllm.chat import chat_prompt, image_token_id, picture_marks
from inbol_lib.mllm.sampling.prompts import written

IGNORE = -100  # the label of a token outside the loss, as PyTorch's cross-entropy has it


def response_ids(processor: ProcessorMixin, text: str) -> list[int]:
    """Return the token ids of a response as it follows the prompt, closed by EOS.

    A space goes before the text (after "ASSISTANT:"), unless the prompt ends in white space (after
    a new line). EOS is added here because LLaVA's own template leaves it out.
    """
    tokenizer = processor.tokenizer
    space = "" if chat_prompt(processor, "")[-1].isspace() else " "
    ids = tokenizer(f"{space}{text}", add_special_tokens=False).input_ids
    return [*ids, tokenizer.eos_token_id]


def prompt_ids(processor: ProcessorMixin, rows: Dataset, batch: int = 256) -> list[list[int]]:
    """Return the token ids of each row's prompt, without padding.

    Parameters
    ----------
    processor : ProcessorMixin
        Of the model to train.
    rows : Dataset
        Columns `image` and `prompt`.
    batch : int
        How many pictures are held in memory at a time.

    Returns
    -------
    list of list of int
        Image tokens included: as many as the model reads for the row's picture.

    Raises
    ------
    ParameterError
        When there are no rows, or when the processor makes a prompt that the model would misread
        (see `inbol_lib.mllm.chat.encode`).
    """
    if not len(rows):
        raise ParameterError(
            "there are no rows to train on; check the composition's counts (metrics.json)"
        )
    prompts = []
    for chunk in rows.iter(batch):
        # A picture's size decides on its tokens, so the processor gets one picture of each size.
        sizes = [image.size for image in chunk["image"]]
        made = written(processor, chunk["image"], chunk["prompt"], sizes)
        for trunk, branch in zip(made.trunk_of, made.branches, strict=True):
            prompts.append([*made.trunks[trunk], *branch])
    return prompts


def examples(processor: ProcessorMixin, instructions: Dataset) -> list[dict[str, list[int]]]:
    """Return training items in which only the response and its EOS are in the loss.

    Parameters
    ----------
    processor : ProcessorMixin
        Of the model to train.
    instructions : Dataset
        Columns `image`, `prompt` and `response`.

    Returns
    -------
    list of dict
        For each row, `input_ids` (prompt and response) and `labels` of the same length: `IGNORE`
        over the prompt, the token itself over the response.

    Raises
    ------
    ParameterError
        When there are no rows, or when a response is empty.
    AssertionError
        When a row does not begin with BOS, does not end with EOS, or has an image token in the
        loss. (The image tokens of the prompt have been counted by `encode`.)
    """
    tokenizer, image_id = processor.tokenizer, image_token_id(processor)
    responses = instructions["response"]
    empty = [number for number, text in enumerate(responses) if not (text or "").strip()]
    if empty:
        raise ParameterError(
            f"{len(empty)} instructions have no response (rows {empty[:5]}); "
            "every row needs one to learn from"
        )
    items = []
    for prompt, response in zip(prompt_ids(processor, instructions), responses, strict=True):
        answer = response_ids(processor, response)
        assert tokenizer.bos_token_id in (None, prompt[0]), "a row does not begin with BOS"
        assert answer[-1] == tokenizer.eos_token_id, "a row does not end with EOS"
        assert image_id not in answer, "an image token is in the loss"
        items.append({"input_ids": prompt + answer, "labels": [IGNORE] * len(prompt) + answer})
    return items


def numbered(rows: Dataset) -> Dataset:
    """Return the data set to hand to TRL: the numbers of the rows, which the collators look up.

    They stand in a column named `image`, because TRL treats data as pictures with text only where
    it finds such a column.
    """
    return Dataset.from_dict({"image": list(range(len(rows)))})


def padded(rows: list[list[int]], value: int, side: str = "right") -> torch.Tensor:
    """Return rows of different lengths as one tensor, filled up with `value`.

    Parameters
    ----------
    rows : list of list of int
        One list per row.
    value : int
        What fills the gaps.
    side : {"right", "left"}
        Where the gaps are.

    Returns
    -------
    torch.Tensor, shape (rows, longest)
        Integers.

    Examples
    --------
    >>> padded([[1, 2, 3], [4]], 0, "left")
    tensor([[1, 2, 3],
            [0, 0, 4]])
    """
    tensors = [torch.tensor(row) for row in rows]
    return pad_sequence(tensors, batch_first=True, padding_value=value, padding_side=side)


class Collator:
    """Makes a batch of items and pictures, padded on the right.

    Parameters
    ----------
    items : list of dict
        One per row, tokenized (`examples`).
    rows : Dataset
        The same rows, for their column `image`.
    processor : ProcessorMixin
        Processes the pictures, and knows the padding token.
    """

    def __init__(self, items: list[dict[str, Any]], rows: Dataset, processor: ProcessorMixin):
        self.items, self.rows, self.processor = items, rows, processor

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, Any]:
        """Return the model's inputs for a batch of row numbers (`numbered`)."""
        return self.read([row["image"] for row in batch])

    def read(self, numbers: list[int]) -> dict[str, Any]:
        """Return the model's inputs for the rows of these numbers."""
        return self.joined([self.items[number] for number in numbers], self.images(numbers))

    def images(self, numbers: list[int]) -> dict[str, torch.Tensor]:
        """Return the processed pictures of the rows of these numbers, in their order."""
        pictures = list(self.rows[numbers]["image"])
        return dict(self.processor.image_processor(pictures, return_tensors="pt"))

    def joined(
        self, items: list[dict[str, Any]], images: dict[str, torch.Tensor]
    ) -> dict[str, Any]:
        """Return the model's inputs for `items` and their processed pictures.

        `input_ids`, `labels` and `attention_mask` have the shape (items, longest).
        """
        blank = self.processor.tokenizer.pad_token_id
        ids = padded([item["input_ids"] for item in items], blank)
        return {
            "input_ids": ids,
            "labels": padded([item["labels"] for item in items], IGNORE),
            "attention_mask": padded([[1] * len(item["labels"]) for item in items], 0),
            **picture_marks(self.processor, ids),
            **images,
        }
