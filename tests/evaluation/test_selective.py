import numpy as np
import pytest
from builders import outcome_table, scored_outcomes

from inbol_lib.evaluation import metrics, selective


def validation_outcomes():
    return scored_outcomes(selective.SCORES)


def test_self_consistency_counts_samples_that_say_the_same():
    assert selective.self_consistency("The cat.", ["cat", "a cat", "CAT!", "dog"]) == 0.75


def test_the_threshold_is_the_best_of_all():
    table, score = validation_outcomes(), selective.SCORES[0]
    for cost in (0.2, 1.0, 4.0):
        gains = {}
        for least in (*np.unique(table[score]), np.inf):
            row = metrics.counts(selective.refuse_below(table, score, least)).sum()
            gains[least] = metrics.phi(row.correct, row.refusal, row.n, cost)
        assert selective.threshold(table, score, cost) == max(sorted(gains), key=gains.get)


def test_a_model_that_is_never_right_should_refuse_everything():
    table = validation_outcomes().assign(outcome="incorrect")
    assert selective.threshold(table, "p_true") == np.inf
    assert set(selective.refuse_below(table, "p_true", np.inf).outcome) == {"refusal"}


def test_test_outcomes_choose_no_threshold():
    with pytest.raises(ValueError, match="never on the test split"):
        selective.threshold(validation_outcomes().assign(split="test"), "p_true")


def test_only_answers_below_the_threshold_change():
    table = validation_outcomes()
    after = selective.refuse_below(table, "p_true", 0.5)
    assert set(after.method) == {"p_true"}
    assert (after.outcome[table.p_true < 0.5] == "refusal").all()
    assert after.outcome[table.p_true >= 0.5].equals(table.outcome[table.p_true >= 0.5])
    with pytest.raises(ValueError, match="no p_true"):
        selective.refuse_below(table.assign(p_true=np.nan), "p_true", 0.5)


def test_the_least_sure_answers_are_refused_until_the_share_is_reached():
    words = ["refusal"] + ["correct"] * 9
    sure = [0.0, 9, 1, 8, 2, 7, 3, 6, 3, 5]
    table = outcome_table(words).assign(id=[str(i) for i in range(10)], sure=sure)
    refused = selective.refuse_share(table, "sure", 0.4)
    refused_ids = refused.id[refused.outcome == "refusal"].tolist()
    assert refused_ids == ["0", "2", "4", "6"], "of the two with 3 the first id"
    unchanged = selective.refuse_share(table, "sure", 0.05)
    assert (unchanged.outcome == table.outcome).all(), "its own refusals stay"
