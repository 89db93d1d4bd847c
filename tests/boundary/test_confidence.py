import math

import pytest

from inbol_lib.boundary import classes, confidence
from inbol_lib.boundary.classes import classify
from inbol_lib.boundary.confidence import standard_records
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.micro import world


def test_confidence_is_the_share_of_right_ones_among_the_judged():
    assert classes.confidence(["correct", "incorrect", "refusal", "correct"]) == 0.5
    assert classes.confidence(["correct", "unjudged"]) == 1.0
    assert math.isnan(classes.confidence(["unjudged"]))


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        (8 / 10, "known"),
        (0.1 * 8, "known"),
        (0.2, "unknown"),
        (0.1 + 0.1, "unknown"),
        (0.3, "mixed"),
        (0.7, "mixed"),
        (1.0, "known"),
        (0.0, "unknown"),
        (float("nan"), "unjudged"),
    ],
)
def test_thresholds_are_inclusive_in_spite_of_rounding(value, kind):
    assert classify(value, 0.8, 0.2) == kind


def test_standard_records_hold_one_of_each_and_depend_on_the_id_alone():
    questions = world.questions("vqav2", "train", 4)
    responses = [["red", "blue", "green", "Sorry"]] * 4
    verdicts = [["correct", "incorrect", "unjudged", "refusal"]] * 4
    records = standard_records(questions, responses, verdicts, seed=1)
    assert (set(records["correct"]), set(records["incorrect"])) == ({"red"}, {"blue"})
    assert records["confidence"] == [pytest.approx(1 / 3)] * 4
    row = records[2]
    assert row["refusal"] in REFUSAL_TEMPLATES
    again = standard_records(questions.select([2]), responses[:1], verdicts[:1], seed=1)[0]
    assert again["refusal"] == row["refusal"]


def test_a_killed_estimate_resumes_without_changing_a_record(tiny, smoke, tmp_path, monkeypatch):
    model, processor, _ = tiny
    p = smoke.replace(num_samples=2, judge="string", max_new_tokens=4)
    questions = world.questions("vqav2", "train", 8)
    whole = confidence.estimate(p, model, processor, questions)
    monkeypatch.setattr(confidence, "PART", 3)
    confidence.estimate(p, model, processor, questions, tmp_path)
    parts = sorted(tmp_path.iterdir())
    assert len(parts) == 3
    parts[1].unlink()

    asked = []
    sample = confidence.sample

    def counting_sample(model, processor, images, texts, *settings):
        asked.extend(texts)
        return sample(model, processor, images, texts, *settings)

    monkeypatch.setattr(confidence, "sample", counting_sample)
    resumed = confidence.estimate(p, model, processor, questions, tmp_path)
    assert len(asked) == 3, "only the missing part is sampled again"
    columns = [name for name in whole.column_names if name != "image"]
    assert resumed.select_columns(columns).to_list() == whole.select_columns(columns).to_list()
    assert pixels(resumed) == pixels(whole)


def pixels(table):
    return [image.tobytes() for image in table["image"]]
