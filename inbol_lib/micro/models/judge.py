"""The micro judge: a small text-only Llama that says whether two answers mean the same.

    python -m inbol_lib.micro.models.judge      (a few minutes)

It plays the role of Llama-2-13B, is asked through the same prompt as any other language model, and
it can err (see `judge_dialogues`).
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from tqdm import trange
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast

from inbol_lib.micro.models import architecture, manifests
from inbol_lib.micro.models.batches import IGNORE
from inbol_lib.micro.models.optimization import optimizers, schedule, set_learning_rate, update
from inbol_lib.micro.world.judge_dialogues import Dialogue, dialogues
from inbol_lib.paths import WEIGHTS


def build(tokenizer: PreTrainedTokenizerFast, seed: int) -> LlamaForCausalLM:
    """Return a judge with random weights; the same seed gives the same weights."""
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


def batch(tokenizer: PreTrainedTokenizerFast, pairs: Sequence[Dialogue]) -> dict[str, torch.Tensor]:
    """Encode dialogues, padded on the left; only the verdict and EOS are in the loss.

    Returns
    -------
    dict of str to torch.Tensor
        `input_ids`, `attention_mask`, `position_ids` and `labels`, of shape `(batch, tokens)`.
    """
    prompts = [tokenizer(pair.prompt).input_ids for pair in pairs]
    verdicts = [
        [*tokenizer(f" {pair.verdict}").input_ids, tokenizer.eos_token_id] for pair in pairs
    ]
    rows = [asked + verdict for asked, verdict in zip(prompts, verdicts, strict=True)]
    longest = max(map(len, rows))

    def padded(values: list[list[int]], fill: int) -> torch.Tensor:
        return torch.tensor([[fill] * (longest - len(row)) + row for row in values])

    return {
        "input_ids": padded(rows, tokenizer.pad_token_id),
        "attention_mask": padded([[1] * len(row) for row in rows], 0),
        "position_ids": padded([list(range(len(row))) for row in rows], 0),
        "labels": padded(verdicts, IGNORE),
    }


@torch.no_grad()
def accuracy(
    model: LlamaForCausalLM, tokenizer: PreTrainedTokenizerFast, n: int = 1000, seed: int = 10_000
) -> float:
    """Return the share (in [0, 1]) of right verdicts on `n` dialogues."""
    coded = batch(tokenizer, dialogues(n, seed))
    verdicts = coded.pop("labels")[:, -2]
    guess = model(**coded).logits[:, -3].argmax(-1)
    return (guess == verdicts).float().mean().item()


def train(folder: Path, steps: int = 1500, size: int = 64, lr: float = 2e-3, seed: int = 0) -> dict:
    """Train the judge, and write it with its tokenizer and `manifest.json` into a folder.

    Parameters
    ----------
    folder : pathlib.Path
        Where model and tokenizer go, in the Hugging Face format.
    steps : int
        Number of updates.
    size : int
        New dialogues for each update.
    lr : float
        Peak learning rate.
    seed : int
        Seed of the weights and of the dialogues.

    Returns
    -------
    dict
        The manifest, with the accuracy (share in [0, 1]) on dialogues that training never used.
    """
    texts = [f"{pair.prompt} {pair.verdict}" for pair in dialogues(8000, seed)]
    tokenizer = architecture.train_tokenizer(texts)
    model = build(tokenizer, seed).train()
    opts = optimizers(model, lr)
    for step in trange(steps, mininterval=10):
        loss = model(**batch(tokenizer, dialogues(size, seed + 1 + step))).loss
        loss.backward()
        set_learning_rate(opts, lr * schedule(step, steps))
        update(opts)
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
        "sha256": manifests.sha256(folder),
    }
    manifests.write(folder, manifest)
    return manifest


if __name__ == "__main__":
    print(train(WEIGHTS / "micro-judge"))
