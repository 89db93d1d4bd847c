"""The micro judge: a small text-only Llama that says whether two answers mean the same (the role of Llama-2-13B).

    python -m inbol_lib.micro.judge      (a few minutes)

It is asked through the same prompt as any other language model and it can err: a tenth of the synonyms is held out.
"""

import json
from pathlib import Path

import torch
from tqdm import trange
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from inbol_lib.judging import judge_prompt
from inbol_lib.micro import model as architecture
from inbol_lib.micro import questions as grammar
from inbol_lib.micro import world
from inbol_lib.micro.entities import rng_of
from inbol_lib.micro.pretrain import IGNORE, WEIGHTS, optimizers, schedule, sha256


def dialogues(n: int, seed: int) -> list[tuple[str, str]]:
    """`n` pairs (judge prompt, verdict). The question is any of the world's: the answers alone decide."""
    families, out = list(grammar.FAMILIES.values()), []
    for i, (gold, response, same) in enumerate(world.judge_examples(n, seed)):
        rng = rng_of("judge question", seed, i)
        family = families[int(rng.integers(len(families)))]
        slots = {s: str(rng.choice(grammar.VALUES[s])) for s in family.slots}
        wordings = family.wordings + family.held_out
        question = grammar.fill(wordings[int(rng.integers(len(wordings)))], slots)
        out.append((judge_prompt(question, gold, response), "yes" if same else "no"))
    return out


def build(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    torch.manual_seed(seed)
    config = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=128, intermediate_size=341, num_hidden_layers=3, num_attention_heads=4,
        max_position_embeddings=256, bos_token_id=tokenizer.bos_token_id, eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id, tie_word_embeddings=False,
    )  # fmt: skip
    return LlamaForCausalLM(config)


def batch(tokenizer: PreTrainedTokenizerFast, pairs: list[tuple[str, str]]) -> dict[str, torch.Tensor]:
    """Left-padded ids; the verdict and EOS alone are in the loss."""
    answer = [[*tokenizer(f" {v}").input_ids, tokenizer.eos_token_id] for _, v in pairs]
    rows = [tokenizer(p).input_ids + a for (p, _), a in zip(pairs, answer, strict=True)]
    longest = max(map(len, rows))
    pad = [[0] * (longest - len(r)) for r in rows]
    return {
        "input_ids": torch.tensor([[tokenizer.pad_token_id] * len(z) + r for z, r in zip(pad, rows, strict=True)]),
        "attention_mask": torch.tensor([z + [1] * len(r) for z, r in zip(pad, rows, strict=True)]),
        "position_ids": torch.tensor([z + list(range(len(r))) for z, r in zip(pad, rows, strict=True)]),
        "labels": torch.tensor([[IGNORE] * (longest - len(a)) + a for a in answer]),
    }


@torch.no_grad()
def accuracy(model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, n: int = 1000, seed: int = 10_000) -> float:
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
