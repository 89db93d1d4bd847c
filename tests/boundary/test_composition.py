import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from inbol_lib.boundary import composition, test_sets
from inbol_lib.data.records import RECORD_FEATURES
from inbol_lib.errors import ParameterError
from inbol_lib.micro import world


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

    return [
        Dataset.from_list(list(rows(n, u)), features=RECORD_FEATURES)
        for n, u in ((220, False), (60, True))
    ]


def test_instructions_answer_the_known_and_refuse_the_unknown(records, smoke):
    p = smoke.replace(num_instructions=80, known_share=0.75)
    idk, sft, counts = composition.instructions(*records, p)
    assert len(idk) == len(sft) == 80
    assert (counts["known"], counts["unknown_intrinsic"], counts["unknown_extrinsic"]) == (
        60,
        10,
        10,
    )
    for r in idk.remove_columns("image"):
        assert (r["response"] == "Sorry, no.") == (r["kind"] != "known")
    sources = [r["source"] for r in idk.remove_columns("image") if r["kind"] == "known"]
    assert abs(sources.count("vqav2") - sources.count("oven")) <= 1


def test_sft_takes_gold_answers_whatever_the_confidence(records, smoke):
    _, sft, _ = composition.instructions(*records, smoke.replace(num_instructions=80))
    assert set(sft["kind"]) == {"answerable", "unanswerable"}
    confidence = dict(zip(records[0]["id"], records[0]["confidence"], strict=True))
    taught = [r for r in sft.remove_columns("image") if r["kind"] == "answerable"]
    assert {confidence[r["id"]] for r in taught} == {i / 10 for i in range(11)}


@pytest.mark.parametrize("answer", ["letter", "text"])
def test_sft_says_the_gold_option_as_asked_and_the_first_answer_elsewhere(records, smoke, answer):
    texts = records[0].remove_columns("image").to_list()
    options = [{**r, "choices": ["tea", "salt", "gold"], "answers": [("tea", "salt", "gold")[i % 3]]} if i % 2 else r
               for i, r in enumerate(texts)]  # fmt: skip
    mixed = Dataset.from_list(
        [{**r, "image": image} for r, image in zip(options, records[0]["image"], strict=True)],
        RECORD_FEATURES,
    )
    letter = {"tea": "A", "salt": "B", "gold": "C"} if answer == "letter" else {}
    gold = {r["id"]: letter.get(r["answers"][0], r["answers"][0]) for r in options}
    _, sft, _ = composition.instructions(
        mixed, records[1], smoke.replace(num_instructions=80, choice_answer=answer)
    )
    taught = [r for r in sft.remove_columns("image") if r["kind"] == "answerable"]
    assert all(r["response"] == gold[r["id"]] for r in taught)
    assert {letter.get(text, text) for text in ("tea", "salt", "gold")} < {
        r["response"] for r in taught
    }


@pytest.mark.parametrize(("n", "taken"), [(9, {"a": 3, "b": 3, "c": 3}), (40, {"a": 18, "b": 18, "c": 4}),
                                          (104, {"a": 50, "b": 50, "c": 4}), (208, {"a": 100, "b": 100, "c": 8})])  # fmt: skip
