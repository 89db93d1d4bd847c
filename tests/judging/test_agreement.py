"""Cohen's kappa and its interval, the micro world's own truth, and the table of disagreements."""

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import cohen_kappa_score

from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.judging import agreement
from inbol_lib.micro import world
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.instructions import OWN_WORDS
from inbol_lib.micro.world.randomness import rng_of


def pair(cells):
    """Two judgings with these counts: cells[(word, other word)]."""
    both = [words for words, n in cells.items() for _ in range(n)]
    return [a for a, _ in both], [b for _, b in both]


def test_a_value_known_by_hand():
    found = agreement.kappa(*pair({("y", "y"): 20, ("y", "n"): 5, ("n", "y"): 10, ("n", "n"): 15}))
    assert (found["n"], found["agreement"]) == (50, 0.7)
    assert found["kappa"] == pytest.approx(0.4), "agreement 0.7, chance 0.5"
    assert found["lo"] < 0.4 < found["hi"]


def test_kappa_is_scikit_learn_s_and_symmetric():
    rng = np.random.default_rng(0)
    for words in (2, 3, 4):
        a = rng.integers(0, words, 300)
        b = np.where(rng.random(300) < 0.7, a, rng.integers(0, words, 300))
        assert agreement.kappa(a, b)["kappa"] == pytest.approx(cohen_kappa_score(a, b))
        assert agreement.kappa(a, b) == pytest.approx(agreement.kappa(b, a))


@pytest.mark.parametrize(
    "cells", [[0.5, 0.1, 0.1, 0.3], [0.35, 0.05, 0.02, 0.58], [0.2, 0.2, 0.25, 0.35]]
)
def test_the_interval_is_as_wide_as_resampling_says_and_holds_the_truth_as_often_as_it_claims(
    cells,
):
    rng, names = np.random.default_rng(0), [("y", "y"), ("y", "n"), ("n", "y"), ("n", "n")]
    found = [
        agreement.kappa(*pair(dict(zip(names, draw, strict=True))))
        for draw in rng.multinomial(400, cells, size=300)
    ]
    p = np.reshape(cells, (2, 2))
    true = (np.trace(p) - p.sum(0) @ p.sum(1)) / (1 - p.sum(0) @ p.sum(1))
    width = np.mean([f["hi"] - f["lo"] for f in found])
    assert width == pytest.approx(2 * 1.96 * np.std([f["kappa"] for f in found]), rel=0.12)
    assert 0.90 < np.mean([f["lo"] <= true <= f["hi"] for f in found]) < 0.99


def test_the_ends_of_the_scale():
    a = ["y", "n"] * 100
    perfect = agreement.kappa(a, a)
    assert (perfect["kappa"], perfect["hi"]) == (1, 1)
    assert 0.95 < perfect["lo"] < 0.97, (
        "200 agreements rule out more than 1.8 % disagreement, which is 3.7 points of kappa here"
    )
    assert agreement.kappa(a, a[::-1])["kappa"] == pytest.approx(-1)
    assert abs(agreement.kappa(a, ["y"] * 200)["kappa"]) < 1e-9
    assert np.isnan(agreement.kappa(["y"] * 5, ["y"] * 5)["kappa"])
    for wrong in (([], []), (["y"], ["y", "n"])):
        with pytest.raises(ValueError, match="same items"):
            agreement.kappa(*wrong)


@pytest.mark.parametrize(
    ("response", "truth"),
    [
        ("gray", "correct"),
        ("Grey.", "correct"),
        ("grey or blue", "incorrect"),
        ("It is gray", "incorrect"),
        ("blue", "incorrect"),
        ("", "incorrect"),
        *((template, "refusal") for template in REFUSAL_TEMPLATES[:3]),
        *((sentence, "refusal") for sentence in OWN_WORDS),
    ],
)
def test_the_world_s_truth_is_by_equality(response, truth):
    assert (
        agreement.world_truth(
            {"response": response, "answers": ["gray"], "choices": [], "accepted": ["gray", "grey"]}
        )
        == truth
    )


def test_the_world_s_truth_about_options():
    row = {"answers": ["gray"], "choices": ["blue", "gray"], "accepted": ["gray", "grey"]}
    assert [
        agreement.world_truth(row | {"response": said}) for said in ("B", "b.", "grey", "A")
    ] == ["correct"] * 3 + ["incorrect"]
    assert (
        agreement.world_truth({"answers": [], "choices": [], "accepted": [], "response": "red"})
        == "incorrect"
    )


@pytest.fixture(scope="module")
def records():
    """Questions with three spoken responses each.

    The right answer, somebody else's and a refusal, or other words for them.
    """
    rows = [
        r
        for r in world.questions("vqav2", "validation", 150).remove_columns("image").to_list()
        if not r["choices"]
    ]
    others = [rows[(7 * i) % len(rows)]["answers"][0] for i in range(len(rows))]
    said = [
        [grammar.speak(row["answers"][0], rng_of("said", i), 0.5), other, REFUSAL_TEMPLATES[i % 24]]
        for i, (row, other) in enumerate(zip(rows, others, strict=True))
    ]
    return pd.DataFrame(rows).assign(responses=said, verdicts=[["incorrect"] * 3] * len(rows))


def test_the_sample_is_of_questions_and_the_same_for_the_same_seed(records):
    rows = agreement.sample(records, 100, 1)
    assert len(rows) == rows.id.nunique() == 100
    assert rows.equals(agreement.sample(records, 100, 1))
    assert not rows.equals(agreement.sample(records, 100, 2))
    assert len(agreement.sample(records, 10**6)) == records.id.nunique()
    said = records.set_index("id").responses
    assert all(r.response in said[r.id] for r in rows.itertuples())


def test_the_hybrid_evaluator_agrees_better_with_the_truth_and_the_differences_are_listed(records):
    judges = ["string", "micro-judge"]
    table = agreement.judged(agreement.sample(records, 120, 0), judges)
    found = agreement.audit(table, judges).set_index("judge")
    assert set(table.truth) == {"correct", "refusal", "incorrect"}
    assert found.kappa["micro-judge"] > found.kappa["string"] > 0.5
    assert ((found.lo <= found.kappa) & (found.kappa <= found.hi)).all()
    for name in judges:
        listed = agreement.disagreements(table, name)
        assert len(listed) == round((1 - found.agreement[name]) * 120)
        assert (listed.truth != listed[name]).all()
    assert len(agreement.disagreements(table, "string"))


def test_what_a_judge_leaves_unjudged_is_counted_and_never_agrees():
    table = pd.DataFrame(
        {
            "truth": ["correct", "incorrect"] * 10,
            "poor": ["correct", "unjudged"] * 10,
            "response": "x",
        }
    )
    line = agreement.audit(table, ["poor"]).iloc[0]
    assert (line.unjudged, line.agreement) == (10, 0.5)
    assert len(agreement.disagreements(table, "poor")) == 10


def test_rules_tell_refusals_of_real_models_as_people_do():
    found = agreement.audit_declining().set_index("reader")
    assert found.kappa["rules"] >= found.kappa["a second person"] > 0.9
    assert found.n.tolist() == [420, 420]


def test_a_judge_of_three_verdicts_is_asked_where_the_rules_are_unsure(monkeypatch):
    asked = []

    def verdicts(triples, judge):
        asked.extend(triples)
        return dict.fromkeys(triples, "refusal")

    monkeypatch.setattr(agreement.hybrid, "llm_verdicts", verdicts)
    found = agreement.audit_declining("endpoint:any").set_index("reader")
    assert 0 < len(asked) < 420
    assert found.false["rules and endpoint:any"] > found.false["rules"]
