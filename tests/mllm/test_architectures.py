"""Three families of models, tiny and random: sampled from and trained as LLaVA is."""

import copy

import numpy as np
import pytest
import torch
from families import IMAGE_TOKENS, alone, losses
from peft import PeftModel

from inbol_lib.mllm import chat, loading, sampling
from inbol_lib.training import ca_dpo, idk_it, packing, preference_loss


def test_prompts_are_left_padded_with_bos_and_every_image_token(family, rows):
    name, _, processor = family
    loading.check_tokens(processor)
    batch, tokenizer = chat.encode(processor, rows["image"], rows["prompt"]), processor.tokenizer
    ids, mask = batch["input_ids"], batch["attention_mask"]
    assert mask[:, -1].all()
    assert len(set(mask.sum(1).tolist())) > 1
    assert (ids[mask == 0] == tokenizer.pad_token_id).all()
    assert all(
        row[seen == 1][0] == tokenizer.bos_token_id for row, seen in zip(ids, mask, strict=True)
    )
    assert not (ids == tokenizer.eos_token_id).any()
    assert (ids == chat.image_token_id(processor)).sum(1).tolist() == IMAGE_TOKENS[name] * 2


def test_lora_touches_the_language_model_alone(family):
    _, fresh, _ = family
    names = loading.language_model_linear_names(fresh())
    assert len(names) == 2 * 7
    assert not [
        n
        for n in names
        if any(word in n for word in ("vision", "visual", "projector", "connector"))
    ]


def test_sampling_is_generate_s_and_no_batch_changes_a_response(family, rows, recwarn):
    name, fresh, processor = family
    model, images, texts = fresh(), list(rows["image"]), list(rows["prompt"])
    said = sampling.greedy(model, processor, images, texts, 6, 2048)
    for image, text, response in zip(images[2:4], texts[2:4], said[2:4], strict=True):
        batch = chat.encode(processor, [image], [text])
        out = model.generate(**batch, do_sample=False, max_new_tokens=6)[
            :, batch["input_ids"].shape[1] :
        ]
        assert response == processor.tokenizer.decode(out[0], skip_special_tokens=True).strip()
    asked = [str(i) for i in range(8)]
    drawn = sampling.sample(model, processor, images, texts, 3, 1.0, 1.0, 6, 4096, ids=asked)
    part = sampling.sample(
        model, processor, images[5:7], texts[5:7], 3, 1.0, 1.0, 6, 100, ids=asked[5:7]
    )
    assert [[r.text for r in said] for said in part] == [
        [r.text for r in said] for said in drawn[5:7]
    ]
    assert any("cache cannot be shared" in str(w.message) for w in recwarn) == (
        name == "qwen2_5_vl"
    )


def test_idk_it_learns_from_the_prompt_that_is_sampled_from(family, rows, tmp_path, smoke):
    _, fresh, processor = family
    model = fresh()
    expected = torch.cat([alone(model, processor, row, row["response"]) for row in rows])
    history = idk_it.train(smoke.replace(batch_size=8), fresh(), processor, rows, tmp_path)
    assert history.loss[0] == pytest.approx(-expected.mean().item(), rel=1e-4)
    tuned = PeftModel.from_pretrained(fresh(), tmp_path / "adapter")
    adapted = {
        n.split(".lora_")[0].removeprefix("base_model.model.")
        for n, _ in tuned.named_parameters()
        if ".lora_" in n
    }
    assert adapted == set(loading.language_model_linear_names(model))


@pytest.mark.parametrize("packed", [True, False])
def test_responses_are_read_as_alone_whether_packed_or_not(family, rows, packed):
    name, fresh, processor = family
    model = fresh()
    collator = (packing.PackingCollator if packed else packing.RowCollator)(
        ca_dpo.items(processor, rows), rows, processor
    )
    if packed and name == "qwen2_5_vl":
        with pytest.raises(ValueError, match="or take one of another family"):
            packing.check_packing(model, collator)
        return
    packing.check_packing(model, collator)
    with torch.no_grad():
        found = packing.response_logps(model, collator.read(list(range(8))))
    for row, logps in zip(rows, found, strict=True):
        needed = preference_loss.NEEDED[row["kind"]]
        assert not any(logps[k] for k in range(3) if k not in needed)
        for k in needed:
            assert logps[k].item() == pytest.approx(
                alone(model, processor, row, row[packing.RESPONSES[k]]).sum().item(), rel=1e-4
            )


def test_ca_dpo_learns_the_same_packed_or_not(family, rows, tmp_path, smoke, monkeypatch, recwarn):
    """Qwen's responses are never packed, and it says so."""
    name, fresh, processor = family
    p = smoke.replace(batch_size=4, token_budget=700, epochs=2.0)
    first, second = losses(fresh, processor, rows, p, tmp_path, monkeypatch)
    assert first[0] == pytest.approx(np.log(2), rel=1e-4)
    assert second == pytest.approx(first, rel=1e-3)
    assert sum("cannot be packed" in str(w.message) for w in recwarn) == 1 + (name == "qwen2_5_vl")


def test_llava_learns_the_same_packed_or_not(tiny, rows, tmp_path, smoke, monkeypatch):
    """The one family whose pictures are kept from pass to pass."""
    model, processor, _ = tiny
    p = smoke.replace(batch_size=4, token_budget=700, epochs=2.0)
    first, second = losses(lambda: copy.deepcopy(model), processor, rows, p, tmp_path, monkeypatch)
    assert first[0] == pytest.approx(np.log(2), rel=1e-4)
    assert second == pytest.approx(first, rel=1e-4)
