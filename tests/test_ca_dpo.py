import math

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset

from inbol_lib import ca_dpo, idk_it, models
from inbol_lib.micro import world
from inbol_lib.records import prompt_text
from inbol_lib.templates import REFUSAL_TEMPLATES

KINDS = ["known", "mixed", "unknown", "mixed"]


@pytest.fixture(scope="module")
def preferences() -> Dataset:
    rows = world.questions("vqav2", "train", 12)
    meta = rows.remove_columns("image").to_list()
    columns = {"prompt": [prompt_text(r) for r in meta], "kind": [KINDS[i % 4] for i in range(12)],
               "confidence": [[0.9, 0.4, 0.0, 0.7][i % 4] for i in range(12)], "correct": [r["answers"][0] for r in meta],
               "incorrect": ["a green box" if i % 2 else "no" for i in range(12)], "refusal": list(REFUSAL_TEMPLATES[:12])}  # fmt: skip
    table = rows.select_columns(["image"])
    for name, values in columns.items():
        table = table.add_column(name, values)
    return table


def packed(tiny, preferences):
    model, processor, _ = tiny
    made = ca_dpo.items(processor, preferences)
    collator = ca_dpo.PackingCollator(made, processor.tokenizer.pad_token_id)
    return made, collator, collator([{"image": i} for i in range(len(made))])


def alone(model, item, k):
    """Log-probability of one response in a sequence of its own."""
    ids = torch.tensor([item["prompt_ids"] + item["responses"][k]])
    logits = model(input_ids=ids, attention_mask=torch.ones_like(ids), **{n: v[None] for n, v in item["image"].items()}).logits
    n = len(item["responses"][k])
    return torch.log_softmax(logits[0, -n - 1 : -1], -1).gather(1, ids[0, -n:, None]).sum()


def test_packed_log_probabilities_equal_those_of_each_sequence(tiny, preferences):
    made, _, batch = packed(tiny, preferences)
    with torch.no_grad():
        logps = ca_dpo.response_logps(tiny[0], batch)
        for row, item in zip(logps, made, strict=True):
            for k in range(3):
                expected = alone(tiny[0], item, k) if item["responses"][k] else torch.zeros(())
                assert row[k].item() == pytest.approx(expected.item(), rel=1e-5, abs=1e-4)


def test_batching_changes_nothing(tiny, preferences):
    made, collator, batch = packed(tiny, preferences)
    with torch.no_grad():
        together = ca_dpo.response_logps(tiny[0], batch)
        single = torch.cat([ca_dpo.response_logps(tiny[0], collator([{"image": i}])) for i in range(len(made))])
    assert torch.allclose(together, single, rtol=1e-5, atol=1e-4)


def test_the_gradient_equals_that_of_separate_sequences(tiny, preferences):
    model, _, _ = tiny
    made, _, batch = packed(tiny, preferences)
    kinds, conf = [i["kind"] for i in made], torch.tensor([i["confidence"] for i in made])
    reference = torch.randn(len(made), 3, generator=torch.Generator().manual_seed(0))
    weight = model.model.language_model.layers[0].self_attn.q_proj.weight

    def gradient(logps):
        model.zero_grad()
        ca_dpo.ca_dpo_loss(ca_dpo.margins(logps, reference, kinds), conf, 0.1).mean().backward()
        return weight.grad.clone()

    ours = gradient(ca_dpo.response_logps(model, batch))
    rows = [torch.stack([alone(model, i, k) if i["responses"][k] else torch.zeros(()) for k in range(3)]) for i in made]
    theirs = gradient(torch.stack(rows))
    model.zero_grad()
    assert (ours - theirs).norm() / theirs.norm() < 1e-5


def test_equal_policies_give_ln_2_whatever_the_confidence():
    assert torch.allclose(ca_dpo.ca_dpo_loss(torch.zeros(5, 2), torch.linspace(0, 1, 5), 0.3), torch.full((5,), math.log(2)))


@pytest.mark.parametrize("kind", ["known", "unknown"])
def test_known_and_unknown_questions_are_plain_dpo(kind):
    policy, reference = torch.randn(7, 3), torch.randn(7, 3)
    chosen, rejected = ca_dpo.PAIRS[kind][0]
    ratio = policy - reference
    dpo = -F.logsigmoid(0.2 * (ratio[:, chosen] - ratio[:, rejected]))
    ours = ca_dpo.ca_dpo_loss(ca_dpo.margins(policy, reference, [kind] * 7), torch.rand(7), 0.2)
    assert torch.allclose(ours, dpo, atol=1e-6)


def test_the_modes_weigh_mixed_questions_alone():
    kinds, conf = ["known", "mixed", "unknown", "mixed"], np.array([0.9, 0.3, 0.1, 0.6])
    expected = {"dpo_1": (0, 1), "dpo_2": (1, 0), "dpo_3": (1, 1), "ca_dpo_half": (0.5, 0.5), "ca_dpo": (0.3, 0.7)}
    for mode, pair in expected.items():
        weights = ca_dpo.pair_weights(mode, kinds, conf)
        assert np.allclose(weights[1], pair), mode
        assert np.allclose(weights[[0, 2]].sum(1), 1), mode
    shuffled = ca_dpo.pair_weights("ca_dpo_shuffled", kinds, conf, seed=1)
    assert sorted(shuffled[[1, 3], 0]) == [0.3, 0.6]
    with pytest.raises(ValueError, match="no preference training"):
        ca_dpo.pair_weights("sft", kinds, conf)


def test_training_starts_at_ln_2_and_saves_the_policy(tiny, preferences, tmp_path, smoke):
    p = smoke.replace(batch_size=4, dpo_learning_rate=0.01, learning_rate=0.01)
    model, processor = models.load(str(tiny[2]), device="cpu")
    instructions = preferences.select_columns(["image", "prompt"]).add_column("response", preferences["refusal"])
    idk_it.train(p, model, processor, instructions, tmp_path / "start")
    model, processor = models.load(str(tiny[2]), device="cpu")
    trainer_log = ca_dpo.train(p, model, processor, preferences, tmp_path / "dpo", tmp_path / "start" / "adapter")
    assert trainer_log.loss.notna().all()
    start, _ = models.load(str(tiny[2]), tmp_path / "start" / "adapter", device="cpu")
    policy, _ = models.load(str(tiny[2]), tmp_path / "dpo" / "adapter", device="cpu")
    made, collator, batch = packed((start, processor, None), preferences)
    with torch.no_grad():
        reference, moved = ca_dpo.response_logps(start, batch), ca_dpo.response_logps(policy, batch)
    kinds = [i["kind"] for i in made]
    conf = torch.tensor([i["confidence"] for i in made])
    at_start = ca_dpo.ca_dpo_loss(ca_dpo.margins(reference, reference, kinds), conf, p.beta).mean().item()
    after = ca_dpo.ca_dpo_loss(ca_dpo.margins(moved, reference, kinds), conf, p.beta).mean().item()
    assert at_start == pytest.approx(math.log(2), abs=1e-6)
    assert after < at_start
