"""Published responses of LLaVA-1.5-13B scored again, without the random guesses of the benchmarks'
own scripts.
"""

import csv
import json
import random
import re

import pandas as pd
import pytest

from inbol_lib.evaluation import metrics
from inbol_lib.judging.hybrid import judge

LETTER = "ABCDEFGHI"


def in_text(letters, text):
    """Those of the letters that stand in brackets, else those that stand alone."""
    return re.findall(rf"\(([{letters}])\)", text) or re.findall(
        rf"(?<!\S)([{letters}])(?!\S)", text
    )


def official_letter(response, options):
    """The letter MMMU's script reads (as its documentation and code describe).

    The last one in brackets, else the last one alone, else in a response of more than five words
    the last option quoted; None where it would guess.
    """
    text = response.strip(",.!?;:'")
    if found := in_text(LETTER[: len(options)], text):
        return found[-1]
    quoted = {
        text.lower().rfind(option.lower()): letter
        for letter, option in zip(LETTER, options, strict=False)
    }
    return quoted[max(quoted)] if len(text.split()) > 5 and max(quoted) >= 0 else None


@pytest.fixture
def mmmu(shared):
    """One row per validation question: gold, options, LLaVA's response and our outcome."""
    golds = json.loads((shared / "mmmu" / "answer_dict_val.json").read_text())
    rows = []
    for item in json.loads(
        (shared / "mmmu" / "llava1.5_13b_outputs_all_subjects.json").read_text()
    ):
        gold, options = (
            golds[item["id"]]["ground_truth"],
            [item["index2ans"][k] for k in item.get("all_choices", [])],
        )
        answers = (
            [item["index2ans"][gold]] if options else gold if isinstance(gold, list) else [gold]
        )
        rows.append(
            {
                "id": item["id"],
                "question": "",
                "gold": gold,
                "answers": answers,
                "choices": options,
                "response": item["response"],
            }
        )
    table = pd.DataFrame(rows).set_index("id")
    return table.assign(outcome=judge(rows, [row["response"] for row in rows], "string"))


def test_mmmu_is_reproduced_and_the_guesses_are_counted(mmmu):
    """The official script gives these 900 responses 330 right.

    329 read and one of two guesses. Ours are 330 without a guess.
    """
    options = mmmu[mmmu.choices.str.len() > 0]
    read = pd.Series(
        [official_letter(r.response, r.choices) for r in options.itertuples()], options.index
    )
    guessed = list(read.index[read.isna()])
    assert guessed == ["validation_Design_4", "validation_Psychology_4"]
    dice = random.Random(42)  # the script's own seed
    for name in guessed:
        read[name] = dice.choice(LETTER[: len(options.choices[name])])
    official = pd.concat([read == options.gold, mmmu.drop(options.index).outcome == "correct"])
    assert official.sum() == 330
    assert official.drop(guessed).sum() == 329

    assert mmmu.outcome.value_counts().to_dict() == {"incorrect": 570, "correct": 330}
    ours = (mmmu.outcome == "correct").reindex(official.index)
    assert list(ours.index[ours & ~official]) == ["validation_Electronics_13"], (
        "options A and C are the same text: A is as right as C"
    )
    assert list(ours.index[~ours & official]) == ["validation_Pharmacy_27"], (
        "all four options repeated is no choice; theirs takes the last"
    )
    assert ours["validation_Design_4"], (
        '"A) Josef Albers" is read, where the official script guesses'
    )


def test_open_questions_of_mmmu_with_lists_of_golds(mmmu):
    lists = mmmu[mmmu.gold.map(lambda gold: isinstance(gold, list))]
    assert len(lists) == 3
    rows = lists.reset_index().to_dict("records")
    for k in (0, 1):
        assert (
            judge(rows, [f"It is {row['gold'][k]}." for row in rows], "string") == ["correct"] * 3
        )


def test_refusing_everything_scores_nothing_on_mmmu(mmmu):
    rows = mmmu.reset_index().to_dict("records")
    assert set(judge(rows, ["Sorry, I can't help with it."] * len(rows), "string")) == {"refusal"}


def test_options_that_decline(mmmu):
    row = next(
        r
        for r in mmmu.reset_index().to_dict("records")
        if any("want to guess" in c for c in r["choices"])
    )
    k = next(i for i, choice in enumerate(row["choices"]) if "want to guess" in choice)
    for said in (LETTER[k], f"{LETTER[k]}. {row['choices'][k]}"):
        assert judge([row], [said], "string") == ["refusal"], (
            "who takes the option that declines, declines"
        )
    right = row | {"answers": [row["choices"][k]]}
    assert judge([right] * 2, [LETTER[k], row["choices"][k]], "string") == ["correct"] * 2
    assert judge([right], ["Sorry, I can't help with it."], "string") == ["refusal"]


def test_mmbench_circular_and_vanilla_are_the_published_scores(shared):
    """LLaVA-1.5-13B's published predictions: 67.7 by circular evaluation."""
    with (shared / "mmbench" / "mmbench_dev_20230712_text_only.tsv").open(newline="") as file:
        items = list(csv.DictReader(file, delimiter="\t"))
    choices = [[item[k] for k in "ABCD" if item[k]] for item in items]
    rows = [
        {"question": i["question"], "answers": [i[i["answer"]]], "choices": c}
        for i, c in zip(items, choices, strict=True)
    ]
    table = pd.DataFrame(
        {
            "outcome": judge(rows, [i["prediction"] for i in items], "string"),
            "model": "llava-1.5-13b",
            "method": "original",
            "seed": 0,
            "group": [int(i["index"]) % 10**6 for i in items],
        }
    )
    letters = pd.Series([i["prediction"] == i["answer"] for i in items])
    twins = pd.Series([len(set(c)) < len(c) for c in choices])  # options of the same text
    differ = (table.outcome == "correct") != letters
    assert differ.sum() == 3
    assert twins[differ].all(), (
        "only where two options are the same text does the letter alone decide otherwise"
    )
    by_letter = table.assign(outcome=letters.map({True: "correct", False: "incorrect"}))
    scores = [
        round(100 * (f(t).outcome == "correct").mean(), 2)
        for t in (by_letter, table)
        for f in (metrics.circular, metrics.vanilla)
    ]
    assert scores == [67.69, 75.43, 67.77, 75.51], (
        "by letter the published 67.7; one base question more where texts count"
    )
