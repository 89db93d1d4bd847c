"""Questions about one picture share its reading, and each is answered as alone."""

from collections import Counter
from contextlib import nullcontext

import numpy as np
import pytest
import torch
from transformers import DynamicCache

from inbol_lib.data.records import prompt_text
from inbol_lib.micro import world
from inbol_lib.mllm import loading, sampling
from inbol_lib.mllm.chat import encode
from inbol_lib.mllm.picture_features import Features
from inbol_lib.mllm.sampling import prompts, reading, responses, stock
from inbol_lib.mllm.sampling.cache import gathered
from inbol_lib.mllm.sampling.last_layer import at_last_token


@pytest.fixture(scope="module")
def asked():
    """Three pictures with five, two and one questions about them, mixed."""
    rows = world.questions("vqav2", "train", 9)  # at most three are about one picture
    shown = [0, 1, 0, 2, 0, 1, 0, 0]
    pictures = list(dict(zip(rows["image_id"], rows["image"], strict=True)).values())
    return [pictures[place] for place in shown], [prompt_text(row) for row in rows][:8]


def drawn(model, processor, images, texts, budget, **others):
    ids = others.pop("ids", [str(place) for place in range(len(texts))])
    how = (3, 1.0, 0.9, 6, budget, 5, ids)
    return sampling.sample(model, processor, images, texts, *how, **others)


def same(found, expected):
    assert [[r.text for r in said] for said in found] == [
        [r.text for r in said] for said in expected
    ]
    for one, other in zip(found, expected, strict=True):
        assert [r.logprob for r in one] == pytest.approx([r.logprob for r in other], abs=1e-3)


@pytest.mark.parametrize("budget", [1, 400, 100_000])
def test_each_question_is_answered_as_alone(tiny, asked, budget):
    model, processor, _ = tiny
    images, texts = asked
    together = drawn(model, processor, images, texts, budget)
    alone = [
        drawn(model, processor, images[i : i + 1], texts[i : i + 1], 1, ids=[str(i)])[0]
        for i in range(len(texts))
    ]
    same(together, alone)


def test_other_families_share_pictures_as_well(family, rows):
    """Pictures of other sizes have other numbers of tokens; Qwen reads each question whole."""
    _, fresh, processor = family
    model, images = fresh(), [rows["image"][place] for place in (0, 1, 0, 3, 1, 0, 2, 3)]
    texts = list(rows["prompt"])
    together = drawn(model, processor, images, texts, 100_000)
    for place in range(len(texts)):
        one = slice(place, place + 1)
        same(together[one], drawn(model, processor, images[one], texts[one], 1, ids=[str(place)]))


@pytest.fixture
def towers(tiny, monkeypatch):
    """A model, its processor, and how many pictures its tower has read in each pass."""
    model, processor, _ = tiny
    read, tower = [], model.model.get_image_features

    def counting(pixel_values, **options):
        read.append(len(pixel_values))
        return tower(pixel_values=pixel_values, **options)

    monkeypatch.setattr(model.model, "get_image_features", counting)
    return model, processor, read


def test_a_picture_is_read_once_and_kept_for_the_next_method(towers, asked):
    model, processor, read = towers
    images, texts = asked
    features = Features()
    reading.reads_alike(model, processor, images[:1], texts[:1])  # which tries a model once
    read.clear()
    first = drawn(model, processor, images, texts, 100_000, features=features)
    assert sum(read) == 3
    same(drawn(model, processor, images, texts, 100_000, features=features), first)
    assert sum(read) == 3
    same(drawn(model, processor, images, texts, 100_000), first)
    assert sum(read) == 6


def test_a_batch_holds_the_questions_about_a_picture_together():
    names, texts = list("abcabca"), ["x", "xx", "xxxxx", "x" * 9, "x", "x", "x"]
    settings = responses.Settings(1, 0.0, 1.0, 1)
    batches = list(responses._batches(names, texts, settings, 40, 0))
    assert sorted(sum(batches, [])) == list(range(7))
    assert [names[place] for place in sum(batches, [])] == list("aaaccbb")
    assert Counter(map(len, batches)) == {1: 3, 2: 2}


def test_a_trunk_ends_with_the_picture(tiny, asked):
    _, processor, _ = tiny
    images, texts = asked
    made = prompts.written(processor, images, texts, [0, 1, 0, 2, 0, 1, 0, 0])
    assert (len(made.trunks), made.trunk_of) == (3, [0, 1, 0, 2, 0, 1, 0, 0])
    image_token = processor.tokenizer.convert_tokens_to_ids("<image>")
    for place, trunk in enumerate(made.trunk_of):
        assert made.trunks[trunk][-1] == image_token
        assert image_token not in made.branches[place]
        alone = processor(
            images=images[place], text=prompts.chat_prompt(processor, texts[place])
        ).input_ids[0]
        whole = made.trunks[trunk] + made.branches[place]
        assert list(alone)[-len(whole) :] == whole


