"""An edit takes the answer away and nothing else."""

import numpy as np
import pytest

from inbol_lib.micro import world
from inbol_lib.micro.world import grammar, minimal_pairs
from inbol_lib.micro.world.scenes import scene_of


@pytest.fixture(scope="module")
def rows() -> list[dict]:
    return list(minimal_pairs.pairs("test", 40))


def test_both_pictures_get_the_same_question_and_one_has_no_answer(rows):
    for full, empty in zip(rows[::2], rows[1::2], strict=True):
        assert full["group"] == empty["group"]
        assert full["question"] == empty["question"]
        drawn = [scene_of(row["image_id"]) for row in (full, empty)]
        assert grammar.truth(drawn[0], full["question"]) == full["accepted"]
        assert world.is_answerable(drawn[1], empty["question"]) is False
        assert empty["answers"] == []


def test_every_edit_has_its_share(rows):
    sources = [row["source"] for row in rows[::2]]
    assert {sources.count(f"pairs_{edit}") for edit in minimal_pairs.EDITS} == {10}


def test_an_edit_changes_the_picture_around_one_place_alone(rows):
    for full, empty in zip(rows[::2], rows[1::2], strict=True):
        pictures = [np.asarray(row["image"], float) for row in (full, empty)]
        if scene_of(full["image_id"]).trouble in ("blurred", "faint", "dim"):
            continue  # these depend on the picture as a whole
        changed = np.abs(pictures[0] - pictures[1]).max(-1) > 3
        assert changed.any()
        ys, xs = np.nonzero(changed)
        assert np.ptp(ys) <= 40
        assert np.ptp(xs) <= 40


def test_the_same_arguments_give_the_same_pairs_and_splits_share_none(rows):
    again = minimal_pairs.pairs("test", 6)
    assert again["image_id"] == [row["image_id"] for row in rows[:12]]
    other = minimal_pairs.pairs("train", 6)["image_id"]
    assert not set(other) & {row["image_id"] for row in rows}
