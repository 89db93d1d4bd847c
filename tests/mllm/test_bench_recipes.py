"""The recipes with `generate` that sampling is measured against say what `generate` says."""

import pytest
import torch
from benches import generation, rows, shapes
from families import MAKERS

SHORT = 6


def sharpened(model):
    """So that places matter, and rounding never changes a choice."""
    with torch.no_grad():
        model.get_output_embeddings().weight.mul_(20)
    return model


@pytest.fixture(scope="module", params=["llava", "idefics3", "qwen2_5_vl"])
def family(request, tiny):
    """(model, processor) of a family, tiny and random"""
    if request.param == "llava":
        return tiny[:2]
    config, processor = MAKERS[request.param]()
    processor.tokenizer.padding_side = "left"
    return sharpened(shapes.random_model(config, processor)), processor


def ask(n, per_picture=3):
    data = rows.preferences(6, (48, 64), per_picture)
    return generation.Ask(list(data["image"]), list(data["prompt"]), n, SHORT, per_picture)


@pytest.mark.parametrize("name", generation.RECIPES)
def test_greedy_answers_are_those_of_generate(family, name):
    asked = ask(1)
    plain = [
        generation.one_by_one(*family, asked._replace(images=[image], texts=[text]))[0]
        for image, text in zip(asked.images, asked.texts, strict=True)
    ]
    assert len(set(plain)) > 1
    assert generation.RECIPES[name](*family, asked) == plain


@pytest.mark.parametrize("name", [name for name in generation.RECIPES if "cached" in name])
def test_every_response_continues_its_own_question(family, name, monkeypatch):
    """Drawn without chance, the responses to a question all equal its greedy answer."""
    if name == "prompts cached, one batch" and "Qwen" in type(family[0]).__name__:
        pytest.skip("its positions do not follow a copied cache of several questions")
    greedy = generation.one_by_one(*family, ask(1))
    settled = {"do_sample": False, "max_new_tokens": SHORT}
    monkeypatch.setattr(generation, "how", lambda _: settled)
    said = generation.RECIPES[name](*family, ask(3))
    assert said == [text for text in greedy for _ in range(3)]


def test_only_recipes_that_can_spare_work_are_tried():
    assert len(generation.sensible(1, 1)) == 2
    assert len(generation.sensible(10, 1)) == 4
    assert len(generation.sensible(1, 4)) == 4
    assert len(generation.sensible(10, 4)) == 6


def test_nothing_stops_before_its_full_length():
    shape = shapes.shape("llava", 36)
    for model in (shape.ours, shape.theirs):
        shapes.never_stop(model, shape.processor)
    data = rows.preferences(1, shape.size)
    batch = generation.chat.encode(shape.processor, list(data["image"]), list(data["prompt"]))
    out = shape.theirs.generate(
        **batch, do_sample=True, top_k=0, num_return_sequences=64, max_new_tokens=SHORT
    )
    new = out[:, batch["input_ids"].shape[1] :]
    assert new.shape[1] == SHORT
    assert (new != shape.processor.tokenizer.eos_token_id).all()


@pytest.mark.parametrize(("name", "tokens"), [("idefics3", 576), ("qwen2_5_vl", 576)])
def test_other_families_read_as_many_image_tokens_as_llava(name, tokens):
    shape = shapes.shape(name)
    data = rows.preferences(1, shape.size)
    batch = generation.chat.encode(shape.processor, list(data["image"]), list(data["prompt"]))
    mark = generation.chat.image_token_id(shape.processor)
    assert (batch["input_ids"] == mark).sum() == tokens
    assert 1e6 < sum(weight.numel() for weight in shape.theirs.parameters()) < 3e6
