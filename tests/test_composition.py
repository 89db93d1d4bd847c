import numpy as np
import pytest
from datasets import Dataset

from inbol_lib import composition
from inbol_lib.micro import world
from inbol_lib.records import RECORD_FEATURES


@pytest.fixture(scope="module")
def records():
    """Answerable records with confidences 0, .1 .. 1 in turn, and unanswerable ones."""

    def rows(n, unanswerable):
        table = world.questions("vqav2", "train", n)
        for i, r in enumerate(table):
            conf = 0.0 if unanswerable else i % 11 / 10
            yield {**r, "source": ("vqav2", "oven")[i % 2] if not unanswerable else "uavqa", "confidence": conf, "responses": [],
                   "verdicts": [], "correct": "red" if conf > 0 else "", "incorrect": "blue" if conf < 1 else "", "refusal": "Sorry, no.",
                   "answers": [] if unanswerable else r["answers"], "origin": "swap" if unanswerable else "answerable"}  # fmt: skip

    return [Dataset.from_list(list(rows(n, u)), features=RECORD_FEATURES) for n, u in ((220, False), (60, True))]


def test_instructions_answer_the_known_and_refuse_the_unknown(records, smoke):
    p = smoke.replace(num_instructions=80, known_share=0.75)
    idk, sft, counts = composition.instructions(*records, p)
    assert len(idk) == len(sft) == 80
    assert (counts["known"], counts["unknown_intrinsic"], counts["unknown_extrinsic"]) == (60, 10, 10)
    for r in idk.remove_columns("image"):
        assert (r["response"] == "Sorry, no.") == (r["kind"] != "known")
    sources = [r["source"] for r in idk.remove_columns("image") if r["kind"] == "known"]
    assert abs(sources.count("vqav2") - sources.count("oven")) <= 1


def test_sft_takes_gold_answers_whatever_the_confidence(records, smoke):
    _, sft, _ = composition.instructions(*records, smoke.replace(num_instructions=80))
    kinds = set(sft["kind"])
    assert kinds == {"answerable", "unanswerable"}


def test_preferences_keep_the_ratio_and_count_pairs(records, smoke):
    table, counts = composition.preferences(*records, smoke.replace(num_pairs=100))
    assert (counts["unknown"], counts["mixed"], counts["known"]) == (20, 20, 40)
    assert counts["pairs"] == 100
    for r in table.remove_columns("image"):
        assert r["kind"] != "mixed" or (r["correct"] and r["incorrect"])
        assert r["kind"] != "unknown" or r["incorrect"]


@pytest.mark.parametrize(("rule", "expected"), [("shrink", {"a": 5, "b": 10}), ("repeat", {"a": 10, "b": 20})])
def test_short_classes_follow_the_rule(rule, expected):
    assert composition.apportion({"a": 10, "b": 20}, {"a": 5, "b": 100}, rule) == expected


@pytest.mark.parametrize("there", [{"a": 5, "b": 100}, {"b": 100}])
def test_refusing_names_what_is_there_and_what_is_wanted(there):
    with pytest.raises(composition.ShortClassError, match="a: . there, 10 wanted"):
        composition.apportion({"a": 10, "b": 20}, there, "refuse")
    with pytest.raises(composition.ShortClassError):
        composition.apportion({"a": 10}, {}, "repeat")


def test_a_balanced_set_has_mean_one_half_even_from_a_skewed_pool():
    rng = np.random.default_rng(0)
    confidence = np.round(np.concatenate([np.repeat(np.arange(11) / 10, 8), rng.beta(4, 1, 3000)]), 1)
    chosen = composition.balanced(confidence, 300, rng)
    assert len(set(chosen)) == len(chosen)
    assert abs(confidence[chosen].mean() - 0.5) < 0.01
    assert len(set(confidence[chosen])) == 11


def test_nan_confidences_are_never_chosen():
    confidence = np.array([np.nan, 0.0, 1.0, 0.5, np.nan])
    assert set(composition.balanced(confidence, 5, np.random.default_rng(0))) == {1, 2, 3}
