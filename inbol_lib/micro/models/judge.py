"""The micro judge: a small text-only Llama that says whether two answers mean the same.

It has the role of Llama-2-13B, is asked through the same prompt as any other language model, and can
err: a tenth of the synonyms is held out of its training. `python -m inbol_lib.micro.models.judge`
trains it anew in a few minutes.
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

LARGEST_COUNT = 18


@cache
def _answer_kinds() -> list[list[str]]:
    """Return the gold answers by kind; a wrong response is drawn from the same kind."""
    things = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]
    names = [country.name for country in countries()]
    cities = [country.capital for country in countries()]
    numbers = [str(i) for i in range(LARGEST_COUNT + 1)]
    scenes = [list(COLOURS), list(SHAPES), list(POSITIONS), numbers, ["yes", "no"]]
    scenes += [["large", "small"], things, things]
    facts = [names, names, cities, list(CONTINENTS), list(EXPORTS), list(CLIMATES)]
    return scenes + facts


def judge_examples(n: int, seed: int) -> Iterator[tuple[str, str, bool]]:
    """Yield `n` examples (gold answer, response, whether both mean the same).

    A tenth of all synonyms is held out, so that the judge errs now and then, as a language model
    does.
    """
    for i in range(n):
        rng = rng_of("judge", seed, i)
        kind = _answer_kinds()[int(rng.integers(len(_answer_kinds())))]
        gold = str(rng.choice(kind))
        same = bool(rng.random() < 0.5)
        meant = gold if same else str(rng.choice([answer for answer in kind if answer != gold]))
        forms = [form for form in grammar.surfaces(meant) if not _held_out(meant, form)]
        response = str(rng.choice(forms[1:] if same and len(forms) > 1 else forms))
        yield gold, response, same


def _held_out(gold: str, form: str) -> bool:
    return gold != form and rng_of("held-out synonym", gold, form).random() < 0.1


def dialogues(n: int, seed: int) -> list[tuple[str, str]]:
    """Return `n` pairs (judge prompt, verdict).

    The question is any of the world's, so that the answers alone decide.
    """
    families, pairs = list(grammar.FAMILIES.values()), []
    for i, (gold, response, same) in enumerate(judge_examples(n, seed)):
        rng = rng_of("judge question", seed, i)
        family = families[int(rng.integers(len(families)))]
        slots = {slot: str(rng.choice(grammar.VALUES[slot])) for slot in family.slots}
        wordings = family.wordings + family.held_out
        question = grammar.fill(wordings[int(rng.integers(len(wordings)))], slots)
        asked = prompt("judge").format(question=question, gold=gold, response=response)
        pairs.append((asked, "yes" if same else "no"))
    return pairs


def build(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return the judge with random weights."""
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer),
        hidden_size=128,
        intermediate_size=341,
        num_hidden_layers=3,
        num_attention_heads=4,
        max_position_embeddings=256,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        tie_word_embeddings=False,
    )
    return LlamaForCausalLM(config)


def batch(
    tokenizer: PreTrainedTokenizerFast, pairs: list[tuple[str, str]]
) -> dict[str, torch.Tensor]:
    """Return the model's inputs for some dialogues, padded on the left.

    Returns
    -------
    dict
        input_ids, attention_mask, position_ids and labels, each (len(pairs), longest); the verdict
        and EOS alone are in the loss.
    """
    rows = []
    for asked, verdict in pairs:
        answer = [*tokenizer(f" {verdict}").input_ids, tokenizer.eos_token_id]
        rows.append((tokenizer(asked).input_ids + answer, answer))
    longest = max(len(ids) for ids, _ in rows)
    made = {"input_ids": [], "attention_mask": [], "position_ids": [], "labels": []}
    for ids, answer in rows:
        padding = longest - len(ids)
        made["input_ids"].append([tokenizer.pad_token_id] * padding + ids)
        made["attention_mask"].append([0] * padding + [1] * len(ids))
        made["position_ids"].append([0] * padding + list(range(len(ids))))
        made["labels"].append([IGNORE] * (longest - len(answer)) + answer)
    return {name: torch.tensor(values) for name, values in made.items()}


@torch.no_grad()
def accuracy(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, n: int = 1000, seed: int = 10_000
) -> float:
    """Return the share of `n` unseen pairs, in [0, 1], on which the judge is right."""
    coded = batch(tokenizer, dialogues(n, seed))
    labels = coded.pop("labels")
    guess = model(**coded).logits[:, -3].argmax(-1)
    return (guess == labels[:, -2]).float().mean().item()


def train(folder: Path, steps: int = 1500, size: int = 64, lr: float = 2e-3, seed: int = 0) -> dict:
    """Train the judge into `folder`.

    Parameters
    ----------
    folder : Path
        Gets the model, its tokenizer and manifest.json.
    steps, size, lr, seed
        Steps of training, dialogues in each, peak learning rate, and seed.

    Returns
    -------
    dict
        The manifest, with the accuracy on unseen pairs as a share in [0, 1].
    """
    tokenizer = architecture.train_tokenizer([f"{p} {said}" for p, said in dialogues(8000, seed)])
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
    manifest = {
        "parameters": model.num_parameters(),
        "steps": steps,
        "batch": size,
        "learning_rate": lr,
        "seed": seed,
        "accuracy": round(accuracy(model, tokenizer), 4),
        "sha256": sha256(folder),
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
    return manifest


if __name__ == "__main__":
    print(train(WEIGHTS / "micro-judge"))
