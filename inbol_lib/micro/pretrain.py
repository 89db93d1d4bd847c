"""Pretrain the micro LLaVAs from nothing: text for the language model, then LLaVA's own two stages, captions and instructions.

    python -m inbol_lib.micro.pretrain --size s      (about an hour on one core)

Each stage teaches what the next needs. Without lists of options as text the letters of multiple choice stay at chance;
without captions the vision tower does.
"""

import argparse
import json
import math
import time
from collections.abc import Iterator, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional
from torch.nn.utils.rnn import pad_sequence
from tqdm import trange
from transformers import LlavaForConditionalGeneration, LlavaProcessor

from inbol_lib.micro import model as architecture
from inbol_lib.micro import world
from inbol_lib.records import prompt_text
from inbol_lib.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES

WEIGHTS = Path(__file__).parent / "weights"
#: stage -> (share of the steps, weights of the tasks)
STAGES = {
    "text": (0.27, {"lists": 1.0}),
    "captions": (0.23, {"caption": 0.45, "vqa": 0.25, "entity": 0.2, "options": 0.1}),
    "instructions": (
        0.5,
        {"caption": 0.06, "vqa": 0.34, "entity": 0.16, "options": 0.1, "choice": 0.18, "instruct": 0.06, "generate": 0.04, "verify": 0.06},
    ),
}
ALL_TASKS = dict.fromkeys(["lists", *STAGES["instructions"][1]], 1.0)
STEPS = {"tiny": 300, "s": 3300, "m": 2800}
IGNORE = -100


def tokenizer_texts(seed: int = 0) -> Iterator[str]:
    """The text that the tokenizer is trained on: every task of the world, and the sentences of the study."""
    yield from (f"{t} {REFUSAL_PROMPT}" for t in REFUSAL_TEMPLATES)
    for talk in world.conversations(6000, seed, ALL_TASKS):
        yield from (f"USER: {user} ASSISTANT: {said}" for user, said in talk["turns"])
    for source in world.OOD_SOURCES:
        yield from (prompt_text(row) for row in world.questions(source, "test", 100, seed).remove_columns("image"))


class Batcher:
    """Turns conversations into padded tensors; only what the assistant says is in the loss."""

    def __init__(self, processor: LlavaProcessor, image_tokens: int):
        self.processor, self.tokenizer = processor, processor.tokenizer
        self.head = [self.tokenizer.bos_token_id]
        self.image = self.tokenizer("<image>").input_ids * image_tokens
        self.ids = lru_cache(maxsize=100_000)(lambda text: tuple(self.tokenizer(text).input_ids))

    def tokens(self, talk: dict) -> tuple[list[int], list[int], list[float]]:
        """Input ids, labels and loss weights of one conversation, the ids equal to the chat template's rendering.

        Without a picture the turns are plain text: no roles, no end.
        """
        ids, labels, weights = list(self.head), [IGNORE], [0.0]
        for k, (user, said) in enumerate(talk["turns"]):
            if talk["image"]:
                seen = [*self.ids("USER: "), *self.image, *self.ids(f"\n{user} ASSISTANT:")]
                asked = seen if k == 0 else [*self.ids(f"USER: {user} ASSISTANT:")]
                answer = [*self.ids(f" {said}"), self.tokenizer.eos_token_id]
            else:
                asked, answer = [*self.ids(user)], [*self.ids(said)]
            ids += [*asked, *answer]
            labels += [IGNORE] * len(asked) + answer
            weights += [0.0] * len(asked) + [max(1, len(answer)) ** -0.5] * len(answer)
        return ids, labels, weights

    def __call__(self, talks: list[dict]) -> dict[str, torch.Tensor]:
        ids, labels, weights = zip(*(self.tokens(t) for t in talks), strict=True)
        pad, images = self.tokenizer.pad_token_id, [t["image"] for t in talks if t["image"]]
        pixels = dict(self.processor.image_processor(images, return_tensors="pt")) if images else {}
        return {
            "input_ids": _padded(ids, pad),
            "attention_mask": _padded([[1] * len(row) for row in ids], 0),
            "labels": _padded(labels, IGNORE),
            "weights": _padded(weights, 0.0),
            **pixels,
        }


def _padded(rows: Sequence[list], fill: float) -> torch.Tensor:
    return pad_sequence([torch.tensor(row) for row in rows], batch_first=True, padding_value=fill)


