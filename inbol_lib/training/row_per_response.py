"""A row for each response, for models that can not read packed ones (Qwen-VL counts positions inside a picture): the same losses, for two
to three times the work (ours)."""

import warnings
from typing import Any

import torch
from transformers import PreTrainedModel

from inbol_lib.mllm.attention import can_share
from inbol_lib.mllm.chat import picture_marks
from inbol_lib.training.packing import PADDING, PackingCollator


class RowCollator(PackingCollator):
    """Prompts padded on the left, each followed by one response, padded on the right; places are left to the model to count."""

    def rows_of(self, responses: list[list[int]]) -> list[list[list[int]]]:
        """Each response that is there, with [] in the others' places."""
        return [
            [r if k == own else [] for k, r in enumerate(responses)]
            for own, said in enumerate(responses)
            if said
        ]

    def joined(
        self, items: list[dict[str, Any]], images: dict[str, torch.Tensor]
    ) -> dict[str, Any]:
        batch = super().joined(items, images)
        ids, seen = batch["model"]["input_ids"], (batch["segments"] != PADDING).long()
        return batch | {
            "model": {
                "input_ids": ids,
                "attention_mask": seen,
                **picture_marks(self.processor, ids),
                **images,
            }
        }


def can_pack(model: PreTrainedModel) -> bool:
    """Whether one prompt can serve several responses in training, as in sampling; warns where not."""
    if packs := can_share(model, ("sdpa", "eager", "flex_attention")):
        return packs
    warnings.warn(
        f"{type(model).__name__}: responses can not be packed, so each is read with a prompt of its own",
        stacklevel=3,
    )
    return False
