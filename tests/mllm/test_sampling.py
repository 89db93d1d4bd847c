from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

from inbol_lib.data.records import prompt_text
from inbol_lib.micro import world
from inbol_lib.mllm import attention, chat, loading, sampling


@pytest.fixture(scope="module")
def asked():
    rows = world.questions("vqav2", "train", 10)
    return list(rows["image"]), [prompt_text(r) for r in rows], list(rows["id"])


def test_greedy_is_generate(tiny, asked):
    model, processor, _ = tiny
    images, texts, _ = asked
    ours = sampling.greedy(model, processor, images, texts, 8, 4096)
    batch = chat.encode(processor, images, texts)
    out = model.generate(**batch, max_new_tokens=8, do_sample=False)
    stock = processor.tokenizer.batch_decode(
        out[:, batch["input_ids"].shape[1] :], skip_special_tokens=True
    )
    assert ours == [t.strip() for t in stock]


def test_rows_that_finish_leave_the_batch_and_nothing_else_changes():
    """With the packaged model, whose answers end at different steps."""
    model, processor = loading.load("micro-s", device="cpu")
    rows = [
        r for source in ("vqav2", "oven", "scienceqa") for r in world.questions(source, "train", 8)
    ]
    images, texts = (
        [r["image"] for r in rows],
        [prompt_text(r) for r in rows[:-1]] + ["Describe the image."],
    )
    batch = chat.encode(processor, images, texts)
    out = model.generate(**batch, max_new_tokens=12, do_sample=False)[
        :, batch["input_ids"].shape[1] :
    ]
    stock = [t.strip() for t in processor.tokenizer.batch_decode(out, skip_special_tokens=True)]
    assert len({len(t.split()) for t in stock}) > 1, (
        "rows must end at different steps for this test to say anything"
    )
    assert sampling.greedy(model, processor, images, texts, 12, 100_000) == stock


def test_a_model_whose_cache_can_not_be_shared_goes_through_generate(tiny, asked, monkeypatch):
    model, processor, _ = tiny
    images, texts, ids = asked[0][:3], asked[1][:3], asked[2][:3]
    fast = sampling.sample(model, processor, images, texts, 2, 0.0, 1.0, 6, 4096, 0, ids)
    monkeypatch.setattr(sampling, "can_share", lambda model: False)
    with pytest.warns(UserWarning, match="question by question"):
        slow = sampling.sample(model, processor, images, texts, 2, 0.0, 1.0, 6, 4096, 0, ids)
    assert [[r.text for r in said] for said in slow] == [[r.text for r in said] for said in fast]
    assert [r.logprob for r in slow[1]] == pytest.approx([r.logprob for r in fast[1]], abs=1e-3)
    with pytest.warns(UserWarning, match="question by question"):
        drawn = sampling.sample(model, processor, images, texts, 3, 1.0, 0.9, 6, 4096, 5, ids)
    torch.manual_seed(99)  # what else drew from the global generator must not matter
    with pytest.warns(UserWarning, match="question by question"):
        alone = sampling.sample(
            model, processor, images[1:2], texts[1:2], 3, 1.0, 0.9, 6, 4096, 5, ids[1:2]
        )
    assert drawn[1] == alone[0]
    assert len({r.text for r in drawn[1]}) > 1


def test_which_caches_can_be_shared(tiny):
    assert attention.can_share(tiny[0])
    text = {"hidden_size": 32, "num_hidden_layers": 1, "num_attention_heads": 2, "num_key_value_heads": 2, "intermediate_size": 32,
            "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]}}  # fmt: skip
    with torch.device("meta"):
        several_axes = Qwen2VLForConditionalGeneration(Qwen2VLConfig(text_config=text))
    assert not attention.can_share(several_axes)


@pytest.mark.parametrize(("change", "word"), [({"n": 0}, "n=0"), ({"temperature": -1.0}, "temperature"), ({"top_p": 0.0}, "top_p"),
                                              ({"max_new_tokens": 0}, "max_new_tokens"), ({"ids": ["a", "a"]}, "repeat"),
                                              ({"texts": ["one"]}, "1 texts")])  # fmt: skip
def test_bad_settings_are_refused(tiny, asked, change, word):
    model, processor, _ = tiny
    how = {"images": asked[0][:2], "texts": asked[1][:2], "n": 1, "temperature": 1.0, "top_p": 1.0, "max_new_tokens": 2,
           "token_budget": 4096, "ids": ["a", "b"], **change}  # fmt: skip
    with pytest.raises(ValueError, match=word):
        sampling.sample(model, processor, **how)


def test_neither_batch_nor_resuming_changes_a_response(tiny, asked):
    model, processor, _ = tiny
    images, texts, ids = asked
    draw = lambda some, budget: sampling.sample(  # noqa: E731
        model,
        processor,
        [images[i] for i in some],
        [texts[i] for i in some],
        3,
        1.0,
        0.9,
        6,
        budget,
        5,
        [ids[i] for i in some],
    )
    whole, alone = draw(range(10), 100_000), draw([7, 2], 300)
    assert [[r.text for r in whole[i]] for i in (7, 2)] == [
        [r.text for r in said] for said in alone
    ]
    assert np.allclose([r.logprob for r in whole[7]], [r.logprob for r in alone[0]], atol=1e-4)


def test_samples_follow_the_model_s_distribution(tiny, asked):
    model, processor, _ = tiny
    images, texts, _ = asked
    batch = chat.encode(processor, images[:1], texts[:1])
    logits = (
        model(**batch, position_ids=(batch["attention_mask"].cumsum(1) - 1)).logits[0, -1].double()
    )
    model_p = torch.softmax(logits / 8, -1)
    n = 4000
    uniform = torch.from_numpy(np.random.default_rng(0).random(n))
    tokens = sampling._choose(logits[None].expand(n, -1), 8.0, 1.0, uniform)
    counts = torch.bincount(tokens, minlength=len(model_p)).numpy()
    often = model_p.detach().numpy() * n >= 5
    observed = np.append(counts[often], counts[~often].sum())
    expected = (
        np.append(model_p.detach().numpy()[often], model_p.detach().numpy()[~often].sum()) * n
    )
    keep = expected > 0
    assert (
        chisquare(
            observed[keep], expected[keep] * observed[keep].sum() / expected[keep].sum()
        ).pvalue
        > 1e-3
    )


def test_top_p_keeps_the_nucleus_alone():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(1000, -1)
    uniform = torch.linspace(0, 0.9999, 1000, dtype=torch.double)
    assert Counter(sampling._choose(logits, 1.0, 0.7, uniform).tolist()).keys() == {0, 1}


def test_a_log_probability_is_the_model_s_own(tiny, asked):
    model, processor, _ = tiny
    images, texts, ids = asked
    response = sampling.sample(model, processor, images[:1], texts[:1], 1, 0.0, 1.0, 5, 4096)[0][0]
    batch = chat.encode(processor, images[:1], texts[:1])
    out = model.generate(
        **batch, max_new_tokens=5, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    new = out.sequences[0, batch["input_ids"].shape[1] :]
    stock = sum(
        torch.log_softmax(step[0].float(), -1)[t].item()
        for step, t in zip(out.logits, new, strict=True)
    )
    assert response.logprob == pytest.approx(stock, abs=1e-3)
