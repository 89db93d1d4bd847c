import math

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from inbol_lib import progress
from inbol_lib.boundary import composition, test_sets
from inbol_lib.boundary.classes import leaves_mixed
from inbol_lib.data.records import RECORD_FEATURES
from inbol_lib.errors import ParameterError
from inbol_lib.micro import world


@pytest.fixture(scope="module")
def records():
    """220 answerable records with confidences 0, .1 .. 1 in turn, and 60 unanswerable ones."""
    questions = world.questions("vqav2", "train", 220)
    answerable = [answerable_row(row, index) for index, row in enumerate(questions)]
    questions = world.questions("vqav2", "train", 60)
    unanswerable = [unanswerable_row(row) for row in questions]
    return [Dataset.from_list(rows, RECORD_FEATURES) for rows in (answerable, unanswerable)]


def answerable_row(row, index):
    confidence = index % 11 / 10
    return {
        **row,
        "source": ("vqav2", "oven")[index % 2],
        "confidence": confidence,
        "responses": [],
        "verdicts": [],
        "correct": "red" if confidence > 0 else "",
        "incorrect": "blue" if confidence < 1 else "",
        "refusal": "Sorry, no.",
        "origin": "answerable",
    }


def unanswerable_row(row):
    changes = {"source": "uavqa", "answers": [], "origin": "swap"}
    return {**answerable_row(row, 0), **changes}


def texts_of(table):
    return table.remove_columns("image").to_list()


def test_instructions_answer_the_known_and_refuse_the_unknown(records, smoke):
    p = smoke.replace(num_instructions=80, known_share=0.75)
    idk, sft, counts = composition.instructions(*records, p)
    assert len(idk) == len(sft) == 80
    assert counts["known"] == 60
    assert counts["unknown_intrinsic"] == counts["unknown_extrinsic"] == 10
    for row in texts_of(idk):
        assert (row["response"] == "Sorry, no.") == (row["kind"] != "known")
    sources = [row["source"] for row in texts_of(idk) if row["kind"] == "known"]
    assert abs(sources.count("vqav2") - sources.count("oven")) <= 1


def test_sft_takes_gold_answers_whatever_the_confidence(records, smoke):
    _, sft, _ = composition.instructions(*records, smoke.replace(num_instructions=80))
    assert set(sft["kind"]) == {"answerable", "unanswerable"}
    confidence = dict(zip(records[0]["id"], records[0]["confidence"], strict=True))
    taught = [row for row in texts_of(sft) if row["kind"] == "answerable"]
    assert {confidence[row["id"]] for row in taught} == {i / 10 for i in range(11)}


@pytest.mark.parametrize("answer", ["letter", "text"])
def test_sft_says_the_gold_option_as_asked_and_the_first_answer_elsewhere(records, smoke, answer):
    options = ["tea", "salt", "gold"]
    rows = records[0].to_list()
    for index, row in enumerate(rows):
        if index % 2:
            row |= {"choices": options, "answers": [options[index % 3]]}
    mixed = Dataset.from_list(rows, RECORD_FEATURES)
    letters = {"tea": "A", "salt": "B", "gold": "C"} if answer == "letter" else {}
    gold = {row["id"]: letters.get(row["answers"][0], row["answers"][0]) for row in rows}
    p = smoke.replace(num_instructions=80, choice_answer=answer)
    _, sft, _ = composition.instructions(mixed, records[1], p)
    taught = [row for row in texts_of(sft) if row["kind"] == "answerable"]
    assert all(row["response"] == gold[row["id"]] for row in taught)
    spoken = {letters.get(text, text) for text in options}
    assert spoken < {row["response"] for row in taught}


@pytest.mark.parametrize(
    ("n", "taken"),
    [
        (9, {"a": 3, "b": 3, "c": 3}),
        (40, {"a": 18, "b": 18, "c": 4}),
        (104, {"a": 50, "b": 50, "c": 4}),
        (208, {"a": 100, "b": 100, "c": 8}),
    ],
)
def test_drawing_is_even_over_the_sources_as_far_as_they_go(n, taken):
    frame = pd.DataFrame({"source": ["a"] * 50 + ["c"] * 4 + ["b"] * 50, "row": range(104)})
    drawn = composition.draw(frame, n, np.random.default_rng(0))
    assert drawn.source.value_counts().to_dict() == taken
    most = math.ceil(n / len(frame))
    assert drawn.row.value_counts().max() == most, "none repeats before all are taken"
    other = composition.draw(frame, n, np.random.default_rng(1))
    assert set(drawn.row) != set(other.row) or n >= 104


def test_preferences_keep_the_ratio_and_count_pairs(records, smoke):
    table, counts = composition.preferences(*records, smoke.replace(num_pairs=100))
    assert (counts["unknown"], counts["mixed"], counts["known"]) == (20, 20, 40)
    assert counts["pairs"] == 100
    for row in texts_of(table):
        assert row["kind"] != "mixed" or (row["correct"] and row["incorrect"])
        assert row["kind"] != "unknown" or row["incorrect"]


@pytest.mark.parametrize(
    ("kind", "response"),
    [("mixed", "correct"), ("mixed", "incorrect"), ("known", "correct"), ("unknown", "incorrect")],
)
def test_a_pair_needs_both_of_its_responses(records, smoke, kind, response):
    """Half of a class lacks a response (all samples were refusals, for example).

    Those questions are counted and never drawn.
    """
    described = composition.describe(records[0], smoke)
    broken = set(described[described.kind == kind].iloc[::2].id)
    rows = records[0].to_list()
    for row in rows:
        if row["id"] in broken:
            row[response] = ""
    fewer, p = Dataset.from_list(rows, RECORD_FEATURES), smoke.replace(num_pairs=200)
    table, counts = composition.preferences(fewer, records[1], p)
    drawn = {row["id"] for row in texts_of(table) if row["source"] != "uavqa"}
    assert broken
    assert not broken & drawn
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


