"""Sampling draws from the model's own distribution, whatever else is in the batch."""

from collections import Counter

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from transformers import Qwen2VLConfig, Qwen2VLForConditionalGeneration

from inbol_lib.data.records import prompt_text
from inbol_lib.micro import world
from inbol_lib.mllm import attention, chat, loading, sampling
from inbol_lib.mllm.sampling import continuation, responses


@pytest.fixture(scope="module")
def asked():
    """Ten images, their questions and ids."""
    rows = world.questions("vqav2", "train", 10)
    return list(rows["image"]), [prompt_text(row) for row in rows], list(rows["id"])


def generated(model, processor, images, texts, longest):
    """Return what the stock `generate` answers greedily."""
    batch = chat.encode(processor, images, texts)
    out = model.generate(**batch, max_new_tokens=longest, do_sample=False)
    new = out[:, batch["input_ids"].shape[1] :]
    return [
        text.strip() for text in processor.tokenizer.batch_decode(new, skip_special_tokens=True)
    ]


def words(responses):
    return [[response.text for response in said] for said in responses]


def logprobs(responses):
    return [response.logprob for response in responses]


def test_greedy_is_generate(tiny, asked):
    model, processor, _ = tiny
    images, texts, _ = asked
    ours = sampling.greedy(model, processor, images, texts, 8, 4096)
    assert ours == generated(model, processor, images, texts, 8)


def test_rows_that_finish_leave_the_batch_and_nothing_else_changes():
    """With the packaged model, whose answers end at different steps."""
    model, processor = loading.load("micro-s", device="cpu")
    sources = ("vqav2", "oven", "scienceqa")
    rows = [row for source in sources for row in world.questions(source, "train", 8)]
    images = [row["image"] for row in rows]
    texts = [*map(prompt_text, rows[:-1]), "Describe the image."]
    stock = generated(model, processor, images, texts, 12)
    lengths = {len(text.split()) for text in stock}
    assert len(lengths) > 1, "rows must end at different steps for this test to say anything"
    assert sampling.greedy(model, processor, images, texts, 12, 100_000) == stock


@pytest.fixture
def unshared(monkeypatch):
    """sample(), with `generate` alone, of a model whose cache cannot be shared."""
    monkeypatch.setattr(responses, "can_share", lambda model: False)

    def sample(*args):
        with pytest.warns(UserWarning, match="question by question"):
            return sampling.sample(*args)

    return sample


def test_a_model_whose_cache_can_not_be_shared_goes_through_generate(tiny, asked, unshared):
    images, texts, ids = (part[:3] for part in asked)
    greedy = (*tiny[:2], images, texts, 2, 0.0, 1.0, 6, 4096, 0, ids)
    slow = unshared(*greedy)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(responses, "can_share", attention.can_share)
        fast = sampling.sample(*greedy)
    assert words(slow) == words(fast)
    assert logprobs(slow[1]) == pytest.approx(logprobs(fast[1]), abs=1e-3)


def test_generate_has_a_random_stream_for_each_question(tiny, asked, unshared):
    images, texts, ids = (part[:3] for part in asked)
    how = (3, 1.0, 0.9, 6, 4096, 5)
    drawn = unshared(*tiny[:2], images, texts, *how, ids)
    torch.manual_seed(99)  # what else drew from the global generator must not matter
    alone = unshared(*tiny[:2], images[1:2], texts[1:2], *how, ids[1:2])
    assert drawn[1] == alone[0]
    assert len(set(words(drawn)[1])) > 1


def test_which_caches_can_be_shared(tiny):
    assert attention.can_share(tiny[0])
    text = {
        "hidden_size": 32,
        "num_hidden_layers": 1,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "intermediate_size": 32,
        "rope_parameters": {"rope_type": "default", "rope_theta": 1e4, "mrope_section": [2, 3, 3]},
    }
    with torch.device("meta"):
        several_axes = Qwen2VLForConditionalGeneration(Qwen2VLConfig(text_config=text))
    assert not attention.can_share(several_axes)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ({"n": 0}, "n=0"),
        ({"temperature": -1.0}, "temperature"),
        ({"top_p": 0.0}, "top_p"),
        ({"max_new_tokens": 0}, "max_new_tokens"),
        ({"ids": ["a", "a"]}, "repeat"),
        ({"texts": ["one"]}, "1 texts"),
    ],
)
def test_bad_settings_are_refused(tiny, asked, change, word):
    how = {
        "images": asked[0][:2],
        "texts": asked[1][:2],
        "n": 1,
        "temperature": 1.0,
        "top_p": 1.0,
        "max_new_tokens": 2,
        "token_budget": 4096,
        "ids": ["a", "b"],
    }
    with pytest.raises(ValueError, match=word):
        sampling.sample(*tiny[:2], **{**how, **change})


def test_neither_batch_nor_resuming_changes_a_response(tiny, asked):
    def draw(places, budget):
        images, texts, ids = ([part[place] for place in places] for part in asked)
        return sampling.sample(*tiny[:2], images, texts, 3, 1.0, 0.9, 6, budget, 5, ids)

    whole, alone = draw(range(10), 100_000), draw([7, 2], 300)
    assert words([whole[7], whole[2]]) == words(alone)
    assert np.allclose(logprobs(whole[7]), logprobs(alone[0]), atol=1e-4)


def test_samples_follow_the_model_s_distribution(tiny, asked):
    model, processor, _ = tiny
    batch = chat.encode(processor, asked[0][:1], asked[1][:1])
    positions = batch["attention_mask"].cumsum(1) - 1
    logits = model(**batch, position_ids=positions).logits[0, -1].double().detach()
    n = 4000
    expected = torch.softmax(logits / 8, -1).numpy() * n
    uniform = torch.from_numpy(np.random.default_rng(0).random(n))
    tokens = continuation.choose(logits[None].expand(n, -1), 8.0, 1.0, uniform)
    observed = torch.bincount(tokens, minlength=len(expected)).numpy()
    often = expected >= 5  # tokens that are rarer are counted together

    def together(counts):
        return np.append(counts[often], counts[~often].sum())

    observed, expected = together(observed), together(expected)
    possible = expected > 0
    observed, expected = observed[possible], expected[possible]
    assert chisquare(observed, expected * observed.sum() / expected.sum()).pvalue > 1e-3


def test_top_p_keeps_the_nucleus_alone():
    logits = torch.log(torch.tensor([[0.5, 0.3, 0.15, 0.05]])).expand(1000, -1)
    uniform = torch.linspace(0, 0.9999, 1000, dtype=torch.double)
    assert Counter(continuation.choose(logits, 1.0, 0.7, uniform).tolist()).keys() == {0, 1}


def test_a_log_probability_is_the_model_s_own(tiny, asked):
    model, processor, _ = tiny
    images, texts = asked[0][:1], asked[1][:1]
    ((response,),) = sampling.sample(model, processor, images, texts, 1, 0.0, 1.0, 5, 4096)
    batch = chat.encode(processor, images, texts)
    out = model.generate(
        **batch, max_new_tokens=5, do_sample=False, output_logits=True, return_dict_in_generate=True
    )
    new = out.sequences[0, batch["input_ids"].shape[1] :]
    steps = zip(out.logits, new, strict=True)
    stock = sum(torch.log_softmax(step[0].float(), -1)[token].item() for step, token in steps)
    assert response.logprob == pytest.approx(stock, abs=1e-3)