def optimizers(model: LlavaForConditionalGeneration, lr: float) -> list[torch.optim.Optimizer]:
    """Muon for the matrices inside the blocks, AdamW for embeddings, head, norms and the patch convolution."""
    inside = [p for n, p in model.named_parameters() if p.ndim == 2 and "embed" not in n and "lm_head" not in n]
    chosen = {id(p) for p in inside}
    rest = [p for p in model.parameters() if id(p) not in chosen]
    muon = torch.optim.Muon(inside, lr=lr, weight_decay=0.01, adjust_lr_fn="match_rms_adamw")
    return [muon, torch.optim.AdamW(rest, lr=lr, weight_decay=0.01, betas=(0.9, 0.98))]


def answer_loss(net: LlavaForConditionalGeneration, labels: torch.Tensor, weights: torch.Tensor, **inputs: torch.Tensor) -> torch.Tensor:
    """Summed cross-entropy of what the assistant says; an answer of n tokens weighs sqrt(n), or letters would drown in captions."""
    logits = net(**inputs).logits[:, :-1]
    each = functional.cross_entropy(logits.flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORE, reduction="none")
    return (each * weights[:, 1:].flatten()).sum()


def backward(net: LlavaForConditionalGeneration, batcher: Batcher, talks: list[dict], parts: int = 6) -> float:
    """Gradients of one batch's mean loss, which is returned; `parts` of like length each, so that little is padding."""
    talks = sorted(talks, key=lambda t: len(batcher.tokens(t)[0]))
    whole, total = sum(sum(batcher.tokens(t)[2]) for t in talks), 0.0
    for part in np.array_split(np.arange(len(talks)), parts):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            loss = answer_loss(net, **batcher([talks[i] for i in part])) / whole
        loss.backward()
        total += loss.item()
    return total


def schedule(step: int, steps: int, warmup: int = 100) -> float:
    """Linear warm-up, then cosine to a twentieth."""
    return min(1.0, (step + 1) / warmup) * (0.05 + 0.95 * 0.5 * (1 + math.cos(math.pi * step / steps)))


def conversation_stream(steps: int, batch: int, seed: int) -> Iterator[list[dict]]:
    """Batches of the stages in turn, each conversation new."""
    ends = np.cumsum([share for share, _ in STAGES.values()])
    for step in range(steps):
        stage = min(np.searchsorted(ends, step / steps, side="right"), len(ends) - 1)
        yield list(world.conversations(batch, f"{seed}.{step}", list(STAGES.values())[stage][1]))


@torch.no_grad()
def accuracy(model: LlavaForConditionalGeneration, batcher: Batcher, source: str, n: int = 200) -> float:
    """Share of validation questions whose whole gold answer is the most likely one, token by token."""
    rows = world.questions(source, "validation", n)
    letters = [prompt_text(r) for r in rows.remove_columns("image")]
    golds = [_spoken(r) for r in rows.remove_columns("image")]
    talks = [{"image": r["image"], "turns": [(q, a)]} for r, q, a in zip(rows, letters, golds, strict=True)]
    batch = batcher(talks)
    guess = model(**{k: v for k, v in batch.items() if k not in ("labels", "weights")}).logits[:, :-1].argmax(-1)
    target = batch["labels"][:, 1:]
    return ((guess == target) | (target == IGNORE)).all(1).float().mean().item()


def _spoken(row: dict) -> str:
    gold = row["answers"][0]
    return "ABCDEFGHI"[row["choices"].index(gold)] if row["choices"] else gold


def pretrain(size: str, steps: int, batch: int, lr: float, seed: int, folder: Path, every: int = 500) -> dict:
    """Train one size and write model, processor and `manifest.json` into `folder`; progress is kept every `every` steps.

    Returns the manifest: parameters, recipe, and the validation accuracy per source (share in [0, 1]).
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


def _save(net, processor, folder: Path, size: str, steps: int, batch: int, lr: float, seed: int, log: list) -> dict:
    folder.mkdir(parents=True, exist_ok=True)
    net.save_pretrained(folder)
    processor.save_pretrained(folder)
    parameters = sum(p.numel() for p in net.parameters())
    recipe = {"steps": steps, "batch": batch, "learning_rate": lr, "seed": seed, "stages": STAGES}
    manifest = {"size": size, "parameters": parameters, "sha256": sha256(folder), "recipe": recipe, "log": log}
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


def sha256(folder: Path) -> str:
    """Hash of a model folder's weights."""
    import hashlib

    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", choices=sorted(architecture.SIZES), default="s")
    parser.add_argument("--steps", type=int, help="default: 3300 for s, 2800 for m")
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--lr", type=float, default=3.5e-3)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, help="folder (default: the packaged weights)")
    args = parser.parse_args()
    folder = args.out or WEIGHTS / f"micro-{args.size}"
    pretrain(args.size, args.steps or STEPS[args.size], args.batch, args.lr, args.seed, folder)


if __name__ == "__main__":
    main()
