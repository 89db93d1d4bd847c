"""The micro judge: a small text-only Llama that says whether two answers mean the same (the role of Llama-2-13B).

    python -m inbol_lib.micro.models.judge      (a few minutes)

It is asked through the same prompt as any other language model and it can err: a tenth of the synonyms is held out.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import torch
from tqdm import trange
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from inbol_lib.data.templates import prompt
from inbol_lib.micro.models import architecture
from inbol_lib.micro.models.pretrain import IGNORE, optimizers, schedule, sha256
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.entities import CLIMATES, COLOURS, CONTINENTS, EXPORTS, countries, rng_of
from inbol_lib.micro.world.scenes import POSITIONS, SHAPES
from inbol_lib.paths import WEIGHTS


def dialogues(n: int, seed: int) -> list[tuple[str, str]]:
    """`n` pairs (judge prompt, verdict). The question is any of the world's: the answers alone decide."""
    families, out = list(grammar.FAMILIES.values()), []
    for i, (gold, response, same) in enumerate(judge_examples(n, seed)):
        rng = rng_of("judge question", seed, i)
        family = families[int(rng.integers(len(families)))]
        slots = {s: str(rng.choice(grammar.VALUES[s])) for s in family.slots}
        wordings = family.wordings + family.held_out
        question = grammar.fill(wordings[int(rng.integers(len(wordings)))], slots)
        out.append(
            (
                prompt("judge").format(question=question, gold=gold, response=response),
                "yes" if same else "no",
            )
        )
    return out


def build(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=341, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=256, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=False,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def batch(
    tokenizer: PreTrainedTokenizerFast, pairs: list[tuple[str, str]]
) -> dict[str, torch.Tensor]:
    """Left-padded ids; the verdict and EOS alone are in the loss."""
    answer = [[*tokenizer(f" {v}").input_ids, tokenizer.eos_token_id] for _, v in pairs]
    rows = [tokenizer(p).input_ids + a for (p, _), a in zip(pairs, answer, strict=True)]
    longest = max(map(len, rows))
    pad = [[0] * (longest - len(r)) for r in rows]
    return {
        "input_ids": torch.tensor(
            [[tokenizer.pad_token_id] * len(z) + r for z, r in zip(pad, rows, strict=True)]
        ),
        "attention_mask": torch.tensor([z + [1] * len(r) for z, r in zip(pad, rows, strict=True)]),
        "position_ids": torch.tensor(
            [z + list(range(len(r))) for z, r in zip(pad, rows, strict=True)]
        ),
        "labels": torch.tensor([[IGNORE] * (longest - len(a)) + a for a in answer]),
    }


@torch.no_grad()
def accuracy(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, n: int = 1000, seed: int = 10_000
) -> float:
    coded = batch(tokenizer, dialogues(n, seed))
    guess = model(**{k: v for k, v in coded.items() if k != "labels"}).logits[:, -3].argmax(-1)
    return (guess == coded["labels"][:, -2]).float().mean().item()


def train(folder: Path, steps: int = 1500, size: int = 64, lr: float = 2e-3, seed: int = 0) -> dict:
    """Train the judge into `folder`; returns its manifest with the accuracy on unseen pairs."""
    tokenizer = architecture.train_tokenizer([f"{p} {v}" for p, v in dialogues(8000, seed)])
    model = build(tokenizer, seed).train()
    opts = optimizers(model, lr)
    for step in trange(steps, mininterval=10):
        loss = model(**batch(tokenizer, dialogues(size, seed + 1 + step))).loss
        loss.backward()
        for opt in opts:
            opt.param_groups[0]["lr"] = lr * schedule(step, steps)
            opt.step()
            opt.zero_grad()
    folder.mkdir(parents=True, exist_ok=True)
    model.eval().save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    manifest = {"parameters": model.num_parameters(), "steps": steps, "batch": size, "learning_rate": lr, "seed": seed,
                "accuracy": round(accuracy(model, tokenizer), 4), "sha256": sha256(folder)}  # fmt: skip
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


if __name__ == "__main__":
    print(train(WEIGHTS / "micro-judge"))


# --- the judge's training text ----------------------------------------------------------------------------------------


@cache
def _answer_kinds() -> list[list[str]]:
    """Gold answers by kind; a wrong response is drawn from the same kind."""
    things = [f"{c} {s}" for c in COLOURS for s in SHAPES]
    names, cities = [c.name for c in countries()], [c.capital for c in countries()]
    numbers = [str(i) for i in range(19)]
    return [list(COLOURS), list(SHAPES), list(POSITIONS), numbers, ["yes", "no"], ["large", "small"], things, things,
            names, names, cities, list(CONTINENTS), list(EXPORTS), list(CLIMATES)]  # fmt: skip


def judge_examples(n: int, seed: int) -> Iterator[tuple[str, str, bool]]:
    """(gold, response, same meaning?) for training the micro judge; a tenth of all synonym pairs is held out,
    so that the judge has to err now and then, as a language model does."""
    for i in range(n):
        rng = rng_of("judge", seed, i)
        kind = _answer_kinds()[int(rng.integers(len(_answer_kinds())))]
        gold = str(rng.choice(kind))
        same = bool(rng.random() < 0.5)
        meant = gold if same else str(rng.choice([a for a in kind if a != gold]))
        forms = [f for f in grammar.surfaces(meant) if not _held_out(meant, f)]
        response = str(rng.choice(forms[1:] if same and len(forms) > 1 else forms))
        yield gold, response, same


def _held_out(gold: str, form: str) -> bool:
    return gold != form and rng_of("held-out synonym", gold, form).random() < 0.1
