"""The scorer for files, as people call it."""

import json
import os
import subprocess
import sys

import pandas as pd
import pytest

from inbol_lib.evaluation import score

pytest_plugins = ["serving"]

REFUSED = "Sorry, I can't help with that."
ROWS = [
    {
        "id": 1,
        "question": "What colour?",
        "response": "It is red.",
        "answers": ["red"],
        "source": "a",
        "image_id": "x",
    },
    {
        "id": 2,
        "question": "What colour?",
        "response": "blue",
        "answers": ["red"],
        "source": "a",
        "image_id": "x",
    },
    {
        "id": 3,
        "question": "How old?",
        "response": REFUSED,
        "answers": [],
        "source": "b",
        "image_id": "y",
    },
    {
        "id": 4,
        "question": "How old?",
        "response": "40",
        "answers": [],
        "source": "b",
        "image_id": "z",
    },
    {
        "id": 5,
        "question": "Which?",
        "response": "B",
        "answers": ["tea"],
        "choices": ["salt", "tea"],
        "source": "b",
        "image_id": "z",
    },
    {
        "id": 6,
        "question": "Which?",
        "response": REFUSED,
        "answers": ["tea"],
        "choices": ["salt", "tea"],
        "source": "b",
        "image_id": "w",
    },
    {
        "id": 7,
        "question": "Who?",
        "response": "",
        "answers": ["Bob"],
        "source": "b",
        "image_id": "w",
    },
    {
        "id": 8,
        "question": "What colour?",
        "response": "scarlet",
        "answers": ["red"],
        "source": "b",
        "image_id": "w",
    },
]


def write(tmp_path, rows):
    file = tmp_path / "responses.jsonl"
    file.write_text(
        "".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows)
    )
    return str(file)


def call(*args, stdin=None):
    command = [sys.executable, "-X", "importtime", "-m", "inbol_lib.evaluation.score", *args]
    done = subprocess.run(
        command,
        capture_output=True,
        text=True,
        input=stdin,
        env={**os.environ, "OPENAI_API_KEY": ""},
    )
    imported = {
        line.rpartition("|")[2].strip()
        for line in done.stderr.splitlines()
        if line.startswith("import time:")
    }
    said = "\n".join(
        line for line in done.stderr.splitlines() if not line.startswith("import time:")
    )
    return done.returncode, done.stdout, said, imported


def test_the_command_line_gives_known_numbers_on_stdout_and_the_rest_on_stderr(tmp_path):
    code, out, said, imported = call(write(tmp_path, ROWS), "--cost", "1", "3", "0.5")
    assert code == 0
    result = json.loads(out)
    overall = result["overall"]
    assert (result["judge"], result["costs"], overall["n"], overall["images"]) == (
        "string",
        [0.5, 1, 3],
        8,
        4,
    )
    values = {
        name: overall[name]["value"]
        for name in (
            "acc",
            "refr",
            "s_trust",
            "answered_acc",
            "phi_0.5",
            "phi_1",
            "phi_3",
            "unjudged",
        )
    }
    assert values == {"acc": 0.25, "refr": 0.25, "s_trust": -0.25, "answered_acc": 0.333333, "phi_0.5": 0, "phi_1": -0.25, "phi_3": -1.25,
                      "unjudged": 0}  # fmt: skip
    for name in values:
        assert overall[name]["lo"] <= overall[name]["value"] <= overall[name]["hi"]
    assert overall["s_trust"]["lo"] < overall["s_trust"]["hi"]
    assert overall["unjudged"]["count"] == 0
    assert {name: part["n"] for name, part in result["sources"].items()} == {"a": 2, "b": 6}
    assert result["sources"]["a"]["acc"]["value"] == 0.5
    assert "string match alone" in said
    assert "only 1 images in a" in said
    assert "torch" not in imported, "string match needs no language model's libraries"


def test_standard_input_and_the_outcome_table(tmp_path):
    text = "".join(json.dumps(row) + "\n\n" for row in ROWS)
    code, out, _, _ = call("-", "--out", str(tmp_path / "outcomes.parquet"), stdin=text)
    assert code == 0
    table = pd.read_parquet(tmp_path / "outcomes.parquet")
    assert table.outcome.tolist() == [
        "correct",
        "incorrect",
        "refusal",
        "incorrect",
        "correct",
        "refusal",
        "incorrect",
        "incorrect",
    ]
    assert table.answerable.tolist() == [True, True, False, False, True, True, True, True]
    assert table.id.tolist() == [str(k) for k in range(1, 9)]
    assert json.loads(out)["overall"]["acc"]["value"] == (table.outcome == "correct").mean()


GOOD = {"id": "g", "question": "q", "response": "r", "answers": ["a"]}


