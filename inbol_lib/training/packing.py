"""Two or three responses of a question packed behind one image and prompt (ours).

A mask hides the responses from each other, and their positions start anew after the prompt, so each
response has the log-probability it would have alone. Image and prompt, which are nearly all of a
sequence's tokens, are read once instead of once per response. Models that cannot read packed
responses get a row for each of them (`RowCollator`): the same losses, for two to three times the
work.
"""

import warnings
from typing import Any, NotRequired, TypedDict

import numpy as np
import torch
from accelerate.utils import send_to_device
from datasets import Dataset
from torch.nn.attention.flex_attention import BlockMask, create_block_mask
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.mllm.attention import additive, can_share
from inbol_lib.mllm.chat import picture_marks
from inbol_lib.mllm.picture_features import Features
from inbol_lib.training.collating import IGNORE, Collator
from inbol_lib.training.layout import PADDING, PROMPT, lay_out, parts, visible

#: names of a question's responses, in the order of `preference_loss.CORRECT`, INCORRECT, REFUSAL
RESPONSES = ("correct", "incorrect", "refusal")


class Item(TypedDict):
    """A question with its responses, tokenized."""

    prompt_ids: list[int]
    responses: list[list[int]]  # in the order of RESPONSES; [] for one that the kind does not need
    kind: str
    confidence: float
    weights: NotRequired[np.ndarray]  # of p1 and p2 (`preference_loss.pair_weights`)
    reference: NotRequired[np.ndarray]  # log-probabilities in nats, shape (3,) (`add_reference`)


def block_mask(segments: torch.Tensor, model: PreTrainedModel) -> torch.Tensor | BlockMask:
    """Return the mask of `visible` in the form that the model's attention wants.

    Parameters
    ----------
    segments : torch.Tensor, shape (rows, length)
        As in `Layout`.
    model : PreTrainedModel
        May be wrapped by DistributedDataParallel.

    Returns
    -------
    torch.Tensor, shape (rows, 1, length, length), or BlockMask
        An additive mask; for FlexAttention a block mask, whose hidden blocks are never computed.
    """
    model = getattr(model, "module", model)  # the model inside DistributedDataParallel
    if model.config.get_text_config()._attn_implementation == "flex_attention":
        return _flex_mask(segments)
    return additive(visible(segments), model)


def _flex_mask(segments: torch.Tensor) -> BlockMask:
    rows, length = segments.shape

    def sees(row, _head, query, key):  # as `visible`, one pair of tokens at a time
        in_prompt = segments[row, key] == PROMPT
        same_segment = segments[row, key] == segments[row, query]
        return (query >= key) & (in_prompt | same_segment)

    return create_block_mask(sees, rows, None, length, length, device=segments.device)


class PackingCollator(Collator):
    """Makes batches of packed questions, in parts that fit into memory.

    Parameters
    ----------
    items : list of Item
        One per question.
    rows : Dataset
        The same questions, for their column `image`.
    processor : ProcessorMixin
        Processes the pictures, and knows the padding token.
    token_budget : int
        The most tokens of a part, padding counted.
    """

    def __init__(
        self, items: list[Item], rows: Dataset, processor: ProcessorMixin, token_budget: int = 2**31
    ):
        super().__init__(items, rows, processor)
        self.token_budget = token_budget
        self.lengths = [self._length(item) for item in items]

    def _length(self, item: Item) -> int:
        """Return the tokens of a question's rows, padding counted."""
        rows = self.rows_of(item["responses"])
        longest_tail = max(sum(map(len, row)) for row in rows)
        return len(rows) * (len(item["prompt_ids"]) + longest_tail)

    def rows_of(self, responses: list[list[int]]) -> list[list[list[int]]]:
        """Return the responses that each of a question's rows holds: here, one row holds all."""
        return [responses]

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, list[dict[str, Any]]]:
        """Return a batch of row numbers (`numbered`) as `parts`, each of them made by `read`."""
        numbers = [row["image"] for row in batch]
        groups = parts([self.lengths[number] for number in numbers], self.token_budget)
        return {"parts": [self.read([numbers[index] for index in group]) for group in groups]}

    def read(self, numbers: list[int]) -> dict[str, Any]:
        """Return the questions of these numbers as one part of a batch.

        Returns
        -------
        dict
            - `model`: the model's inputs, one row per question (in `RowCollator`, per response);
            - `segments`, `owner`, `source`: as in `Layout`;
            - `question`: which question of the part each row belongs to, shape (rows,);
            - `numbers`: the picture that each row shows, length rows;
            - `kinds`: length questions;
            - `weights` (questions, 2) and `reference` (questions, 3), if the items have them.
        """
        items = [self.items[number] for number in numbers]
        rows, question = [], []
        for index, item in enumerate(items):
            for responses in self.rows_of(item["responses"]):
                rows.append(item | {"responses": responses})
                question.append(index)
        pictures = [numbers[index] for index in question]
        part = self.joined(rows, self.images(pictures)) | {
            "numbers": pictures,
            "question": torch.tensor(question),
            "kinds": [item["kind"] for item in items],
        }
        for name in ("reference", "weights"):
            if name in items[0]:
                stacked = np.array([item[name] for item in items])
                part[name] = torch.tensor(stacked, dtype=torch.float32)
        return part

    def joined(self, items: list[Item], images: dict[str, torch.Tensor]) -> dict[str, Any]:
        """Return the model's inputs and the layout of rows and their processed pictures."""
        layout = lay_out(
            [item["prompt_ids"] for item in items],
            [item["responses"] for item in items],
            self.processor.tokenizer.pad_token_id,
        )
        model = {"input_ids": layout.tokens, "position_ids": layout.positions, **images}
        return {
            "model": model,
            "segments": layout.segments,
            "owner": layout.owner,
            "source": layout.source,
        }


