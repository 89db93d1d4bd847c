"""How well the rules read what real models wrote: measured against people, and printed."""

import csv
import json
from collections import Counter
from pathlib import Path

import held_out_answering
import held_out_declining
import pytest

from inbol_lib.judging import agreement
from inbol_lib.judging.matching import matched
from inbol_lib.judging.refusals import is_refusal

DATA = Path(__file__).parent / "labels"


def table(name):
    """The rows of a table of labels."""
    with (DATA / name).open(newline="") as file:
        return list(csv.DictReader(file))


def real(shared, name):
    """id -> row of a file of real responses."""
    lines = (shared / "vlm_responses" / name).read_text().splitlines()
    return {row["id"]: row for row in map(json.loads, lines)}


def held_out(text):
    """The responses of a list, with their line breaks."""
    return [line.replace("\u23ce", "\n") for line in text.strip().splitlines()]


def test_real_refusals_are_found_and_real_answers_are_not_called_refusals():
    """Two people labelled 420 responses of three models; a third reading settled 9 of them.

    All 9 state inability and then select an option "None of the above" that was not offered: they
    decline.
    """
    labels = agreement.real_responses().to_dict("records")
    found = Counter()
    for row in labels:
        said = is_refusal(row["response"])
        found[row["model"], row["label"] == "declines", said] += 1
    for model in sorted({row["model"] for row in labels}):
        missed, hit = found[model, True, False], found[model, True, True]
        false, quiet = found[model, False, True], found[model, False, False]
        print(f"{model}: missed {missed} of {missed + hit}, false {false} of {false + quiet}")
    declining = sum(n for (_, declines, _), n in found.items() if declines)
    missed = sum(n for (_, declines, said), n in found.items() if declines and not said)
    false = sum(n for (_, declines, said), n in found.items() if not declines and said)
    assert declining == 212
    assert missed / declining <= 0.05
    assert false / (len(labels) - declining) <= 0.003


def test_people_agree_on_what_declines():
    labels = agreement.real_responses().to_dict("records")
    found = agreement.kappa([r["first"] for r in labels], [r["second"] for r in labels])
    print(f"kappa of two annotators: {found['kappa']:.3f} ({found['lo']:.3f} to {found['hi']:.3f})")
    assert found["kappa"] > 0.9


def test_reasoning_is_read_where_it_ends(shared):
    """600 responses with reasoning: the official parser errs where the two differ, or gives up."""
    right = {row["id"]: row["right"] for row in table("mmmu_pro_adjudicated.csv")}
    rows = real(shared, "mmmu_pro_gpt4o_cot.jsonl").values()
    differs = [
        row["id"]
        for row in rows
        if (matched(row, row["response"]) or "incorrect") != right.get(row["id"], row["official"])
    ]
    print(f"MMMU-Pro: {len(differs)} of {len(rows)} differ from a careful reading: {differs}")
    assert len(rows) == 600
    assert len(differs) / len(rows) <= 0.01


def test_responses_in_the_manner_of_many_models():
    declining = held_out(held_out_declining.DECLINING)
    answering = held_out(held_out_answering.ANSWERING)
    missed = [text for text in declining if not is_refusal(text)]
    false = [text for text in answering if is_refusal(text)]
    print(f"missed {len(missed)} of {len(declining)}: {missed}")
    print(f"false {len(false)} of {len(answering)}: {false}")
    assert len(missed) <= 0.03 * len(declining)
    assert len(false) <= 0.015 * len(answering)


def test_reported_cases(shared):
    """What users of other tools reported: every kind is mended."""
    path = shared.parent / "cases" / "outcomes.jsonl"
    if not path.is_file():
        pytest.skip("the file of reported cases is not there")
    rows = [{"choices": [], **json.loads(line)} for line in path.read_text().splitlines()]
    wrong = [r["id"] for r in rows if (matched(r, r["response"]) or "incorrect") != r["expected"]]
    assert wrong == []
