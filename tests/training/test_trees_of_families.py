"""Other families than LLaVA read several questions about a picture as each alone."""

import numpy as np
import pytest
import torch
from datasets import Dataset
from mllm.families import MAKERS
from peft import get_peft_model
from PIL import Image
from transformers import AutoModelForImageTextToText

from inbol_lib.mllm import chat
from inbol_lib.training import ca_dpo, collating, lora, packing

QUESTIONS = 6


@pytest.fixture(scope="module")
def asked():
    """Two pictures, three questions about each."""
    rng = np.random.default_rng(0)
    shown = [rng.integers(0, 256, (h, w, 3), dtype=np.uint8) for w, h in ((48, 48), (64, 40))]
    return Dataset.from_dict(
        {
            "image": [Image.fromarray(shown[number // 3]) for number in range(QUESTIONS)],
            "prompt": ["What color is the circle?" + " red" * n for n in range(QUESTIONS)],
            "kind": ["mixed", "known", "unknown"] * 2,
            "confidence": [0.4, 1.0, 0.0] * 2,
            "correct": ["red"] * QUESTIONS,
            "incorrect": ["a green box", "no"] * 3,
            "refusal": ["I cannot say.", "I do not know what it is."] * 3,
        }
    )


def policy_of(name, p):
    """A random model of the family, with an adapter that is not zero, and its processor."""
    config, processor = MAKERS[name]()
    torch.manual_seed(0)
    model = AutoModelForImageTextToText.from_config(config)
    policy = get_peft_model(model, lora.lora_config(p, model)).eval()
    for weight in policy.parameters():
        if weight.requires_grad:
            torch.nn.init.normal_(weight, std=0.3)
    processor.tokenizer.padding_side = "left"
    return policy, processor


def scored(policy, processor, rows, make):
    """Rows of the batch, log-probabilities, and the gradient of a sum of them."""
    collator = make(ca_dpo.items(processor, rows), rows, processor)
    batch = collator.read(list(range(QUESTIONS)))
    policy.zero_grad()
    logps = packing.response_logps(policy, batch)
    (logps * torch.arange(1.0, logps.numel() + 1).view_as(logps)).sum().backward()
    gradient = [weight.grad.flatten() for weight in policy.parameters() if weight.requires_grad]
    return len(batch["model"]["input_ids"]), logps.detach(), torch.cat(gradient)


@pytest.mark.parametrize("name", MAKERS)
def test_prompts_are_those_that_are_sampled_from(name, asked):
    """Though the processor gets one picture of each size."""
    _, processor = MAKERS[name]()
    processor.tokenizer.padding_side = "left"
    encoded = chat.encode(processor, asked["image"], asked["prompt"])
    rows = zip(encoded["input_ids"], encoded["attention_mask"].bool(), strict=True)
    assert collating.prompt_ids(processor, asked) == [ids[real].tolist() for ids, real in rows]


@pytest.mark.parametrize("name", ["idefics3", "llava_next"])
def test_several_questions_about_a_picture_are_read_as_each_alone(name, asked, smoke):
    """Log-probabilities and gradients, to rounding."""
    policy, processor = policy_of(name, smoke)
    collator = packing.PackingCollator(ca_dpo.items(processor, asked), asked, processor)
    packing.check_packing(policy, collator)
    rows, ours, gradient = scored(policy, processor, asked, packing.PackingCollator)
    rows_alone, alone, gradient_alone = scored(policy, processor, asked, packing.RowCollator)
    assert (rows, rows_alone) == (2, 14)
    assert torch.allclose(ours, alone, rtol=1e-5, atol=1e-5)
    assert (gradient - gradient_alone).norm() < 1e-5 * gradient_alone.norm()


def test_a_family_that_reads_no_trees_has_a_row_for_each_response(asked, smoke):
    policy, processor = policy_of("qwen2_5_vl", smoke)
    assert not packing.can_pack(policy)
    rows, logps, _ = scored(policy, processor, asked, packing.RowCollator)
    assert rows == 14
    assert (logps != 0).sum() == 14
