import pytest
import torch
from datasets import Dataset
from transformers import TrainerCallback

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.micro import world
from inbol_lib.mllm import chat, loading
from inbol_lib.training import collating, idk_it, lora


@pytest.fixture(scope="module")
def instructions() -> Dataset:
    rows = world.questions("vqav2", "train", 24)
    meta = rows.remove_columns("image").to_list()
    table = rows.select_columns(["image"]).add_column("prompt", [prompt_text(r) for r in meta])
    return table.add_column(
        "response", [r["answers"][0] if i % 3 else REFUSAL_TEMPLATES[i] for i, r in enumerate(meta)]
    )


def test_only_the_response_and_eos_are_in_the_loss(tiny, instructions):
    _, processor, _ = tiny
    for item, response in zip(
        collating.examples(processor, instructions), instructions["response"], strict=True
    ):
        seen = [t for t in item["labels"] if t != collating.IGNORE]
        assert processor.tokenizer.decode(seen) == f" {response}</s>"
        assert item["input_ids"][0] == processor.tokenizer.bos_token_id
        assert item["input_ids"].count(chat.image_token_id(processor)) == 36
        assert len(item["labels"]) == len(item["input_ids"])


def test_an_item_equals_the_chat_template(tiny, instructions):
    _, processor, _ = tiny
    row = instructions[0]
    turns = [{"role": "user", "content": [{"type": "image"}, {"type": "text", "text": row["prompt"]}]},
             {"role": "assistant", "content": [{"type": "text", "text": row["response"]}]}]  # fmt: skip
    text = processor.apply_chat_template(turns)
    ids = processor(images=[row["image"]], text=[text], add_special_tokens=False)["input_ids"][0]
    assert collating.examples(processor, instructions.select([0]))[0]["input_ids"] == list(ids)


def test_a_batch_is_padded_outside_the_loss_and_holds_the_processor_s_pixels(tiny, instructions):
    _, processor, _ = tiny
    items = collating.examples(processor, instructions)
    batch = collating.Collator(items, instructions, processor)([{"image": i} for i in (5, 0, 3)])
    for row, i in enumerate((5, 0, 3)):
        n = len(items[i]["input_ids"])
        assert batch["input_ids"][row, :n].tolist() == items[i]["input_ids"]
        assert batch["attention_mask"][row].sum() == n
        assert (batch["labels"][row, n:] == collating.IGNORE).all()
        alone = chat.encode(processor, [instructions[i]["image"]], [instructions[i]["prompt"]])[
            "pixel_values"
        ][0]
        assert torch.equal(batch["pixel_values"][row], alone)


def test_bad_instructions_are_refused_before_training(tiny, instructions):
    _, processor, _ = tiny
    empty = instructions.remove_columns("response").add_column("response", [" "] + ["red"] * 23)
    with pytest.raises(ValueError, match="1 instructions have no response"):
        collating.examples(processor, empty)
    with pytest.raises(ValueError, match="no rows"):
        collating.examples(processor, instructions.select([]))


def test_the_first_loss_is_the_mean_over_response_tokens(tiny, instructions, tmp_path, smoke):
    model, processor, folder = tiny
    total, count = 0.0, 0
    for item, row in zip(collating.examples(processor, instructions), instructions, strict=True):
        image = chat.encode(processor, [row["image"]], [row["prompt"]])["pixel_values"]
        with torch.no_grad():
            logps = torch.log_softmax(
                model(input_ids=torch.tensor([item["input_ids"]]), pixel_values=image).logits[
                    0, :-1
                ],
                -1,
            )
        seen = torch.tensor(item["labels"][1:])
        total -= (
            logps[seen != collating.IGNORE]
            .gather(1, seen[seen != collating.IGNORE][:, None])
            .sum()
            .item()
        )
        count += (seen != collating.IGNORE).sum().item()
    p = smoke.replace(batch_size=24, learning_rate=0.01)
    history = idk_it.train(
        p, loading.load(str(folder), device="cpu")[0], processor, instructions, tmp_path
    )
    assert history.loss[0] == pytest.approx(total / count, rel=1e-4)


class Kill(TrainerCallback):
    """Keeps a checkpoint at step 5 and dies at step 7."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 7:
            raise KeyboardInterrupt
        control.should_save = state.global_step == 5
        return control


class Count(TrainerCallback):
    """Counts the steps that are really made."""

    steps = 0

    def on_step_end(self, args, state, control, **kwargs):
        self.steps += 1


def test_a_killed_training_resumes_to_the_same_end(tiny, instructions, tmp_path, smoke, capsys):
    p = smoke.replace(batch_size=2, learning_rate=0.01, lora_dropout=0.1)
    whole, expected = tuned(tiny, instructions, tmp_path / "whole", p)
    model, processor = loading.load(str(tiny[2]), device="cpu")
    with pytest.raises(KeyboardInterrupt):
        idk_it.train(p, model, processor, instructions, tmp_path / "killed", callbacks=[Kill()])
    assert not (tmp_path / "killed" / "adapter").exists()
    (
        tmp_path / "killed" / "partial" / "checkpoints" / "checkpoint-6"
    ).mkdir()  # as a kill during saving leaves it
    count = Count()
    resumed, got = tuned(tiny, instructions, tmp_path / "killed", p, [count])
    assert count.steps == 7  # twelve, less the five that were kept
    assert "resumes from checkpoint-5" in capsys.readouterr().err
    assert len(whole) == 3
    assert resumed.equals(whole)
    assert all(
        torch.equal(a, b) for a, b in zip(expected.parameters(), got.parameters(), strict=True)
    )
    assert (tmp_path / "killed" / "adapter" / "adapter_model.safetensors").is_file()


def test_no_checkpoint_of_a_kill_during_saving_is_taken(tmp_path):
    for step, files in (
        (9, ["trainer_state.json"]),
        (10, ["trainer_state.json"]),
        (11, ["adapter_model.safetensors"]),
    ):
        (tmp_path / f"checkpoint-{step}").mkdir()
        for name in files:
            (tmp_path / f"checkpoint-{step}" / name).touch()
    assert lora.last_checkpoint(tmp_path).name == "checkpoint-10"
    assert lora.last_checkpoint(tmp_path / "nothing") is None


def tuned(tiny, instructions, folder, p, callbacks=None):
    model, processor = loading.load(str(tiny[2]), device="cpu")
    history = idk_it.train(p, model, processor, instructions, folder, callbacks)
    adapted, _ = loading.load(str(tiny[2]), folder / "adapter", device="cpu")
    return history, adapted


def test_training_is_reproducible_and_leaves_vision_alone(tiny, instructions, tmp_path, smoke):
    p = smoke.replace(batch_size=8, learning_rate=0.01)
    runs = [tuned(tiny, instructions, tmp_path / name, p) for name in ("a", "b")]
    assert runs[0][0].loss.tolist() == runs[1][0].loss.tolist()
    before, (first, second) = (
        dict(tiny[0].named_parameters()),
        [dict(m.named_parameters()) for _, m in runs],
    )
    changed = {n for n in before if not torch.equal(before[n], first[n])}
    assert changed
    assert all("language_model" in n for n in changed)
    assert all(torch.equal(first[n], second[n]) for n in before)
