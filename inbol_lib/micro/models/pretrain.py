"""Pretrain the micro LLaVAs from nothing, in two stages like LLaVA's own.

Captions come first, then instructions: answering questions alone leaves the vision tower at chance;
with captions in the first stage it learns to see within minutes.

    python -m inbol_lib.micro.models.pretrain --size s      (about an hour on one core)
"""

import argparse
import hashlib
import json
import math
import time
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from tqdm import trange
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES
from inbol_lib.micro import world
from inbol_lib.micro.models import architecture
from inbol_lib.micro.world import conversations
from inbol_lib.paths import WEIGHTS

#: stage -> (share of the steps, weights of the tasks)
STAGES = {
    "captions": (0.3, {"caption": 0.5, "vqa": 0.3, "entity": 0.2}),
    "instructions": (
        0.7,
        {
            "caption": 0.08,
            "vqa": 0.36,
            "entity": 0.2,
            "choice": 0.2,
            "instruct": 0.06,
            "generate": 0.04,
            "verify": 0.06,
        },
    ),
}
ALL_TASKS = dict.fromkeys(STAGES["instructions"][1], 1.0)
STEPS = {"tiny": 300, "s": 2200, "m": 1800}
IGNORE = -100


def tokenizer_texts(seed: int = 0) -> Iterator[str]:
    """Yield the text that the tokenizer is trained on.

    It holds every task of the world, and the sentences of the study.
    """
    yield from (f"{template} {REFUSAL_PROMPT}" for template in REFUSAL_TEMPLATES)
    for talk in conversations.conversations(6000, seed, ALL_TASKS):
        yield from (f"USER: {user} ASSISTANT: {said}" for user, said in talk["turns"])
    for source in world.OOD_SOURCES:
        rows = world.questions(source, "test", 100, seed).remove_columns("image")
        yield from (prompt_text(row, "text") for row in rows)


class Batcher:
    """Turns conversations into padded tensors; only what the assistant says is in the loss."""

    def __init__(self, processor: LlavaProcessor, image_tokens: int):
        self.processor, self.tokenizer = processor, processor.tokenizer
        self.head = [self.tokenizer.bos_token_id]
        self.image = self.tokenizer("<image>").input_ids * image_tokens
        self.ids = lru_cache(maxsize=100_000)(lambda text: tuple(self.tokenizer(text).input_ids))

    def row(self, talk: dict) -> tuple[Image.Image, list[int], list[int], list[float]]:
        """Return picture, input ids, labels and loss weights of one conversation.

        The ids equal the chat template's rendering of it.
        """
        ids, labels, weights = list(self.head), [IGNORE], [0.0]
        for turn, (user, said) in enumerate(talk["turns"]):
            asked = [*self.ids(f"USER: {user} ASSISTANT:")]
            if turn == 0:
                asked = [*self.ids("USER: "), *self.image, *self.ids(f"\n{user} ASSISTANT:")]
            answer = [*self.ids(f" {said}"), self.tokenizer.eos_token_id]
            ids += [*asked, *answer]
            labels += [IGNORE] * len(asked) + answer
            weights += [0.0] * len(asked) + [len(answer) ** -0.5] * len(answer)
        return talk["image"], ids, labels, weights

    def __call__(self, rows: Iterable[tuple]) -> dict[str, torch.Tensor]:
        images, ids, labels, weights = zip(*rows, strict=True)
        pad = self.tokenizer.pad_token_id
        pixels = self.processor.image_processor(list(images), return_tensors="pt")["pixel_values"]
        return {
            "input_ids": _padded(ids, pad),
            "attention_mask": _padded([[1] * len(row) for row in ids], 0),
            "labels": _padded(labels, IGNORE),
            "weights": _padded(weights, 0.0),
            "pixel_values": pixels,
        }


def _padded(rows: Sequence[list], fill: float) -> torch.Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=fill)


def optimizers(model: LlavaForConditionalGeneration, lr: float) -> list[torch.optim.Optimizer]:
    """Return two optimizers: Muon for the matrices inside the blocks, AdamW for all the rest.

    The rest are embeddings, head, norms and the patch convolution.
    """
    inside = [
        weight
        for name, weight in model.named_parameters()
        if weight.ndim == 2 and "embed" not in name and "lm_head" not in name
    ]
    chosen = {id(weight) for weight in inside}
    rest = [weight for weight in model.parameters() if id(weight) not in chosen]
    muon = torch.optim.Muon(inside, lr=lr, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, lr=lr, weight_decay=0.01, betas=(0.9, 0.98))]


def answer_loss(
    net: LlavaForConditionalGeneration,
    labels: torch.Tensor,
    weights: torch.Tensor,
    **inputs: torch.Tensor,
) -> torch.Tensor:
    """Return the summed cross-entropy, in nats, of what the assistant says.

    An answer of n tokens weighs sqrt(n); otherwise answers would drown in captions.
    """
    logits = net(**inputs).logits[:, :-1]
    each = functional.cross_entropy(
        logits.flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORE, reduction="none"
    )
    return (each * weights[:, 1:].flatten()).sum()


