import math

import pytest

from inbol_lib.confidence import classify, confidence, standard_records
from inbol_lib.micro import world
from inbol_lib.templates import REFUSAL_TEMPLATES


def test_confidence_is_the_share_of_right_ones_among_the_judged():
    assert confidence(["correct", "incorrect", "refusal", "correct"]) == 0.5
    assert confidence(["correct", "unjudged"]) == 1.0
    assert math.isnan(confidence(["unjudged"]))


@pytest.mark.parametrize(("value", "kind"), [(8 / 10, "known"), (0.1 * 8, "known"), (0.2, "unknown"), (0.1 + 0.1, "unknown"),
                                             (0.3, "mixed"), (0.7, "mixed"), (1.0, "known"), (0.0, "unknown"),
                                             (float("nan"), "unjudged")])  # fmt: skip
def test_thresholds_are_inclusive_in_spite_of_rounding(value, kind):
    assert classify(value, 0.8, 0.2) == kind


def test_standard_records_hold_one_of_each_and_depend_on_the_id_alone():
    questions = world.questions("vqav2", "train", 4)
    said, found = [["red", "blue", "red"]] * 4, [["correct", "incorrect", "unjudged"]] * 4
    records = standard_records(questions, said, found, seed=1)
    row = records[2]
    assert (row["correct"], row["incorrect"], row["confidence"]) == ("red", "blue", 0.5)
    assert row["refusal"] in REFUSAL_TEMPLATES
    again = standard_records(questions.select([2]), said[:1], found[:1], seed=1)[0]
    assert again["refusal"] == row["refusal"]