def test_texts_before_the_picture_keep_prompts_apart(tiny, asked):
    """A template that puts the picture last: then questions have no beginning in common."""
    _, processor, _ = tiny
    images, texts = asked
    usual = processor.chat_template
    processor.chat_template = (
        "{{ bos_token }}{{ messages[0]['content'][1]['text'] }}<image> ASSISTANT:"
    )
    try:
        made = prompts.written(processor, images[:3], texts[:3], [0, 1, 0])
    finally:
        processor.chat_template = usual
    assert made.trunk_of == [0, 1, 2]
    assert made.trunks[0] != made.trunks[2]


def test_a_model_that_reads_in_parts_otherwise_goes_through_generate(tiny, asked, monkeypatch):
    model, processor, _ = tiny
    images, texts = (held[:2] for held in asked)
    expected = sampling.greedy(model, processor, images, texts, 5, 1)
    right = reading.additive
    monkeypatch.setattr(reading, "_ALIKE", {})
    # As if what a picture means depended on the question: the branch sees no more of it.
    monkeypatch.setattr(reading, "additive", lambda seen, model: right(seen.triu(60), model))
    with pytest.warns(UserWarning, match="question by question"):
        assert sampling.greedy(model, processor, images, texts, 5, 1) == expected


def cached(rows, length, seed):
    generator = torch.Generator().manual_seed(seed)
    cache = DynamicCache()
    for layer in range(2):
        states = torch.randn(2, rows, 2, length, 4, generator=generator)
        cache.update(*states, layer)
    return cache


def test_a_growing_cache_holds_what_transformers_own_holds():
    parts = [cached(2, 5, 0), cached(1, 3, 1)]
    grown = gathered(parts, torch.tensor([1, 0, 1, 2]), spare=2)
    stock = [
        torch.cat([parts[0].layers[1].keys[[1, 0, 1]], torch.zeros(3, 2, 0, 4)], 2),
        parts[1].layers[1].keys,
    ]
    assert torch.equal(grown.layers[1].keys[:3], stock[0])
    assert torch.equal(grown.layers[1].keys[3, :, :3], stock[1][0])
    assert not grown.layers[1].keys[3, :, 3:].any()
    expected = grown.layers[1].keys.clone()
    for step in range(7):  # past the room that there was
        new = torch.full((4, 2, 1, 4), float(step))
        expected = torch.cat([expected, new], 2)
        keys, _ = grown.update(new, new, 1)
        assert torch.equal(keys, expected)
    grown.batch_select_indices(torch.tensor([3, 1]))
    assert torch.equal(grown.layers[1].keys, expected[[3, 1]])
    assert grown.get_seq_length(1) == 12


def test_the_packaged_model_answers_as_before(asked):
    model, processor = loading.load("micro-s", device="cpu")
    images, texts = asked
    alone = [
        sampling.greedy(model, processor, [image], [text], 8, 1)[0]
        for image, text in zip(images, texts, strict=True)
    ]
    assert sampling.greedy(model, processor, images, texts, 8, 100_000) == alone
    assert len(np.unique(alone)) > 1


def test_what_generate_samples_is_the_same_with_a_copied_cache(tiny, asked, monkeypatch):
    """For models of other caches; the tiny one stands for them."""
    model, processor, _ = tiny
    images, texts = (held[:2] for held in asked)
    monkeypatch.setattr(responses, "can_share", lambda model: False)
    found = []
    for copied in (True, False):
        monkeypatch.setattr(stock, "_COPIES", {model: copied})
        with pytest.warns(UserWarning, match="question by question"):
            found.append(drawn(model, processor, images, texts, 1))
    same(*found)


def test_a_family_with_its_own_positions_copies_its_cache(family, rows):
    name, fresh, processor = family
    model = fresh()
    batch = encode(processor, rows["image"][:1], rows["prompt"][:1])
    assert stock._copies_cache(model, batch), name


def test_the_last_layer_is_read_at_the_last_token_alone(tiny, asked):
    """Logits and cache are those of a whole pass."""
    model, processor, _ = tiny
    batch = encode(processor, asked[0][:2], asked[1][:2])
    batch["position_ids"] = (batch["attention_mask"].cumsum(1) - 1).clamp(min=0)
    read = []
    for context in (nullcontext(), at_last_token(model)):
        cache = DynamicCache()
        with torch.no_grad(), context:
            out = model(**batch, past_key_values=cache, logits_to_keep=1, use_cache=True)
        read.append((out.logits, cache.layers[-1].keys, cache.layers[-1].values))
    for whole, last in zip(*read, strict=True):
        assert torch.allclose(whole, last, atol=1e-5)
    layers = model.get_decoder().layers
    assert not any("forward" in vars(layer) for layer in layers)
