import numpy as np
import pandas as pd
import pytest
from builders import outcome_table

from inbol_lib.evaluation import intervals, metrics

WORDS = ["correct"] * 5 + ["refusal"] * 2 + ["incorrect"] * 2 + ["unjudged"]


def test_known_outcomes_give_known_metrics():
    row = metrics.summary(outcome_table(WORDS), ["method"]).iloc[0]
    assert (row.acc, row.refr, row.answered_acc, row.n, row.unjudged) == (0.5, 0.2, 0.625, 10, 1)
    assert row.s_trust == pytest.approx(2 * 0.5 + 0.2 - 1)
    assert metrics.phi(5, 2, 10, 1) == pytest.approx(metrics.s_trust(5, 2, 10))
    assert metrics.phi(5, 2, 10, 3) == pytest.approx((5 - 9) / 10)


def test_refusing_everything_has_no_answered_accuracy():
    assert np.isnan(metrics.summary(outcome_table(["refusal"] * 3), ["method"]).answered_acc[0])


def test_order_of_items_changes_nothing():
    table = outcome_table(WORDS)
    shuffled = table.sample(frac=1, random_state=1)
    assert metrics.summary(table, ["method"]).equals(metrics.summary(shuffled, ["method"]))
    assert intervals.interval(table) == intervals.interval(shuffled)


def test_an_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="allowed"):
        metrics.counts(outcome_table(["good"]))


def test_circular_scoring_takes_the_worst_rotation():
    words = ["correct", "correct", "correct", "refusal", "incorrect", "refusal"]
    table = outcome_table(words, "mmbench")
    assert metrics.circular(table).outcome.tolist() == ["correct", "refusal", "incorrect"]
    assert metrics.vanilla(table).outcome.tolist() == ["correct", "correct", "incorrect"]


def totals(correct, refusal, n=100):
    return {"correct": correct, "refusal": refusal, "n": n}


def test_methods_cross_at_the_cost_where_both_are_worth_the_same():
    bold, cautious = totals(50, 0), totals(40, 40)
    cost = metrics.crossover(bold, cautious)
    assert cost == pytest.approx(10 / 30)
    assert metrics.phi(**bold, cost=cost) == pytest.approx(metrics.phi(**cautious, cost=cost))
    assert metrics.phi(**bold, cost=cost + 0.1) < metrics.phi(**cautious, cost=cost + 0.1)
    more_right_and_fewer_wrong, fewer_right_and_more_wrong = totals(60, 10), totals(40, 0)
    assert metrics.crossover(bold, more_right_and_fewer_wrong) == 0, "better at every cost"
    assert metrics.crossover(bold, fewer_right_and_more_wrong) == np.inf, "never better"
    assert metrics.crossover(bold, bold) == 0


def test_refusing_the_unanswerable_is_best_at_every_cost():
    assert metrics.phi(**totals(0, 100), cost=5) == 0 > metrics.phi(**totals(0, 99), cost=0.1)


def test_refusals_are_split_into_answers_lost_and_errors_averted():
    base = outcome_table(["correct", "correct", "incorrect", "incorrect", "refusal", "unjudged"])
    base["confidence"] = [1.0, 0.5, 0.5, 0.2, 0.0, np.nan]
    words = ["refusal", "correct", "refusal", "refusal", "refusal", "incorrect"]
    after = base.assign(method="idk_it", outcome=words)
    rows = metrics.against(pd.concat([base, after]))
    assert rows.kind.tolist() == ["known", "mixed", "mixed", "unknown", "unknown", "not estimated"]
    lost, averted, before = "answer lost", "error averted", "refused before"
    assert rows.effect.tolist() == [lost, lost, averted, averted, before, averted]
    with pytest.raises(ValueError, match="1 of 6"):
        metrics.against(pd.concat([base[1:], after]))
