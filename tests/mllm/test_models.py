"""Models load as they are shipped, read prompts as they were trained to, and take adapters."""

import json

import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from inbol_lib import paths
from inbol_lib.micro.models.manifests import sha256
from inbol_lib.micro.models.pretrain import LAST, STAGES, STEPS
from inbol_lib.mllm import chat, loading

PICTURES = [Image.new("RGB", (48, 48), "red")] * 2
TEXTS = ["Which?", "What color is the circle in this long question?"]


def test_the_folder_loads_without_our_code(tiny):
    folder = tiny[2]
    processor = AutoProcessor.from_pretrained(folder)
    model = AutoModelForImageTextToText.from_pretrained(folder)
    assert type(model).__name__ == "LlavaForConditionalGeneration"
    assert type(processor).__name__ == "LlavaProcessor"


def test_the_packaged_model_is_the_one_in_its_manifest():
    for folder in paths.WEIGHTS.iterdir():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["sha256"] == sha256(folder), folder.name
        if "recipe" in manifest:  # `make pretrain` makes what is shipped
            shares = {name: [stage.share, stage.tasks] for name, stage in STAGES.items()}
            assert manifest["recipe"]["stages"] == shares
            assert manifest["recipe"]["last"]["tasks"] == LAST.tasks
            assert manifest["recipe"]["steps"] == STEPS[manifest["size"]]


def test_prompts_are_left_padded_with_bos_and_all_image_tokens(tiny):
    _, processor, _ = tiny
    batch = chat.encode(processor, PICTURES, TEXTS)
    ids, mask = batch["input_ids"], batch["attention_mask"].bool()
    assert (ids == chat.image_token_id(processor)).sum(1).tolist() == [36, 36]
    for row, is_text in zip(ids, mask, strict=True):
        assert row[is_text][0] == processor.tokenizer.bos_token_id
    assert mask[:, -1].all()
    assert not mask[0, 0]


def test_a_batch_that_would_be_read_wrongly_is_refused(tiny):
    processor = tiny[1]
    tokenizer = processor.tokenizer
    batch = chat.encode(processor, PICTURES, TEXTS)
    ids, mask = batch["input_ids"], batch["attention_mask"]
    no_bos = ids.masked_fill(ids == tokenizer.bos_token_id, tokenizer.unk_token_id)
    with pytest.raises(ValueError, match="BOS"):
        chat.check_batch(processor, PICTURES, no_bos, mask)
    with pytest.raises(ValueError, match="left"):
        chat.check_batch(processor, PICTURES, ids, mask.flip(1))
    in_both = (ids == chat.image_token_id(processor)).all(0)
    fewer = ids.clone()
    fewer[:, in_both.nonzero()[0]] = tokenizer.unk_token_id
    with pytest.raises(ValueError, match="35.*36"):
        chat.check_batch(processor, PICTURES, fewer, mask)


def test_an_adapter_is_applied(tiny, tmp_path):
    net = AutoModelForImageTextToText.from_pretrained(tiny[2])
    names = loading.language_model_linear_names(net)
    wrapped = get_peft_model(net, LoraConfig(target_modules=names, init_lora_weights=False))
    wrapped.save_pretrained(tmp_path / "adapter")
    batch = chat.encode(tiny[1], PICTURES[:1], ["What color is it?"])
    with torch.no_grad():
        wanted, base = wrapped.eval()(**batch).logits, tiny[0](**batch).logits
        found = loading.load(str(tiny[2]), tmp_path / "adapter", device="cpu")[0](**batch).logits
    assert torch.allclose(found, wanted, atol=1e-3)
    assert not torch.allclose(found, base, atol=1e-1)


def test_lora_touches_the_language_model_alone(tiny):
    names = loading.language_model_linear_names(tiny[0])
    assert len(names) == 2 * 7
    assert all("language_model" in name for name in names)


def test_pad_must_not_be_eos(tiny):
    processor = AutoProcessor.from_pretrained(tiny[2])
    processor.tokenizer.pad_token = processor.tokenizer.eos_token
    with pytest.raises(ValueError, match="masked"):
        loading.check_tokens(processor)


def test_a_missing_package_says_what_there_is():
    with pytest.raises(ValueError, match="micro-s"):
        loading.load("micro-xl")
