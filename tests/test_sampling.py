from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from inbol_lib import models, sampling
from inbol_lib.micro import world
from inbol_lib.records import prompt_text


@pytest.fixture(scope="module")
def asked():
    rows = world.questions("vqav2", "train", 10)
    return list(rows["image"]), [prompt_text(r) for r in rows], list(rows["id"])


def test_greedy_is_generate(tiny, asked):
    model, processor, _ = tiny
    images, texts, _ = asked
    ours = sampling.greedy(model, processor, images, texts, 8, 4096)
    batch = models.encode(processor, images, texts)
    out = model.generate(**batch, max_new_tokens=8, do_sample=False)
    stock = processor.tokenizer.batch_decode(out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True)
    assert ours == [t.strip() for t in stock]


def test_neither_batch_nor_resuming_changes_a_response(tiny, asked):
    model, processor, _ = tiny
    images, texts, ids = asked
    draw = lambda some, budget: sampling.sample(  # noqa: E731
        model, processor, [images[i] for i in some], [texts[i] for i in some], 3, 1.0, 0.9, 6, budget, 5, [ids[i] for i in some]
    )
    whole, alone = draw(range(10), 100_000), draw([7, 2], 300)
    assert [[r.text for r in whole[i]] for i in (7, 2)] == [[r.text for r in said] for said in alone]
    assert np.allclose([r.logprob for r in whole[7]], [r.logprob for r in alone[0]], atol=1e-4)


def test_samples_follow_the_model_s_distribution(tiny, asked):
    model, processor, _ = tiny
    images, texts, _ = asked
    batch = models.encode(processor, images[:1], texts[:1])
    logits = model(**batch, position_ids=(batch["attention_mask"].cumsum(1) - 1)).logits[0, -1].double()
    model_p = torch.softmax(logits / 8, -1)
    n = 4000
    uniform = torch.from_numpy(np.random.default_rng(0).random(n))
    tokens = sampling._choose(logits[None].expand(n, -1), 8.0, 1.0, uniform)
    counts = torch.bincount(tokens, minlength=len(model_p)).numpy()
    often = model_p.detach().numpy() * n >= 5
    observed = np.append(counts[often], counts[~often].sum())
    expected = np.append(model_p.detach().numpy()[often], model_p.detach().numpy()[~often].sum()) * n
    keep = expected > 0
    assert chisquare(observed[keep], expected[keep] * observed[keep].sum() / expected[keep].sum()).pvalue > 1e-3


def test_top_p_keeps_the_nucleus_alone():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(1000, -1)
    uniform = torch.linspace(0, 0.9999, 1000, dtype=torch.double)
    assert Counter(sampling._choose(logits, 1.0, 0.7, uniform).tolist()).keys() == {0, 1}


def test_a_log_probability_is_the_model_s_own(tiny, asked):
    model, processor, _ = tiny
    images, texts, ids = asked
    response = sampling.sample(model, processor, images[:1], texts[:1], 1, 0.0, 1.0, 5, 4096)[0][0]
    batch = models.encode(processor, images[:1], texts[:1])
    out = model.generate(**batch, max_new_tokens=5, do_sample=False, output_logits=True, return_dict_in_generate=True)
    new = out.sequences[0, batch["input_ids"].shape[1] :]
    stock = sum(torch.log_softmax(step[0].float(), -1)[t].item() for step, t in zip(out.logits, new, strict=True))
    assert response.logprob == pytest.approx(stock, abs=1e-3)
