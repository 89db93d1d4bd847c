"""From conversations to padded tensors, in which only what the assistant says is learnt."""

from collections.abc import Iterable, Mapping, Sequence
from functools import lru_cache
from typing import NamedTuple

import torch
from PIL import Image
from torch.nn.utils.rnn import pad_sequence
from transformers import LlavaProcessor

IGNORE = -100  # label of a token that is not in the loss


class Row(NamedTuple):
    """One conversation in tokens; the lists have the same length."""

    image: Image.Image
    ids: list[int]
    labels: list[int]  # IGNORE wherever the assistant does not speak
    weights: list[float]


class Batcher:
    """Turns conversations into the inputs of a model.

    Parameters
    ----------
    processor : LlavaProcessor
        Its tokenizer and image processor.
    image_tokens : int
        Number of tokens that stand for the picture.
    """

    def __init__(self, processor: LlavaProcessor, image_tokens: int):
        self.processor, self.tokenizer = processor, processor.tokenizer
        self.image = self.tokenizer("<image>").input_ids * image_tokens
        self.ids = lru_cache(maxsize=100_000)(lambda text: tuple(self.tokenizer(text).input_ids))

    def row(self, talk: Mapping) -> Row:
        """Encode one conversation; the ids equal those of the chat template's text.

        An answer of n tokens weighs sqrt(n), so each token has the weight 1 / sqrt(n): with equal
        weights for all tokens the short answers would drown in captions.
        """
        ids, labels, weights = [self.tokenizer.bos_token_id], [IGNORE], [0.0]
        for number, (user, assistant) in enumerate(talk["turns"]):
            asked = self._first_turn(user) if number == 0 else self.ids(f"USER: {user} ASSISTANT:")
            answer = [*self.ids(f" {assistant}"), self.tokenizer.eos_token_id]
            ids += [*asked, *answer]
            labels += [IGNORE] * len(asked) + answer
            weights += [0.0] * len(asked) + [len(answer) ** -0.5] * len(answer)
        return Row(talk["image"], ids, labels, weights)

    def _first_turn(self, user: str) -> list[int]:
        """Encode what the user says first, with the picture's tokens before it."""
        return [*self.ids("USER: "), *self.image, *self.ids(f"\n{user} ASSISTANT:")]

    def __call__(self, rows: Iterable[Row]) -> dict[str, torch.Tensor]:
        """Collate rows: tensors `(batch, tokens)`, padded on the right, and `pixel_values`."""
        images, ids, labels, weights = zip(*rows, strict=True)
        pixels = self.processor.image_processor(list(images), return_tensors="pt")["pixel_values"]
        return {
            "input_ids": _padded(ids, self.tokenizer.pad_token_id),
            "attention_mask": _padded([[1] * len(row) for row in ids], 0),
            "labels": _padded(labels, IGNORE),
            "weights": _padded(weights, 0.0),
            "pixel_values": pixels,
        }


def _padded(rows: Sequence[list], fill: float) -> torch.Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=fill)