class RowCollator(PackingCollator):
    """Makes batches with one response per row, for models that cannot read packed ones.

    An example is Qwen-VL, which counts positions inside a picture. The model is left to count
    positions by itself.
    """

    def rows_of(self, responses: list[list[int]]) -> list[list[list[int]]]:
        """Return a row for each response that is not empty, with [] in the others' places."""
        rows = []
        for number, response in enumerate(responses):
            if response:
                row: list[list[int]] = [[] for _ in responses]
                row[number] = response
                rows.append(row)
        return rows

    def joined(self, items: list[Item], images: dict[str, torch.Tensor]) -> dict[str, Any]:
        """Return the model's inputs, with an ordinary attention mask, and the layout of rows."""
        part = super().joined(items, images)
        ids = part["model"]["input_ids"]
        part["model"] = {
            "input_ids": ids,
            "attention_mask": (part["segments"] != PADDING).long(),
            **picture_marks(self.processor, ids),
            **images,
        }
        return part


def can_pack(model: PreTrainedModel) -> bool:
    """Tell whether one prompt can serve several responses in training; warn where it cannot."""
    if can_share(model, ("sdpa", "eager", "flex_attention")):
        return True
    warnings.warn(
        f"{type(model).__name__}: responses cannot be packed, so each is read with its own prompt",
        stacklevel=3,  # the caller of `ca_dpo.train`
    )
    return False


def response_logps(
    model: PreTrainedModel, batch: dict[str, Any], features: Features | None = None
) -> torch.Tensor:
    """Return the summed log-probability of each response.

    Parameters
    ----------
    model : PreTrainedModel
        May be wrapped by DistributedDataParallel.
    batch : dict
        A part of a batch (`PackingCollator.read`), on the model's device.
    features : Features, optional
        Keeps the features of pictures between calls.

    Returns
    -------
    torch.Tensor, shape (questions, 3)
        In nats, in the order of `RESPONSES`; 0 where a question lacks a response.
    """
    owner, tail = batch["owner"], batch["owner"].shape[1]
    inputs = batch["model"]
    if features is not None:
        inputs = features(model, batch["numbers"], inputs)
    if "attention_mask" not in inputs:
        inputs = inputs | {"attention_mask": block_mask(batch["segments"], model)}
    logits = model(**inputs, use_cache=False, logits_to_keep=tail + 1).logits
    logps = torch.log_softmax(logits.float(), -1)
    rows = torch.arange(len(owner), device=owner.device)[:, None]
    of_tokens = logps[rows, batch["source"], inputs["input_ids"][:, -tail:]]
    of_rows = torch.stack(
        [(of_tokens * (owner == number)).sum(1) for number in range(len(RESPONSES))], 1
    )
    of_questions = of_rows.new_zeros(len(batch["kinds"]), len(RESPONSES))
    return of_questions.index_add(0, batch["question"], of_rows)


@torch.no_grad()
def check_packing(model: PreTrainedModel, collator: PackingCollator) -> None:
    """Check that the model reads packed responses as it reads each in a sequence of its own.

    The question with the most responses is tried.

    Raises
    ------
    ValueError
        When a log-probability differs: some attention kernels drop a block mask, some families give
        tokens positions of their own.
    """
    number = max(
        range(len(collator.items)),
        key=lambda index: sum(map(bool, collator.items[index]["responses"])),
    )
    item = collator.items[number]
    packed = response_logps(model, send_to_device(collator.read([number]), model.device))[0]
    images = send_to_device(collator.images([number]), model.device)
    exact = 1e-4 if model.dtype == torch.float32 else 5e-2  # 16-bit floats keep two to three digits
    for name, response, together in zip(RESPONSES, item["responses"], packed, strict=True):
        if not response:
            continue
        alone = _logp_alone(model, collator.processor, item["prompt_ids"], response, images)
        if not abs(together - alone) <= exact * (1 + abs(alone)):
            raise ValueError(
                f"{type(model).__name__}: the {name} response has log-probability "
                f"{together:.4f} packed and {alone:.4f} alone; load the model with "
                'attn_implementation="sdpa" or "eager", or take one of another family'
            )


def _logp_alone(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    prompt: list[int],
    response: list[int],
    images: dict[str, torch.Tensor],
) -> torch.Tensor:
    """Return the log-probability, in nats, of a response in an ordinary sequence of its own."""
    ids = torch.tensor([prompt + response], device=model.device)
    labels = torch.tensor([[IGNORE] * len(prompt) + response], device=model.device)
    inputs = picture_marks(processor, ids) | images
    loss = model(input_ids=ids, attention_mask=torch.ones_like(ids), labels=labels, **inputs).loss
    return -len(response) * loss  # the loss is a mean over the response's tokens
