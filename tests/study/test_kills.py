"""A small part of `tests/kills.py`, which kills at random moments and compares what comes out."""

import shutil
import time

import kills
import pytest

from inbol_lib.study.kernels import serving


@pytest.fixture(scope="module")
def study(tmp_path_factory):
    """A small study that nobody has disturbed, up to its first two stages."""
    place = tmp_path_factory.mktemp("kills").resolve()
    with serving():
        made = kills.Disturbance(place / "whole", seed=1)
        made.make(["confidence"])
        yield made


@pytest.mark.parametrize("two", [False, True], ids=["alone", "two at once"])
def test_a_killed_stage_ends_as_if_nobody_had_disturbed_it(study, tmp_path, two):
    assert study.round("confidence", tmp_path / "runs", 2, two) <= 2


def test_another_number_is_found(study, tmp_path):
    whole = study.folder("confidence", study.whole)
    other = shutil.copytree(whole, tmp_path / "other")
    kills.check_equal(other, whole)
    (other / "metrics.json").write_text("{}")
    with pytest.raises(AssertionError, match="another metrics.json"):
        kills.check_equal(other, whole)
    (other / ".records.parquet.4711").touch()
    with pytest.raises(AssertionError, match="other files"):
        kills.check_equal(other, whole)


def test_what_lives_on_is_found(tmp_path, monkeypatch):
    monkeypatch.setattr(kills, "PATIENCE", 1)
    process = kills.started("tour", tmp_path)
    time.sleep(0.5)
    with pytest.raises(AssertionError, match="still alive"):
        kills.check_nothing_lives(tmp_path)
    assert kills.killed(process, 0.01)
    monkeypatch.setattr(kills, "PATIENCE", 30)
    kills.check_nothing_lives(tmp_path)
