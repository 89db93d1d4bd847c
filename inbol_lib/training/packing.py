"""Batches of trees: a picture, its questions, their responses, each read once (ours).

A mask hides responses, and questions, from each other, and positions go on from the prompt, so each
response has the log-probability it would have alone. Picture and prompt, which are nearly all of a
sequence's tokens, are read once instead of once per response, and a picture that several questions
of a batch are about is read once for all of them. Models that cannot read such rows get a row for
each response (`RowCollator`): the same losses, for two to three times the work.
"""

import warnings
from collections.abc import Sequence
from typing import Any, NotRequired, TypedDict

import numpy as np
import torch
from accelerate.utils import send_to_device
from datasets import Dataset
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.errors import ParameterError
from inbol_lib.mllm.attention import can_share
from inbol_lib.mllm.chat import image_token_id, picture_marks
from inbol_lib.mllm.grouping import parts
from inbol_lib.mllm.picture_features import Features
from inbol_lib.training.collating import IGNORE
from inbol_lib.training.layout import PADDING, Question, lay_out, row_length, shared_start
from inbol_lib.training.passes.pictures import Pictures
from inbol_lib.training.passes.scoring import kept_logits, of_targets

#: names of a question's responses, in the order of `preference_loss.CORRECT`, INCORRECT, REFUSAL
RESPONSES = ("correct", "incorrect", "refusal")
#: What a part costs beside its tokens, counted in tokens: measured on a CPU, assumed on a GPU.
OVERHEAD = {"cpu": 200, "cuda": 1000}
#: On a CPU larger parts are no faster, and take more memory.
CPU_BUDGET = 1536


class Item(TypedDict):
    """A question with its responses, tokenized."""

    prompt_ids: list[int]
    responses: list[list[int]]  # in the order of RESPONSES; [] for one that the kind does not need
    kind: str
    confidence: NotRequired[float]
    weights: NotRequired[np.ndarray]  # of p1 and p2 (`preference_loss.pair_weights`)
    reference: NotRequired[np.ndarray]  # log-probabilities in nats, shape (3,) (`add_reference`)


