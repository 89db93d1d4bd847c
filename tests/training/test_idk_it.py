import pytest
import torch

from inbol_lib.mllm import chat, loading
from inbol_lib.training import collating, idk_it


def tuned(tiny, instructions, folder, p, callbacks=None):
    """The history of a training of the tiny model, and the model loaded with the saved adapter."""
    model, processor = loading.load(str(tiny[2]), device="cpu")
    history = idk_it.train(p, model, processor, instructions, folder, callbacks)
    adapted, _ = loading.load(str(tiny[2]), folder / "adapter", device="cpu")
    return history, adapted


def logps_in_the_loss(model, processor, item, row):
    """The log-probabilities of the tokens of an item that are in the loss."""
    image = chat.encode(processor, [row["image"]], [row["prompt"]])["pixel_values"]
    with torch.no_grad():
        logits = model(input_ids=torch.tensor([item["input_ids"]]), pixel_values=image).logits
    labels = torch.tensor(item["labels"][1:])
    seen = labels != collating.IGNORE
    logps = torch.log_softmax(logits[0, :-1], -1)[seen]
    return logps.gather(1, labels[seen][:, None])


def test_the_first_loss_is_the_mean_over_response_tokens(tiny, instructions, tmp_path, smoke):
    model, processor, folder = tiny
    total, count = 0.0, 0
    for item, row in zip(collating.examples(processor, instructions), instructions, strict=True):
        logps = logps_in_the_loss(model, processor, item, row)
        total -= logps.sum().item()
        count += len(logps)
    p = smoke.replace(batch_size=24, learning_rate=0.01)
    fresh, _ = loading.load(str(folder), device="cpu")
    history = idk_it.train(p, fresh, processor, instructions, tmp_path)
    assert history.loss[0] == pytest.approx(total / count, rel=1e-4)


def test_a_killed_training_resumes_to_the_same_end(
    tiny, instructions, tmp_path, smoke, capsys, kill, count
):
    p = smoke.replace(batch_size=2, learning_rate=0.01, lora_dropout=0.1)
    whole, expected = tuned(tiny, instructions, tmp_path / "whole", p)
    model, processor = loading.load(str(tiny[2]), device="cpu")
    killed = tmp_path / "killed"
    with pytest.raises(KeyboardInterrupt):
        idk_it.train(p, model, processor, instructions, killed, callbacks=[kill])
    assert not (killed / "adapter").exists()
    # As a kill during saving leaves it:
    (killed / "partial" / "checkpoints" / "checkpoint-6").mkdir()
    resumed, got = tuned(tiny, instructions, killed, p, [count])
    assert count.steps == 7  # twelve, less the five that were kept
    assert "resumes from checkpoint-5" in capsys.readouterr().err
    assert len(whole) == 3
    assert resumed.equals(whole)
    pairs = zip(expected.parameters(), got.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
    assert (killed / "adapter" / "adapter_model.safetensors").is_file()


def test_training_is_reproducible_and_leaves_vision_alone(tiny, instructions, tmp_path, smoke):
    p = smoke.replace(batch_size=8, learning_rate=0.01)
    first_history, first = tuned(tiny, instructions, tmp_path / "first", p)
    second_history, second = tuned(tiny, instructions, tmp_path / "second", p)
    assert first_history.loss.tolist() == second_history.loss.tolist()
    before, one, two = (dict(model.named_parameters()) for model in (tiny[0], first, second))
    changed = {name for name in before if not torch.equal(before[name], one[name])}
    assert changed
    assert all("language_model" in name for name in changed)
    assert all(torch.equal(one[name], two[name]) for name in before)