def test_neighbouring_thresholds_leave_no_mixed_question_and_the_others_make_all_pairs(
    records, smoke
):
    p = smoke.replace(delta_known=0.7, delta_unknown=0.6, num_pairs=60, short_class="refuse")
    table, counts = composition.preferences(*records, p)
    assert counts["wanted"] == {"unknown": 20, "mixed": 0, "known": 40}
    assert (counts["pairs"], len(table), set(table["kind"])) == (60, 60, {"unknown", "known"})
    with pytest.raises(ParameterError, match=r"mixed questions alone.*0\.7.*0\.6"):
        composition.preferences(*records, p.replace(pair_ratio=[0.0, 1.0, 0.0]))


@pytest.mark.parametrize(
    ("samples", "known", "unknown", "some"),
    [(10, 0.8, 0.2, True), (10, 0.7, 0.6, False), (20, 0.7, 0.6, True), (2, 0.6, 0.5, False)],
)
def test_mixed_questions_need_a_level_between_the_thresholds(samples, known, unknown, some, smoke):
    changes = {"delta_known": known, "delta_unknown": unknown, "confidence_samples": 0}
    assert leaves_mixed(smoke.replace(num_samples=samples, **changes)) == some


def test_a_balanced_set_has_mean_one_half_even_from_a_skewed_pool():
    rng = np.random.default_rng(0)
    even, skewed = np.repeat(np.arange(11) / 10, 8), rng.beta(4, 1, 3000)
    confidence = np.round(np.concatenate([even, skewed]), 1)
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
    assert counts["uavqa"]["got"] == 10 == table["source"][:].count("uavqa")


def test_a_test_set_counts_what_its_pool_could_not_give(records):
    """Confidences of 0.7 and more have no counterpart but 0.3, so most of them cannot be used."""
    high = records[0].filter(
        lambda confidence: confidence >= 0.7 or confidence == 0.3, input_columns="confidence"
    )
    table, counts = test_sets.test_set(high, high, records[1], 50, 100, seed=0)
    mirrored = high.to_pandas().query("confidence in [0.3, 0.7]")
    for source, rows in mirrored.groupby("source"):
        n = 2 * rows.confidence.value_counts().min()
        assert 0 < n < 50
        assert counts[source] == {"wanted": 50, "got": n, "mean_confidence": 0.5}
    assert counts["uavqa"] == {"wanted": 100, "got": 60, "mean_confidence": 0.0}
    assert len(table) == sum(count["got"] for count in counts.values())


def test_class_sizes_are_said_and_a_class_short_by_more_than_half_is_said_aloud(
    records, smoke, tmp_path, capsys
):
    progress.report_to(tmp_path)
    composition.instructions(*records, smoke.replace(num_instructions=80))
    (quiet,) = progress.notices(tmp_path)
    assert quiet == progress.Notice(
        "instructions: 80 of 80 wanted: known 60 of 60 (60 there), unknown 20 of 20 (120 there)"
    )
    assert capsys.readouterr().err == ""

    progress.report_to(tmp_path)
    p = smoke.replace(num_instructions=400, train_questions=220)
    *_, counts = composition.instructions(*records, p)
    sizes, loud = progress.notices(tmp_path)
    assert sizes.text.startswith("instructions: 80 of 400 wanted: known 60 of 300")
    assert loud.loud
    assert "train_questions: about 1,100 (now 220)" in loud.text
    assert "short_class: repeat" in loud.text
    assert "num_instructions: 80 or fewer (now 400)" in loud.text
    assert loud.text in capsys.readouterr().err

    progress.report_to(tmp_path)
    composition.instructions(*records, p.replace(dataset="folder:x", train_questions=3000))
    assert (
        "more training questions in the folder: about 1,100 (now 220)"
        in progress.notices(tmp_path)[-1].text
    )


@pytest.mark.parametrize("change", [{"num_instructions": 80}, {"short_class": "repeat"}])
def test_what_a_warning_advises_composes_what_is_wanted(records, smoke, change):
    p = smoke.replace(**{"num_instructions": 400, **change})
    assert len(composition.instructions(*records, p)[0]) == p.num_instructions


def test_pairs_that_are_short_are_named_in_pairs(records, smoke, tmp_path):
    progress.report_to(tmp_path)
    table, counts = composition.preferences(*records, smoke.replace(num_pairs=1000))
    loud = progress.notices(tmp_path)[-1]
    assert loud.loud
    assert f"num_pairs: {counts['pairs']} or fewer (now 1,000)" in loud.text
    again, _ = composition.preferences(*records, smoke.replace(num_pairs=counts["pairs"]))
    assert len(again) == len(table)


def test_a_class_that_will_be_short_is_said_aloud_before_03(records, smoke, tmp_path):
    inside = composition.describe(records[0], smoke)

    def told(**changes):
        progress.report_to(tmp_path)
        composition.foretell(inside, smoke.replace(**changes))
        assert all(notice.loud for notice in progress.notices(tmp_path))
        return [notice.text for notice in progress.notices(tmp_path)]

    assert told(num_instructions=80, num_pairs=60) == []
    (of_known,) = told(num_instructions=400, num_pairs=60)
    assert of_known.startswith("in notebook 03, known questions are short by more than half: 60")
    assert told(num_instructions=80, num_pairs=60, known_share=0.0, num_unanswerable=2) == []
    _, of_pairs = told(num_instructions=400, num_pairs=1000)
    assert "so that preference questions are only" in of_pairs
    (refused,) = told(num_instructions=400, short_class="refuse")
    assert refused.startswith("notebook 03 will refuse this: too few questions (known: 60 there")
