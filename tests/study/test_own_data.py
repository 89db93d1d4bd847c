"""Before a run on a folder of one's own: what it will do, how long it takes, what it lacks."""

import re

import pytest
from builders import picture_folder, question_folder

from inbol_lib import params
from inbol_lib.study import running
from inbol_lib.study.forecast import measuring, own_data
from inbol_lib.study.forecast.measuring import Pace


def of(folder, **changes):
    mine = {"unanswerable_generator": "micro-s", **changes}
    return params.load("smoke", dataset=f"folder:{folder}", **mine)


def test_three_questions_are_refused_before_anything_starts(tmp_path, runs, capsys):
    question_folder(tmp_path)
    words = ["-p", f"dataset=folder:{tmp_path}", "-p", "unanswerable_generator=micro-s"]
    assert running.main(["04", *words]) == 2
    (line,) = capsys.readouterr().err.splitlines()
    assert "train and validation and test have one picture only" in line
    assert "set swap_share to 0" in line
    assert not runs.exists()
    running.check_dataset("confidence", of(tmp_path))  # which swaps nothing
    running.check_dataset("idk_it", of(tmp_path, swap_share=0.0))


def test_the_plan_of_a_small_folder_measures_nothing(tmp_path, runs, monkeypatch):
    question_folder(tmp_path, pictures=3)
    monkeypatch.setattr(measuring, "pace", lambda _: pytest.fail("measured"))
    first, second = own_data.plan("idk_it", of(tmp_path, train_questions=2))
    assert "2 of 3 train, 3 validation (asked for: 60), 3 test (asked for: 60)" in first
    assert "questions on 9 pictures, 5 answers each" in first
    assert second.startswith("to make: 01_confidence_estimation, 02_unanswerable_generation, 03_")


def test_many_questions_are_forecast_from_the_first_fifty(tmp_path, runs):
    """A real measurement, of a real model in a process of its own."""
    picture_folder(tmp_path, {"train": 120, "validation": 50, "test": 50})
    lines = list(own_data.plan("evaluation", of(tmp_path)))
    assert lines[2] == "measuring how long the first 50 questions take:"
    stages = [line.split()[0] for line in lines[3:-1]]
    assert stages == ["01", "02", "03", "04", "05", "06"]
    assert re.search(r"at most about +(< 1|\d+) min  \(50 questions took [\d.]+ s\)", lines[-1])


def test_a_stage_takes_as_long_as_its_questions_at_the_measured_pace(smoke):
    p = smoke.replace(
        dataset="folder:x",
        unanswerable_generator="micro-s",
        train_questions=1000,
        validation_questions=100,
        test_questions=100,
    )
    pace = Pace(questions=50, seconds=10.0, start=4.0)
    assert own_data.seconds("confidence", p, pace) == pytest.approx(4 + 10 * 1200 / 50)
    assert own_data.seconds("composition", p, pace) == 4
    twice = p.replace(num_instructions=2 * p.num_instructions)
    short, long = (own_data.seconds("idk_it", one, pace) - 4 for one in (p, twice))
    assert long == pytest.approx(2 * short)


def test_a_model_that_cannot_be_loaded_is_left_to_the_run(tmp_path, runs):
    picture_folder(tmp_path, {"train": 200, "validation": 2, "test": 2})
    *_, last = own_data.plan(
        "confidence", of(tmp_path, model="/no/such/model", train_questions=200)
    )
    assert last == "  that failed; the run itself will say why"
