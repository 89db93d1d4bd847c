import pytest
import torch

from inbol_lib.mllm import chat
from inbol_lib.training import collating


def test_only_the_response_and_eos_are_in_the_loss(tiny, instructions):
    _, processor, _ = tiny
    items = collating.examples(processor, instructions)
    for item, response in zip(items, instructions["response"], strict=True):
        seen = [token for token in item["labels"] if token != collating.IGNORE]
        assert processor.tokenizer.decode(seen) == f" {response}</s>"
        assert item["input_ids"][0] == processor.tokenizer.bos_token_id
        assert item["input_ids"].count(chat.image_token_id(processor)) == 36
        assert len(item["labels"]) == len(item["input_ids"])


def test_prompts_are_those_that_are_sampled_from(tiny, instructions):
    _, processor, _ = tiny
    encoded = chat.encode(processor, instructions["image"], instructions["prompt"])
    rows = zip(encoded["input_ids"], encoded["attention_mask"].bool(), strict=True)
    assert collating.prompt_ids(processor, instructions, batch=5) == [
        ids[real].tolist() for ids, real in rows
    ]


def test_an_item_equals_the_chat_template(tiny, instructions):
    _, processor, _ = tiny
    row = instructions[0]
    question = [{"type": "image"}, {"type": "text", "text": row["prompt"]}]
    answer = [{"type": "text", "text": row["response"]}]
    turns = [{"role": "user", "content": question}, {"role": "assistant", "content": answer}]
    text = processor.apply_chat_template(turns)
    ids = processor(images=[row["image"]], text=[text], add_special_tokens=False)["input_ids"][0]
    assert collating.examples(processor, instructions.select([0]))[0]["input_ids"] == list(ids)


def test_a_batch_is_padded_outside_the_loss_and_holds_the_processor_s_pixels(tiny, instructions):
    _, processor, _ = tiny
    items = collating.examples(processor, instructions)
    collator = collating.Collator(items, instructions, processor)
    batch = collator([{"image": number} for number in (5, 0, 3)])
    for place, number in enumerate((5, 0, 3)):
        row, n = instructions[number], len(items[number]["input_ids"])
        assert batch["input_ids"][place, :n].tolist() == items[number]["input_ids"]
        assert batch["attention_mask"][place].sum() == n
        assert (batch["labels"][place, n:] == collating.IGNORE).all()
        alone = chat.encode(processor, [row["image"]], [row["prompt"]])
        assert torch.equal(batch["pixel_values"][place], alone["pixel_values"][0])


def test_bad_instructions_are_refused_before_training(tiny, instructions):
    _, processor, _ = tiny
    empty = instructions.remove_columns("response").add_column("response", [" "] + ["red"] * 23)
    with pytest.raises(ValueError, match="1 instructions have no response"):
        collating.examples(processor, empty)
    with pytest.raises(ValueError, match="no rows"):
        collating.examples(processor, instructions.select([]))
