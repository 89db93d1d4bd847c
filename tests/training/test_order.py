"""Rows in the order of their pictures."""

from collections import Counter
from itertools import groupby

import pytest
import torch

from inbol_lib.training import idk_it
from inbol_lib.training.steps import PictureOrder

KEYS = list("abcabcabad")


def epochs(seed, count=4):
    order = PictureOrder(KEYS, seed)
    made = []
    for epoch in range(count):
        order.set_epoch(epoch)
        made.append(list(order))
    return made


def test_every_row_comes_once_and_next_to_those_of_its_picture():
    for rows in epochs(seed=0):
        assert sorted(rows) == list(range(len(KEYS)))
        assert Counter(key for key, _ in groupby(KEYS[row] for row in rows)) == Counter("abcd")


def test_the_order_follows_from_seed_and_epoch_alone():
    assert epochs(seed=0) == epochs(seed=0)
    assert epochs(seed=0) != epochs(seed=1)
    assert len({tuple(rows) for rows in epochs(seed=0)}) > 1
    later = PictureOrder(KEYS, 0)
    later.set_epoch(3)
    assert list(later) == epochs(seed=0)[3]


def test_a_killed_training_in_this_order_resumes_to_the_same_end(
    adapted, preferences, tmp_path, smoke, kill, count
):
    """Bit for bit, in the middle of the second epoch."""
    p = smoke.replace(batch_size=3, dpo_learning_rate=0.01, epochs=2.5, shuffle="pictures")
    whole, expected = adapted.trained(preferences, tmp_path / "whole", p)
    with pytest.raises(KeyboardInterrupt):
        adapted.trained(preferences, tmp_path / "killed", p, [kill])
    resumed, got = adapted.trained(preferences, tmp_path / "killed", p, [count])
    assert count.steps == 5  # ten, less the five that were kept
    assert resumed.equals(whole)
    pairs = zip(expected.parameters(), got.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)


def test_the_order_is_that_of_the_pictures(adapted, instructions, tmp_path, smoke, monkeypatch):
    """IDK-IT draws its batches in it, and by default does not."""
    drawn, read = [], idk_it.InstructionTrainer.training_step

    def watching(self, model, inputs, num_items_in_batch=None):
        drawn.append([key for part in inputs["parts"] for key in part["pictures"]])
        return read(self, model, inputs, num_items_in_batch)

    monkeypatch.setattr(idk_it.InstructionTrainer, "training_step", watching)
    rows = {}
    for shuffle in ("questions", "pictures"):
        p = smoke.replace(batch_size=4, learning_rate=0.001, shuffle=shuffle)
        drawn.clear()
        idk_it.train(p, adapted.fresh(), adapted.processor, instructions, tmp_path / shuffle)
        rows[shuffle] = sum(map(len, drawn))
    assert rows["pictures"] < rows["questions"] <= len(instructions)
