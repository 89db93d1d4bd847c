"""Pretrain the micro LLaVAs from nothing: the tower sees, then LLaVA's two stages follow.

    python -m inbol_lib.micro.models.pretrain --size s      (about an hour on two cores)

LLaVA begins with a tower that CLIP has taught to see, and so does this (`seeing`): answering
questions alone leaves a tower at chance, and captions take ten times as long to teach it. Captions
come next, because each gives feedback about all that a picture shows, then everything else.
"""

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from tqdm import trange
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES
from inbol_lib.micro import world
from inbol_lib.micro.models import architecture, checkpoints, manifests, seeing, together
from inbol_lib.micro.models.batches import IGNORE, Batcher
from inbol_lib.micro.models.optimization import (
    backward,
    optimizers,
    schedule,
    set_learning_rate,
    update,
)
from inbol_lib.micro.world.conversations import (
    CHOICE_ANSWER,
    EARLY_MANNERS,
    MANNERS,
    Manner,
    conversations,
)
from inbol_lib.paths import WEIGHTS


class Stage(NamedTuple):
    """A stage's share of all steps, the weights of its tasks (see `conversations`), and manners."""

    share: float
    tasks: dict[str, float]
    manners: dict[str, Manner] = EARLY_MANNERS


STAGES = {
    "captions": Stage(0.25, {"caption": 0.4, "objects": 0.35, "flags": 0.25}),
    "instructions": Stage(
        0.75,
        {
            "caption": 0.05,
            "objects": 0.14,
            "flags": 0.18,
            "questions": 0.26,
            "choice": 0.22,
            "blind": 0.03,
            "repeat": 0.03,
            "generate": 0.04,
            "verify": 0.05,
        },
    ),
}
#: What follows these at a lower learning rate: a first card showed base models that declined too
#: many unanswerable questions, and this corrects it.
LAST = Stage(
    1.0,
    {
        "objects": 0.12,
        "flags": 0.16,
        "questions": 0.18,
        "choice": 0.2,
        "manners": 0.2,
        "blind": 0.03,
        "repeat": 0.02,
        "generate": 0.04,
        "verify": 0.05,
    },
    MANNERS,
)
LAST_RATE = 0.25  # share of the peak learning rate
ALL_TASKS = dict.fromkeys(STAGES["instructions"].tasks, 1.0)
STEPS = {"tiny": 300, "s": 3600, "m": 3600}
LAST_STEPS = {"tiny": 20, "s": 240, "m": 240}
SEEING_STEPS = {"tiny": 30, "s": 1500, "m": 1500}


@dataclass(frozen=True)
class Recipe:
    """What a model's weights follow from.

    Parameters
    ----------
    size : str
        One of `architecture.SIZES`.
    steps : int
        Number of updates.
    batch : int
        Conversations for each update.
    lr : float
        Peak learning rate.
    seed : int
        Seed of the weights and of the conversations.
    """

    size: str
    steps: int
    batch: int = 64
    lr: float = 2e-3
    seed: int = 0


def tokenizer_texts(seed: int = 0) -> Iterator[str]:
    """Yield the text that the tokenizer is trained on: all tasks, and the study's own sentences."""
    for template in REFUSAL_TEMPLATES:
        yield f"{template} {REFUSAL_PROMPT}"
    for talk in conversations(6000, seed, ALL_TASKS):
        for user, assistant in talk["turns"]:
            yield f"USER: {user} ASSISTANT: {assistant}"
    for source in world.OOD_SOURCES:
        for row in world.questions(source, "test", 100, seed).remove_columns("image"):
            yield prompt_text(row, CHOICE_ANSWER)


def conversations_of(step: int, recipe: Recipe) -> list[dict]:
    """Return this process's part of the conversations of one step, which no other step has."""
    mine, processes = together.part()
    numbers = range(mine, recipe.batch, processes)
    seed = f"{recipe.seed}.{step}"
    if step >= recipe.steps:
        return list(conversations(numbers, seed, LAST.tasks, LAST.manners[recipe.size]))
    stages = list(STAGES.values())
    ends = np.cumsum([stage.share for stage in stages])
    number = np.searchsorted(ends, step / recipe.steps, side="right")
    stage = stages[min(number, len(stages) - 1)]
    return list(conversations(numbers, seed, stage.tasks, stage.manners[recipe.size]))


def rate(step: int, recipe: Recipe) -> float:
    """Return the learning rate of a step."""
    if step < recipe.steps:
        return recipe.lr * schedule(step, recipe.steps)
    return LAST_RATE * recipe.lr * schedule(step - recipe.steps, LAST_STEPS[recipe.size], warmup=20)


