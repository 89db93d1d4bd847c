"""A loss that is no number stops a training, says of which batch it is, and keeps that batch."""

import math

import pytest
import torch
from transformers import TrainerCallback

from inbol_lib.data.records import load_table
from inbol_lib.mllm import loading
from inbol_lib.training import idk_it


class Spoil(TrainerCallback):
    """Puts a value into a trained weight at the end of a step."""

    def __init__(self, value, step):
        self.value, self.step = value, step

    def on_step_end(self, args, state, control, model, **kwargs):
        if state.global_step == self.step:
            weight = next(each for each in model.parameters() if each.requires_grad)
            with torch.no_grad():
                weight.fill_(self.value)


def test_ca_dpo_stops_and_keeps_the_batch(adapted, preferences, tmp_path, smoke):
    p = smoke.replace(batch_size=4, epochs=2.0)
    rows = preferences.add_column("id", [f"q{number}" for number in range(len(preferences))])
    with pytest.raises(FloatingPointError, match="loss of step 3 is nan") as stopped:
        adapted.trained(rows, tmp_path / "dpo", p, [Spoil(math.nan, 2)])
    kept = load_table(tmp_path / "dpo" / "partial" / "stopped-at-3.parquet")
    assert len(kept) == 4
    assert ", ".join(kept["id"]) in str(stopped.value)
    by_id = {row["id"]: row for row in rows}
    for row in kept:
        assert row["prompt"] == by_id[row["id"]]["prompt"]
        assert row["image"].tobytes() == by_id[row["id"]]["image"].tobytes()
    assert not (tmp_path / "dpo" / "adapter").exists()


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_idk_it_stops_too(tiny, instructions, tmp_path, smoke, value):
    model, processor = loading.load(str(tiny[2]), device="cpu")
    with pytest.raises(FloatingPointError, match="the loss of step 2 is"):
        idk_it.train(smoke, model, processor, instructions, tmp_path, [Spoil(value, 1)])
    assert len(load_table(tmp_path / "partial" / "stopped-at-2.parquet")) == 8


def test_weights_spoilt_by_the_last_step_are_not_saved(tiny, instructions, tmp_path, smoke):
    model, processor = loading.load(str(tiny[2]), device="cpu")
    p = smoke.replace(batch_size=24)
    with pytest.raises(FloatingPointError, match="no numbers"):
        idk_it.train(p, model, processor, instructions, tmp_path, [Spoil(math.nan, 1)])
    assert not (tmp_path / "adapter").exists()
