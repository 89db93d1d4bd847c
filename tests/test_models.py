import pytest
import torch
from peft import LoraConfig, get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText, AutoProcessor

from inbol_lib import models

PICTURE = Image.new("RGB", (48, 48), "red")


def test_the_folder_loads_without_our_code(tiny):
    folder = tiny[2]
    processor, model = AutoProcessor.from_pretrained(folder), AutoModelForImageTextToText.from_pretrained(folder)
    assert type(model).__name__ == "LlavaForConditionalGeneration"
    assert type(processor).__name__ == "LlavaProcessor"


def test_the_packaged_model_is_the_one_in_its_manifest():
    import json

    from inbol_lib.micro.pretrain import STAGES, STEPS, sha256

    for folder in models.PACKAGED.iterdir():
        manifest = json.loads((folder / "manifest.json").read_text())
        assert manifest["sha256"] == sha256(folder), folder.name
        if "recipe" in manifest:  # `make pretrain` makes what is shipped
            shares = {name: [share, tasks] for name, (share, tasks) in STAGES.items()}
            assert (manifest["recipe"]["stages"], manifest["recipe"]["steps"]) == (shares, STEPS[manifest["size"]])


def test_prompts_are_left_padded_with_bos_and_all_image_tokens(tiny):
    _, processor, _ = tiny
    batch = models.encode(processor, [PICTURE] * 2, ["Which?", "What color is the circle in this long question?"])
    ids, mask = batch["input_ids"], batch["attention_mask"].bool()
    assert (ids == models.image_token_id(processor)).sum(1).tolist() == [36, 36]
    assert all(row[m][0] == processor.tokenizer.bos_token_id for row, m in zip(ids, mask, strict=True))
    assert mask[:, -1].all()
    assert not mask[0, 0]


def test_a_batch_that_would_be_read_wrongly_is_refused(tiny):
    processor = tiny[1]
    batch = models.encode(processor, [PICTURE] * 2, ["Which?", "What color is the circle in this long question?"])
    ids, mask = batch["input_ids"], batch["attention_mask"]
    no_bos = ids.masked_fill(ids == processor.tokenizer.bos_token_id, processor.tokenizer.unk_token_id)
    for wrong, held, word in ((no_bos, mask, "BOS"), (ids, mask.flip(1), "left")):
        with pytest.raises(ValueError, match=word):
            models.check_batch(processor, [PICTURE] * 2, wrong, held)
    fewer = ids.clone()
    fewer[:, (ids == models.image_token_id(processor)).all(0).nonzero()[0]] = processor.tokenizer.unk_token_id
    with pytest.raises(ValueError, match="35.*36"):
        models.check_batch(processor, [PICTURE] * 2, fewer, mask)


def test_an_adapter_is_applied(tiny, tmp_path):
    net = AutoModelForImageTextToText.from_pretrained(tiny[2])
    wrapped = get_peft_model(net, LoraConfig(target_modules=models.language_model_linear_names(net), init_lora_weights=False))
    wrapped.save_pretrained(tmp_path / "adapter")
    batch = models.encode(tiny[1], [PICTURE], ["What color is it?"])
    with torch.no_grad():
        wanted, base = wrapped.eval()(**batch).logits, tiny[0](**batch).logits
        found = models.load(str(tiny[2]), tmp_path / "adapter", device="cpu")[0](**batch).logits
    assert torch.allclose(found, wanted, atol=1e-3)
    assert not torch.allclose(found, base, atol=1e-1)


def test_lora_touches_the_language_model_alone(tiny):
    names = models.language_model_linear_names(tiny[0])
    assert len(names) == 2 * 7
    assert all("language_model" in n for n in names)


def test_pad_must_not_be_eos(tiny):
    processor = AutoProcessor.from_pretrained(tiny[2])
    processor.tokenizer.pad_token = processor.tokenizer.eos_token
    with pytest.raises(ValueError, match="masked"):
        models.check_tokens(processor)


def test_a_missing_package_says_what_there_is():
    with pytest.raises(ValueError, match="micro-s"):
        models.load("micro-xl")
