import numpy as np
import pytest
from builders import outcome_table

from inbol_lib.evaluation import risk

SCORED = outcome_table(["correct", "incorrect", "correct", "unjudged"]).assign(
    score=[0.9, 0.8, 0.8, 0.3]
)


def test_risk_and_coverage_as_computed_by_hand():
    curve = risk.risk_coverage(SCORED, "score")
    assert curve.threshold.tolist() == [0.9, 0.8, 0.3]
    assert curve.coverage.tolist() == [0.25, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])
    assert curve.generalised_risk.tolist() == [0, 0.25, 0.5]
    assert risk.aurc(curve) == pytest.approx(0.5 / 3 + 0.25 / 2)
    assert risk.augrc(curve) == pytest.approx(0.5 * 0.25 / 2 + 0.25 * (0.25 + 0.5) / 2)
    reordered = risk.risk_coverage(SCORED.iloc[[3, 2, 1, 0]], "score")
    assert reordered.equals(curve), "ties have no order"


def test_perfect_and_empty_scores_have_the_areas_of_theory():
    words = ["correct"] * 600 + ["incorrect"] * 400
    table = outcome_table(words).assign(perfect=np.arange(1000)[::-1], empty=0.5)
    assert risk.augrc(risk.risk_coverage(table, "perfect")) == pytest.approx(0.4**2 / 2)
    assert risk.augrc(risk.risk_coverage(table, "empty")) == pytest.approx(0.4 / 2)
    assert risk.aurc(risk.risk_coverage(table, "empty")) == pytest.approx(0.4)


def test_what_the_model_refused_itself_is_never_covered():
    refused = SCORED.assign(outcome=["correct", "refusal", "correct", "unjudged"])
    gap = [0.9, np.nan, 0.8, 0.3]
    assert risk.risk_coverage(refused, "score").coverage.tolist() == [0.25, 0.5, 0.75]
    assert len(risk.risk_coverage(refused.assign(score=gap), "score")) == 3
    with pytest.raises(ValueError, match="1 of 4 answers"):
        risk.risk_coverage(SCORED.assign(score=gap), "score")


def test_calibration_error_as_computed_by_hand():
    assert risk.ece([1, 1, 0.5, 0.5], [1, 0, 1, 0]) == pytest.approx(0.25)
    assert risk.ece([0.78, 0.82], [1, 0]) == pytest.approx(0.3), "both lie at the level 0.8"
    assert risk.ece([0.1] * 10, [1] + [0] * 9) == pytest.approx(0)
    for bad in (1.2, np.nan):
        with pytest.raises(ValueError, match="confidence"):
            risk.ece([bad], [1])