def test_drawing_is_even_over_the_sources_as_far_as_they_go(n, taken):
    frame = pd.DataFrame({"source": ["a"] * 50 + ["c"] * 4 + ["b"] * 50, "row": range(104)})
    drawn = composition.draw(frame, n, np.random.default_rng(0))
    assert drawn.source.value_counts().to_dict() == taken
    assert drawn.row.value_counts().max() == -(-n // 104), "none repeats before all are taken"
    assert (
        set(drawn.row) != set(composition.draw(frame, n, np.random.default_rng(1)).row) or n >= 104
    )


def test_preferences_keep_the_ratio_and_count_pairs(records, smoke):
    table, counts = composition.preferences(*records, smoke.replace(num_pairs=100))
    assert (counts["unknown"], counts["mixed"], counts["known"]) == (20, 20, 40)
    assert counts["pairs"] == 100
    for r in table.remove_columns("image"):
        assert r["kind"] != "mixed" or (r["correct"] and r["incorrect"])
        assert r["kind"] != "unknown" or r["incorrect"]


@pytest.mark.parametrize(("kind", "response"), [("mixed", "correct"), ("mixed", "incorrect"), ("known", "correct"),
                                                ("unknown", "incorrect")])  # fmt: skip
def test_a_pair_needs_both_of_its_responses(records, smoke, kind, response):
    """Half of a class lacks a response (sampled answers that were all refused, say): it is counted and never drawn."""
    rows, described = records[0].to_list(), composition.describe(records[0], smoke)
    broken = {r["id"] for r in described[described.kind == kind].iloc[::2].to_dict("records")}
    rows = [{**r, response: ""} if r["id"] in broken else r for r in rows]
    table, counts = composition.preferences(
        Dataset.from_list(rows, RECORD_FEATURES), records[1], smoke.replace(num_pairs=200)
    )
    assert broken
    assert not broken & {r["id"] for r in table.remove_columns("image") if r["source"] != "uavqa"}
    assert counts["not_eligible"] == len(broken)


@pytest.mark.parametrize(
    ("rule", "expected"), [("shrink", {"a": 5, "b": 10}), ("repeat", {"a": 10, "b": 20})]
)
def test_short_classes_follow_the_rule(rule, expected):
    assert composition.apportion({"a": 10, "b": 20}, {"a": 5, "b": 100}, rule) == expected


@pytest.mark.parametrize("there", [{"a": 5, "b": 100}, {"b": 100}])
def test_refusing_names_what_is_there_and_what_is_wanted(there):
    with pytest.raises(ParameterError, match="a: . there, 10 wanted"):
        composition.apportion({"a": 10, "b": 20}, there, "refuse")
    with pytest.raises(ParameterError):
        composition.apportion({"a": 10}, {}, "repeat")


def test_a_balanced_set_has_mean_one_half_even_from_a_skewed_pool():
    rng = np.random.default_rng(0)
    confidence = np.round(
        np.concatenate([np.repeat(np.arange(11) / 10, 8), rng.beta(4, 1, 3000)]), 1
    )
    chosen = test_sets.balanced(confidence, 300, rng)
    assert len(set(chosen)) == len(chosen)
    assert abs(confidence[chosen].mean() - 0.5) < 0.01
    assert len(set(confidence[chosen])) == 11


def test_nan_confidences_are_never_chosen():
    confidence = np.array([np.nan, 0.0, 1.0, 0.5, np.nan])
    assert set(test_sets.balanced(confidence, 5, np.random.default_rng(0))) == {1, 2, 3}


def test_the_test_set_is_balanced_on_the_chooser_and_carries_the_model_s_own_confidence(records):
    answerable, outside = records
    own = answerable.remove_columns("confidence").add_column("confidence", [0.9] * len(answerable))
    table, counts = test_sets.test_set(own, answerable, outside, 22, 10, seed=0)
    again, _ = test_sets.test_set(answerable, answerable, outside, 22, 10, seed=0)
    assert table["id"] == again["id"], "every model is asked the same questions"
    assert set(table["confidence"]) == {0.9, 0.0}
    assert counts["vqav2"] == counts["oven"] == {"wanted": 22, "got": 22, "mean_confidence": 0.5}
    assert counts["uavqa"]["got"] == 10 == sum(s == "uavqa" for s in table["source"])


def test_a_test_set_counts_what_its_pool_could_not_give(records):
    """Only confidences of 0.7 and more: without their mirror nothing is balanced, and the shortfall shows."""
    high = records[0].filter(lambda c: c >= 0.7 or c == 0.3, input_columns="confidence")
    table, counts = test_sets.test_set(high, high, records[1], 50, 100, seed=0)
    mirrored = {s: 2 * min(n for _, n in g.groupby("confidence").size().items())
                for s, g in high.to_pandas().query("confidence in [0.3, 0.7]").groupby("source")}  # fmt: skip
    for source, n in mirrored.items():
        assert 0 < n < 50
        assert counts[source] == {"wanted": 50, "got": n, "mean_confidence": 0.5}
    assert counts["uavqa"] == {"wanted": 100, "got": 60, "mean_confidence": 0.0}
    assert len(table) == sum(c["got"] for c in counts.values())