class PackingCollator:
    """Makes batches of trees of questions, in parts that fit into memory.

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
    device : {"cpu", "cuda"}
        Where the model runs, which decides on the size of parts.

    Attributes
    ----------
    pictures : Pictures
        Of the rows.
    """

    def __init__(
        self,
        items: list[Item],
        rows: Dataset,
        processor: ProcessorMixin,
        token_budget: int = 2**31,
        device: str = "cpu",
    ):
        self.items, self.rows, self.processor = items, rows, processor
        self.pictures = Pictures(rows, processor)
        self.image_token = image_token_id(processor)
        self.overhead = OVERHEAD.get(device, OVERHEAD["cuda"])
        self.token_budget = min(token_budget, CPU_BUDGET) if device == "cpu" else token_budget

    def __call__(self, batch: list[dict[str, int]]) -> dict[str, Any]:
        """Return a batch of row numbers (`numbered`) as `parts`, each of them made by `read`.

        Beside them stand all tokens of the responses as `labels`, so that the trainer can count
        them, and the numbers as `rows`.
        """
        numbers = [row["image"] for row in batch]
        groups = self.groups(numbers)
        made = [self.read_trees(trees) for trees in groups]
        targets = torch.cat([part["target"] for part in made])
        rows = torch.tensor(numbers)
        return {"parts": made, "labels": targets, "shift_labels": targets, "rows": rows}

    def groups(self, numbers: Sequence[int]) -> list[list[list[int]]]:
        """Return these numbers as trees, in groups that are to be read as one part each."""
        trees = self.trees(numbers)
        cut = parts([self.length(tree) for tree in trees], self.token_budget, self.overhead)
        return [[trees[index] for index in group] for group in cut]

    def trees(self, numbers: Sequence[int]) -> list[list[int]]:
        """Return these numbers with those together that one row can hold.

        They show the same picture, their prompts share all of it, and they fit into a part.
        """
        trees: dict[bytes, list[list[int]]] = {}
        for number in numbers:
            there = trees.setdefault(self.pictures.keys[number], [[]])
            if there[-1] and not self._fits([*there[-1], number]):
                there.append([])
            there[-1].append(number)
        return [tree for there in trees.values() for tree in there]

    def _fits(self, tree: list[int]) -> bool:
        prompts = [self.items[number]["prompt_ids"] for number in tree]
        shared = shared_start(prompts)
        seen_once = all(self.image_token not in prompt[shared:] for prompt in prompts)
        return seen_once and self.length(tree) <= self.token_budget

    def length(self, tree: list[int]) -> int:
        """Return the tokens of the rows of a tree of questions, padding counted."""
        rows = self.rows_of(tree)
        return len(rows) * max(row_length(questions) for questions in rows)

    def rows_of(self, tree: list[int]) -> list[list[Question]]:
        """Return the questions that each of a tree's rows holds: here, one row holds all.

        The place of a question is its number in the data set.
        """
        return [[self._question(number) for number in tree]]

    def _question(self, number: int) -> Question:
        item = self.items[number]
        return Question(item["prompt_ids"], item["responses"], number)

    def read(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return the questions of these numbers, in this order, as one part of a batch."""
        return self.read_trees(self.trees(numbers), numbers)

    def read_trees(
        self, trees: Sequence[list[int]], numbers: Sequence[int] | None = None
    ) -> dict[str, Any]:
        """Return trees of questions as one part of a batch.

        Parameters
        ----------
        trees : sequence of list of int
            Numbers of the questions of each tree.
        numbers : sequence of int, optional
            The same numbers in the order that the part shall have; by default that of the trees.

        Returns
        -------
        dict
            - `model`: the model's inputs without pictures;
            - `pictures`, `shown`, `images`: of each row (`Pictures.read`);
            - the fields of `Layout` but tokens and positions; the first number of each `owner`
              counts the questions of the part;
            - `own_mask`: whether the model needs a mask of ours, or makes its own;
            - `kinds`: length questions;
            - `weights` (questions, 2) and `reference` (questions, 3), if the items have them.
        """
        numbers = numbers or [number for tree in trees for number in tree]
        rows = [row for tree in trees for row in self.rows_of(tree)]
        items = [self.items[number] for number in numbers]
        part = self.joined(rows) | self.pictures.read([row[0].place for row in rows])
        place = {number: place for place, number in enumerate(numbers)}
        part["owner"] = torch.tensor([[place[n], r] for n, r in part["owner"].tolist()])
        part["kinds"] = [item["kind"] for item in items]
        for name in ("reference", "weights"):
            if name in items[0]:
                stacked = np.array([item[name] for item in items])
                part[name] = torch.tensor(stacked, dtype=torch.float32)
        return part

    def joined(self, rows: list[list[Question]]) -> dict[str, Any]:
        """Return the model's inputs and the layout of rows."""
        layout = lay_out(rows, self.processor.tokenizer.pad_token_id)._asdict()
        model = {"input_ids": layout.pop("tokens"), "position_ids": layout.pop("positions")}
        if layout["plain"]:
            del model["position_ids"]  # they are the usual ones, which the model counts by itself
        return {"model": model, "own_mask": True, **layout}


class RowCollator(PackingCollator):
    """Makes batches with one response per row, for models that cannot read trees.

    An example is Qwen-VL, which counts positions inside a picture. The model is left to count
    positions by itself.
    """

    def trees(self, numbers: Sequence[int]) -> list[list[int]]:
        """Return every number by itself."""
        return [[number] for number in numbers]

    def rows_of(self, tree: list[int]) -> list[list[Question]]:
        """Return a row for each response that is not empty, with [] in the others' places."""
        rows = []
        for question in (self._question(number) for number in tree):
            for number, response in enumerate(question.responses):
                if response:
                    alone: list[list[int]] = [[] for _ in question.responses]
                    alone[number] = response
                    rows.append([question._replace(responses=alone)])
        return rows

    def joined(self, rows: list[list[Question]]) -> dict[str, Any]:
        """Return the model's inputs, with an ordinary attention mask, and the layout of rows."""
        part = super().joined(rows)
        ids = part["model"]["input_ids"]
        part["model"] = {
            "input_ids": ids,
            "attention_mask": (part["question"] != PADDING).long(),
            **picture_marks(self.processor, ids),
        }
        return part | {"own_mask": False}


def make_collator(
    model: PreTrainedModel,
    items: list[Item],
    rows: Dataset,
    processor: ProcessorMixin,
    token_budget: int,
) -> PackingCollator:
    """Return the collator that makes the batches which this model can read."""
    make = PackingCollator
    if not can_pack(model):
        make = RowCollator
        if any(len([said for said in item["responses"] if said]) > 1 for item in items):
            warnings.warn(
                f"{type(model).__name__}: responses cannot be packed, so each is read with its own "
                "prompt",
                stacklevel=3,  # the caller of `ca_dpo.train`
            )
    return make(items, rows, processor, token_budget, model.device.type)


def can_pack(model: PreTrainedModel) -> bool:
    """Tell whether one picture and prompt can serve several questions and responses."""
    return can_share(model, ("sdpa", "eager", "flex_attention"))


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
    logps = torch.log_softmax(kept_logits(model, batch, features), -1)
    of_tokens = of_targets(logps, batch)
    sums = of_tokens.new_zeros(len(batch["kinds"]), len(RESPONSES))
    return sums.index_put(tuple(batch["owner"].T), of_tokens, accumulate=True)


@torch.no_grad()
def check_packing(
    model: PreTrainedModel, collator: PackingCollator, features: Features | None = None
) -> None:
    """Check that the model reads a tree as it reads each response in a sequence of its own.

    The picture with the most responses is tried.

    Raises
    ------
    ParameterError
        When a log-probability differs: some attention kernels drop a block mask, some families give
        tokens positions of their own.
    """
    tree = _widest(collator)
    batch = send_to_device(collator.read(tree), model.device)
    packed = response_logps(model, batch, features)
    images = send_to_device(collator.pictures.processed(tree[:1]), model.device)
    exact = 1e-4 if model.dtype == torch.float32 else 5e-2  # 16-bit floats keep two to three digits
    for number, row in zip(tree, packed, strict=True):
        item = collator.items[number]
        for name, response, together in zip(RESPONSES, item["responses"], row, strict=False):
            if not response:
                continue
            alone = _logp_alone(model, collator.processor, item["prompt_ids"], response, images)
            if not abs(together - alone) <= exact * (1 + abs(alone)):
                raise ParameterError(
                    f"{type(model).__name__}: the {name} response has log-probability "
                    f"{together:.4f} packed and {alone:.4f} alone; load the model with "
                    'attn_implementation="sdpa" or "eager", or take one of another family'
                )


def _widest(collator: PackingCollator, most: int = 4) -> list[int]:
    """Return the numbers of the tree with the most responses, and at most so many questions."""
    trees = collator.trees(range(len(collator.items)))
    trees = [tree[:most] for tree in trees]

    def responses(tree: list[int]) -> int:
        return sum(bool(said) for number in tree for said in collator.items[number]["responses"])

    return max(trees, key=responses)


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