@pytest.mark.parametrize(("row", "fault"), [
    ("{", "not JSON"), ("[1]", "one JSON object"), ("\udce4", None),
    ({k: v for k, v in GOOD.items() if k != "response"}, "response is missing"),
    (GOOD | {"response": None}, "response must be text, given None"),
    (GOOD | {"answers": "a"}, "answers must be a list of texts, given 'a'"),
    (GOOD | {"answers": [1]}, "answers must be a list"), (GOOD | {"answers": [" "]}, "answers must be a list"),
    (GOOD | {"choices": ["a"]}, "2 to 26 options, given 1"), (GOOD | {"choices": ["b", "c"]}, "'a' is none of the choices"),
    (GOOD | {"id": True}, "id must be text or a whole number"), (GOOD | {"id": ""}, "id must be"),
    (GOOD | {"image_id": 1.5}, "image_id must be"),
    (GOOD | {"id": "first"}, "id 'first' was used in line 1 already"), (GOOD | {"source": []}, "source must be"),
])  # fmt: skip
def test_a_bad_row_is_named_by_its_line_and_nothing_is_scored(tmp_path, capsys, row, fault):
    if fault is None:
        file = tmp_path / "responses.jsonl"
        file.write_bytes(json.dumps(GOOD | {"id": "first"}).encode() + b"\n\n\xe4\n")
        fault, path = "not JSON", str(file)
    else:
        path = write(tmp_path, [GOOD | {"id": "first"}, "", row])
    assert score.main([path]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("line 3: ")
    assert fault in shown.err


def test_every_fault_is_counted_but_not_all_are_shown(tmp_path, capsys):
    assert score.main([write(tmp_path, ["{"] * 50)]) == 2
    shown = capsys.readouterr().err
    assert shown.count("line ") == 20
    assert "and 30 more" in shown


@pytest.mark.parametrize("args", [["{file}", "--cost", "-1"], ["{file}", "--cost", "nan"], ["{file}", "--cost", "inf"], ["{file}",
    "--cost", "x"],
                                  ["nowhere.jsonl"], ["{file}", "--out", "nowhere/x.parquet"], []])  # fmt: skip
def test_a_wrong_call_says_so_and_ends_with_2(tmp_path, capsys, args):
    with pytest.raises(SystemExit) as end:
        score.main([arg.format(file=write(tmp_path, [GOOD])) for arg in args])
    assert end.value.code == 2
    assert capsys.readouterr().out == ""


def test_an_empty_file_is_no_result(tmp_path, capsys):
    assert score.main([write(tmp_path, [])]) == 2
    assert "no rows" in capsys.readouterr().err


def test_what_does_not_exist_is_null_and_no_warning_is_lost(tmp_path, capsys):
    rows = [
        GOOD | {"id": k, "response": REFUSED, "split": "test", "image_id": None, "choices": None}
        for k in range(3)
    ]
    assert score.main([write(tmp_path, rows)]) == 0
    shown = capsys.readouterr()
    overall = json.loads(shown.out)["overall"]
    assert overall["answered_acc"] == {"value": None, "lo": None, "hi": None}
    assert overall["refr"] == {"value": 1, "lo": 1, "hi": 1}
    assert overall["images"] == 3, "each row is then an image of its own"
    assert json.loads(shown.out)["sources"] == {}
    assert "3 of 3 rows have no image_id" in shown.err
    assert "not used: split" in shown.err


def judge_of_colours(text, image):
    return (
        None
        if "crimson" in text
        else "yes"
        if "scarlet" in text
        else "no"
        if "blue" in text
        else "perhaps"
    )


def test_a_judge_decides_the_rest_and_what_it_can_not_is_unjudged(tmp_path, capsys, serve):
    asked = serve(judge_of_colours)
    more = [ROWS[0] | {"id": 9, "response": "crimson"}, ROWS[0] | {"id": 10, "response": "ruby"}]
    assert score.main([write(tmp_path, ROWS + more), "--judge", "endpoint:any"]) == 0
    shown = capsys.readouterr()
    overall = json.loads(shown.out)["overall"]
    assert (
        overall["acc"]["value"],
        overall["unjudged"]["count"],
        overall["unjudged"]["value"],
    ) == (0.3, 2, 0.2)
    assert overall["unjudged"]["lo"] <= 0.2 <= overall["unjudged"]["hi"]
    assert "string match alone" not in shown.err
    assert "2 of 10 responses are unjudged" in shown.err
    assert all(
        any(word in text for word in ("blue", "scarlet", "crimson", "ruby")) for text, _ in asked
    ), "rules decide the rest"


def test_a_judge_that_can_not_be_asked_is_said(tmp_path, capsys, serve, monkeypatch):
    serve(judge_of_colours)
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    with pytest.raises(SystemExit, match="can not be asked"):
        score.main([write(tmp_path, ROWS), "--judge", "endpoint:any"])
    assert capsys.readouterr().out == ""