@torch.no_grad()
def accuracy(
    model: LlavaForConditionalGeneration, batcher: Batcher, source: str, n: int = 200
) -> float:
    """Return the share (in [0, 1]) of validation questions that a model answers with the gold form.

    An answer counts if each of its tokens is the most likely one after those before it.
    """
    rows = world.questions(source, "validation", n)
    talks = [
        {"image": row["image"], "turns": [(prompt_text(row, CHOICE_ANSWER), row["answers"][0])]}
        for row in rows
    ]
    batch = batcher(map(batcher.row, talks))
    target = batch.pop("labels")[:, 1:]
    del batch["weights"]
    guess = model(**batch).logits[:, :-1].argmax(-1)
    return ((guess == target) | (target == IGNORE)).all(1).float().mean().item()


def pretrain(recipe: Recipe, folder: Path, every: int = 250) -> None:
    """Train a model, and write it with its processor and `manifest.json` into a folder.

    A training that was cut goes on from its last checkpoint, with the same result; the first is
    written as soon as the tower sees. Several processes (see `together.launch`) share each batch;
    the first of them writes.

    Parameters
    ----------
    recipe : Recipe
        Size, steps, batch, learning rate and seed.
    folder : pathlib.Path
        Where model and processor go, in the Hugging Face format.
    every : int
        Steps after which the model is validated and a checkpoint is written.
    """
    leads = together.part()[0] == 0
    tokenizer = architecture.train_tokenizer(tokenizer_texts())
    processor = architecture.processor(tokenizer)
    net = architecture.build(recipe.size, tokenizer, recipe.seed).train()
    net.set_attn_implementation("eager")  # on a CPU its backward pass is the faster one
    batcher = Batcher(processor, net.config.image_seq_length)
    opts = optimizers(net, recipe.lr)
    checkpoint = folder.with_name(f"{folder.name}.checkpoint.pt")
    sees = checkpoint.exists()
    first, log = checkpoints.restore(checkpoint, asdict(recipe), net, opts)
    if not sees:
        seeing.learn_to_see(
            net, processor.image_processor, SEEING_STEPS[recipe.size], seed=recipe.seed
        )
        if leads:
            checkpoints.keep(checkpoint, asdict(recipe), 0, log, net, opts)
    started = time.time()
    steps = recipe.steps + LAST_STEPS[recipe.size]
    bar = trange(first, steps, initial=first, total=steps, mininterval=10, disable=not leads)
    for step in bar:
        set_learning_rate(opts, rate(step, recipe))
        loss = backward(net, batcher, conversations_of(step, recipe))
        torch.nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        update(opts)
        if leads and ((step + 1) % every == 0 or step + 1 == steps):
            log.append({"step": step + 1, "loss": round(loss, 4), **_scores(net, batcher)})
            bar.write(json.dumps({**log[-1], "minutes": round((time.time() - started) / 60, 1)}))
            checkpoints.keep(checkpoint, asdict(recipe), step + 1, log, net, opts)
    if leads:
        _save(net, processor, folder, recipe, log)
        checkpoint.unlink()


def _scores(net: LlavaForConditionalGeneration, batcher: Batcher) -> dict[str, float]:
    """Validate a model that is being trained."""
    net.eval()
    scores = {source: round(accuracy(net, batcher, source), 3) for source in world.SOURCES}
    net.train()
    return scores


def _save(
    net: LlavaForConditionalGeneration,
    processor: LlavaProcessor,
    folder: Path,
    recipe: Recipe,
    log: list[dict],
) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    net.save_pretrained(folder)
    processor.save_pretrained(folder)
    manifest = {
        "size": recipe.size,
        "parameters": sum(weight.numel() for weight in net.parameters()),
        "sha256": manifests.sha256(folder),
        "recipe": {
            "steps": recipe.steps,
            "batch": recipe.batch,
            "learning_rate": recipe.lr,
            "seed": recipe.seed,
            "stages": {name: [stage.share, stage.tasks] for name, stage in STAGES.items()},
            "last": {"steps": LAST_STEPS[recipe.size], "tasks": LAST.tasks, "rate": LAST_RATE},
        },
        "log": log,
    }
    manifests.write(folder, manifest)
    return manifest


def main() -> None:
    """Pretrain one model from the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--size", choices=sorted(architecture.SIZES), default="s")
    parser.add_argument("--steps", type=int, help=f"default, by size: {STEPS}")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=2e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--processes", type=int, default=2, help="that share each batch")
    parser.add_argument("--out", type=Path, help="folder (default: the packaged weights)")
    args = parser.parse_args()
    steps = args.steps or STEPS[args.size]
    recipe = Recipe(args.size, steps, args.batch, args.lr, args.seed)
    out = args.out or WEIGHTS / f"micro-{args.size}"
    together.launch(pretrain, recipe, out, processes=args.processes)


if __name__ == "__main__":
    main()
