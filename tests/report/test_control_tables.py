"""Eq. 6 without its parts, the natural distribution of confidence, and equal refusals."""

import numpy as np
import pandas as pd
import pytest
from builders import outcome_rows

from inbol_lib.evaluation import selective
from inbol_lib.report.tables import control_tables

IDS = [str(i) for i in range(40)]


def first_right(count, method):
    """Outcomes on IDS: the first `count` questions right, the others wrong."""
    words = ["correct" if i < count else "incorrect" for i in range(len(IDS))]
    return outcome_rows([(i, word, 0.5) for i, word in zip(IDS, words, strict=True)], method)


def test_controls_are_compared_with_ca_dpo_whatever_the_order():
    half, best = first_right(20, "ca_dpo_half"), first_right(30, "ca_dpo")
    base = outcome_rows([(i, "refusal", 0.5) for i in IDS], "ca_dpo_base")
    table = control_tables.controls(pd.concat([half, base, best])).set_index("method")
    assert np.isnan(table["diff"]["ca_dpo"])
    assert table["diff"]["ca_dpo_half"] == pytest.approx(-50)
    assert table["diff"]["ca_dpo_base"] == pytest.approx(-50)


def test_natural_weights_bring_back_a_level_s_own_share():
    sure = [(f"a{i}", "correct", 1.0) for i in range(10)]
    unsure = [(f"b{i}", "incorrect", 0.0) for i in range(10)]
    levels = pd.DataFrame({"level": [0.0, 1.0], "questions": [100, 300]})
    levels = levels.assign(model="micro-s", source="vqav2")
    found = control_tables.natural(outcome_rows(sure + unsure), levels)
    table = found.set_index("distribution")
    assert table.acc.to_dict() == {"balanced": pytest.approx(50), "natural": pytest.approx(75)}
    assert table.s_trust["natural"] == pytest.approx(50)
    assert (table.lo <= table.s_trust).all()
    assert (table.s_trust <= table.hi).all()


def test_natural_weights_count_every_source_alike():
    parts = []
    for source in "xy":
        unsure = [(f"{source}{i}-0.0", "incorrect", 0.0) for i in range(5)]
        sure = [(f"{source}{i}-1.0", "correct", 1.0) for i in range(5)]
        parts.append(outcome_rows(unsure + sure, source=source))
    levels = pd.DataFrame(
        {
            "model": "micro-s",
            "source": ["x", "x", "y", "y"],
            "level": [0.0, 1.0] * 2,
            "questions": [900, 100, 0, 10],
        }
    )
    table = control_tables.natural(pd.concat(parts), levels).set_index("distribution")
    assert table.acc["natural"] == pytest.approx(100 * (0.1 + 1) / 2)


def test_equal_refusals_pair_a_method_with_the_original_that_refuses_as_often():
    words = ["incorrect"] * 10 + ["correct"] * 20
    original = [(i, word, 0.5) for i, word in zip(IDS, [*words, *["correct"] * 10], strict=True)]
    tuned = [(i, word, 0.5) for i, word in zip(IDS, [*words, *["refusal"] * 10], strict=True)]
    both = pd.concat([outcome_rows(original, "original"), outcome_rows(tuned, "idk_it")])
    scores = {score: np.arange(40.0) for score in selective.SCORES}
    knows = pd.DataFrame({"model": "micro-s", "id": IDS, **scores})
    table = control_tables.equal_refusals(both, knows)
    assert table.refr.tolist() == table.refr_score.tolist() == [25.0] * 3
    assert table.s_trust_score.tolist() == [75.0] * 3, "the ten errors are refused"
    assert table["diff"].tolist() == [pytest.approx(-50)] * 3, "right answers lost and errors kept"