def backward(
    net: LlavaForConditionalGeneration, batcher: Batcher, talks: list[dict], parts: int = 6
) -> float:
    """Add up the gradients of one batch's mean loss, and return that loss.

    The batch is read in `parts` of similar length, so that little of it is padding.
    """
    rows = sorted(map(batcher.row, talks), key=lambda row: len(row[1]))
    whole = sum(sum(weights) for *_, weights in rows)
    total = 0.0
    for part in np.array_split(np.arange(len(rows)), parts):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = answer_loss(net, **batcher(rows[i] for i in part)) / whole
        loss.backward()
        total += loss.item()
    return total


def schedule(step: int, steps: int, warmup: int = 100) -> float:
    """Return the learning rate's factor: a linear warm-up, then a cosine to a twentieth."""
    cosine = 0.5 * (1 + math.cos(math.pi * step / steps))
    return min(1.0, (step + 1) / warmup) * (0.05 + 0.95 * cosine)


def conversation_stream(steps: int, batch: int, seed: int) -> Iterator[list[dict]]:
    """Yield the batches of the stages in turn; every conversation is new."""
    ends = np.cumsum([share for share, _ in STAGES.values()])
    for step in range(steps):
        stage = min(np.searchsorted(ends, step / steps, side="right"), len(ends) - 1)
        _, tasks = list(STAGES.values())[stage]
        yield list(conversations.conversations(batch, f"{seed}.{step}", tasks))


@torch.no_grad()
def accuracy(
    model: LlavaForConditionalGeneration, batcher: Batcher, source: str, n: int = 200
) -> float:
    """Return the share, in [0, 1], of validation questions that are answered right.

    The whole gold answer has to be the most likely one, token by token.
    """
    rows = world.questions(source, "validation", n)
    talks = []
    for row in rows:
        turn = (prompt_text(row, "text"), row["answers"][0])
        talks.append({"image": row["image"], "turns": [turn]})
    batch = batcher(map(batcher.row, talks))
    target = batch.pop("labels")[:, 1:]
    del batch["weights"]
    guess = model(**batch).logits[:, :-1].argmax(-1)
    return ((guess == target) | (target == IGNORE)).all(1).float().mean().item()


def pretrain(
    size: str, steps: int, batch: int, lr: float, seed: int, folder: Path, every: int = 500
) -> dict:
    """Train one size and write model, processor and `manifest.json` into `folder`.

    Both are also written every `every` steps.

    Returns
    -------
    dict
        The manifest: number of parameters, recipe, and the validation accuracy per source, a share
        in [0, 1].
    """
    tokenizer = architecture.train_tokenizer(tokenizer_texts())
    processor = architecture.processor(tokenizer)
    net = architecture.build(size, tokenizer, seed).train()
    net.set_attn_implementation("eager")  # on a CPU its backward pass is the faster one
    batcher = Batcher(processor, net.config.image_seq_length)
    opts, log, started = optimizers(net, lr), [], time.time()
    bar = trange(steps, mininterval=10)
    for step, talks in zip(bar, conversation_stream(steps, batch, seed), strict=True):
        for opt in opts:
            opt.param_groups[0]["lr"] = lr * schedule(step, steps)
        loss = backward(net, batcher, talks)
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        for opt in opts:
            opt.step()
            opt.zero_grad()
        if (step + 1) % every == 0 or step + 1 == steps:
            scores = {s: round(accuracy(net.eval(), batcher, s), 3) for s in world.SOURCES}
            net.train()
            log.append({"step": step + 1, "loss": round(loss, 4), **scores})
            bar.write(json.dumps({**log[-1], "minutes": round((time.time() - started) / 60, 1)}))
            manifest = _save(net, processor, folder, size, steps, batch, lr, seed, log)
    return manifest


def _save(
    net, processor, folder: Path, size: str, steps: int, batch: int, lr: float, seed: int, log: list
) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    net.save_pretrained(folder)
    processor.save_pretrained(folder)
    parameters = sum(p.numel() for p in net.parameters())
    recipe = {"steps": steps, "batch": batch, "learning_rate": lr, "seed": seed, "stages": STAGES}
    manifest = {
        "size": size,
        "parameters": parameters,
        "sha256": sha256(folder),
        "recipe": recipe,
        "log": log,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def sha256(folder: Path) -> str:
    """Return the hash of a model folder's weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def main() -> None:
    """Pretrain one size from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=sorted(architecture.SIZES), default="s")
    parser.add_argument("--steps", type=int, help="default: 2200 for s, 1800 for m")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder (default: the packaged weights)")
    args = parser.parse_args()
    folder = args.out or WEIGHTS / f"micro-{args.size}"
    pretrain(args.size, args.steps or STEPS[args.size], args.batch, args.lr, args.seed, folder)


if __name__ == "__main__":
    main()
