import pytest
import torch
from datasets import Dataset

from inbol_lib import idk_it, models
from inbol_lib.micro import world
from inbol_lib.records import prompt_text
from inbol_lib.templates import REFUSAL_TEMPLATES


@pytest.fixture(scope="module")
def instructions() -> Dataset:
    rows = world.questions("vqav2", "train", 24)
    meta = rows.remove_columns("image").to_list()
    table = rows.select_columns(["image"]).add_column("prompt", [prompt_text(r) for r in meta])
    return table.add_column("response", [r["answers"][0] if i % 3 else REFUSAL_TEMPLATES[i] for i, r in enumerate(meta)])


def test_only_the_response_and_eos_are_in_the_loss(tiny, instructions):
    _, processor, _ = tiny
    for item, response in zip(idk_it.examples(processor, instructions), instructions["response"], strict=True):
        seen = [t for t in item["labels"] if t != idk_it.IGNORE]
        assert processor.tokenizer.decode(seen) == f" {response}</s>"
        assert item["input_ids"][0] == processor.tokenizer.bos_token_id
        assert item["input_ids"].count(models.image_token_id(processor)) == 36
        assert len(item["labels"]) == len(item["input_ids"])


def test_an_item_equals_the_chat_template(tiny, instructions):
    _, processor, _ = tiny
    row = instructions[0]
    turns = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row["prompt"]}]},
             {"role": "assistant", "content": [{"type": "text", "text": row["response"]}]}]  # fmt: skip
    text = processor.apply_chat_template(turns)
    ids = processor(images=[row["image"]], text=[text], add_special_tokens=False)["input_ids"][0]
    assert idk_it.examples(processor, instructions.select([0]))[0]["input_ids"] == list(ids)


def tuned(tiny, instructions, folder, p):
    model, processor = models.load(str(tiny[2]), device="cpu")
    history = idk_it.train(p, model, processor, instructions, folder)
    adapted, _ = models.load(str(tiny[2]), folder / "adapter", device="cpu")
    return history, adapted


def test_training_is_reproducible_and_leaves_vision_alone(tiny, instructions, tmp_path, smoke):
    p = smoke.replace(batch_size=8, learning_rate=0.01)
    runs = [tuned(tiny, instructions, tmp_path / name, p) for name in ("a", "b")]
    assert runs[0][0].loss.tolist() == runs[1][0].loss.tolist()
    before, (first, second) = dict(tiny[0].named_parameters()), [dict(m.named_parameters()) for _, m in runs]
    changed = {n for n in before if not torch.equal(before[n], first[n])}
    assert changed
    assert all("language_model" in n for n in changed)
    assert all(torch.equal(first[n], second[n]) for n in before)
