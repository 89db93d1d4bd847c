"""The scorer for files, as people call it."""

import json
import os
import re
import subprocess
import sys

import pandas as pd
import pytest

from inbol_lib.evaluation import score

pytest_plugins = ["serving"]

REFUSED = "Sorry, I can't help with that."


def answer(name, question, response, answers, source, image, **more):
    """A row of a file of responses."""
    return {
        "id": name,
        "question": question,
        "response": response,
        "answers": answers,
        "source": source,
        "image_id": image,
        **more,
    }


DRINKS = {"choices": ["salt", "tea"]}
ROWS = [
    answer(1, "What colour?", "It is red.", ["red"], "a", "x"),
    answer(2, "What colour?", "blue", ["red"], "a", "x"),
    answer(3, "How old?", REFUSED, [], "b", "y"),
    answer(4, "How old?", "40", [], "b", "z"),
    answer(5, "Which?", "B", ["tea"], "b", "z", **DRINKS),
    answer(6, "Which?", REFUSED, ["tea"], "b", "w", **DRINKS),
    answer(7, "Who?", "", ["Bob"], "b", "w"),
    answer(8, "What colour?", "scarlet", ["red"], "b", "w"),
]


def write(tmp_path, rows):
    file = tmp_path / "responses.jsonl"
    lines = [row if isinstance(row, str) else json.dumps(row) for row in rows]
    file.write_text("".join(f"{line}\n" for line in lines))
    return str(file)


def call(*args, stdin=None):
    """Run the command; returns its status, stdout, stderr and the modules that it imported."""
    command = [sys.executable, "-X", "importtime", "-m", "inbol_lib.evaluation.score", *args]
    env = {**os.environ, "OPENAI_API_KEY": ""}
    done = subprocess.run(command, capture_output=True, text=True, input=stdin, env=env)
    imported, said = set(), []
    for line in done.stderr.splitlines():
        if line.startswith("import time:"):
            imported.add(line.rpartition("|")[2].strip())
        else:
            said.append(line)
    return done.returncode, done.stdout, "\n".join(said), imported


def test_the_command_line_gives_known_numbers_on_stdout_and_the_rest_on_stderr(tmp_path):
    code, out, said, imported = call(write(tmp_path, ROWS), "--cost", "1", "3", "0.5")
    assert code == 0
    result = json.loads(out)
    overall = result["overall"]
    assert (result["judge"], result["costs"]) == ("string", [0.5, 1, 3])
    assert (overall["n"], overall["images"]) == (8, 4)
    expected = {
        "acc": 0.25,
        "refr": 0.25,
        "s_trust": -0.25,
        "answered_acc": 0.333333,
        "phi_0.5": 0,
        "phi_1": -0.25,
        "phi_3": -1.25,
        "unjudged": 0,
    }
    assert {name: overall[name]["value"] for name in expected} == expected
    for name in expected:
        assert overall[name]["lo"] <= overall[name]["value"] <= overall[name]["hi"]
    assert overall["s_trust"]["lo"] < overall["s_trust"]["hi"]
    assert overall["unjudged"]["count"] == 0
    assert {name: part["n"] for name, part in result["sources"].items()} == {"a": 2, "b": 6}
    assert result["sources"]["a"]["acc"]["value"] == 0.5
    assert "string match alone" in said
    assert "few images in a, only 1" in said
    assert not {"torch", "transformers"} & imported, "string match needs no language model"


def test_standard_input_and_the_outcome_table(tmp_path):
    text = "".join(json.dumps(row) + "\n\n" for row in ROWS)
    code, out, _, _ = call("-", "--out", str(tmp_path / "outcomes.parquet"), stdin=text)
    assert code == 0
    table = pd.read_parquet(tmp_path / "outcomes.parquet")
    assert table.outcome.tolist()[:4] == ["correct", "incorrect", "refusal", "incorrect"]
    assert table.outcome.tolist()[4:] == ["correct", "refusal", "incorrect", "incorrect"]
    assert table.answerable.tolist() == [True, True, False, False, True, True, True, True]
    assert table.id.tolist() == [str(number) for number in range(1, 9)]
    assert json.loads(out)["overall"]["acc"]["value"] == (table.outcome == "correct").mean()


GOOD = {"id": "g", "question": "q", "response": "r", "answers": ["a"]}


BAD_ROWS = [
    ("{", "not JSON"),
    ("[1]", "one JSON object"),
    (GOOD | {"response": None}, "response must be text, given None"),
    (GOOD | {"answers": "a"}, "answers must be a list of texts, given 'a'"),
    (GOOD | {"answers": [1]}, "answers must be a list"),
    (GOOD | {"answers": [" "]}, "answers must be a list"),
    (GOOD | {"choices": ["a"]}, "2 to 26 options, given 1"),
    (GOOD | {"choices": ["b", "c"]}, "'a' is none of the choices"),
    (GOOD | {"id": True}, "id must be text or a whole number"),
    (GOOD | {"id": ""}, "id must be"),
    (GOOD | {"image_id": 1.5}, "image_id must be"),
    (GOOD | {"id": "first"}, "id 'first' was used in line 1 already"),
    (GOOD | {"source": []}, "source must be"),
    ({"id": "g", "question": "q", "answers": ["a"]}, "response is missing"),
]


@pytest.mark.parametrize(("row", "fault"), BAD_ROWS)
def test_a_bad_row_is_named_by_its_line_and_nothing_is_scored(tmp_path, capsys, row, fault):
    assert score.main([write(tmp_path, [GOOD | {"id": "first"}, "", row])]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("line 3: ")
    assert fault in shown.err


def test_a_line_that_is_not_utf_8_is_named(tmp_path, capsys):
    file = tmp_path / "responses.jsonl"
    file.write_bytes(json.dumps(GOOD).encode() + b"\n\n\xe4\n")
    assert score.main([str(file)]) == 2
    shown = capsys.readouterr()
    assert shown.out == ""
    assert shown.err.startswith("line 3: not JSON")


def test_every_fault_is_counted_but_not_all_are_shown(tmp_path, capsys):
    assert score.main([write(tmp_path, ["{"] * 50)]) == 2
    shown = capsys.readouterr().err
    assert shown.count("line ") == 20
    assert "and 30 more" in shown


WRONG_CALLS = [
    ["{file}", "--cost", "-1"],
    ["{file}", "--cost", "nan"],
    ["{file}", "--cost", "inf"],
    ["{file}", "--cost", "x"],
    ["nowhere.jsonl"],
    ["{file}", "--out", "nowhere/x.parquet"],
    [],
]


@pytest.mark.parametrize("args", WRONG_CALLS)
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
        GOOD | {"id": i, "response": REFUSED, "split": "test", "image_id": None, "choices": None}
        for i in range(3)
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
    """Fail on crimson, accept scarlet, reject blue, and be unsure of any other colour."""
    verdicts = {"crimson": None, "scarlet": "right", "blue": "wrong"}
    for colour, verdict in verdicts.items():
        if colour in text:
            return verdict
    return "perhaps"


def test_a_judge_decides_the_rest_and_what_it_can_not_is_unjudged(tmp_path, capsys, serve):
    asked = serve(judge_of_colours)
    more = [ROWS[0] | {"id": 9, "response": "crimson"}, ROWS[0] | {"id": 10, "response": "ruby"}]
    assert score.main([write(tmp_path, ROWS + more), "--judge", "endpoint:any"]) == 0
    shown = capsys.readouterr()
    overall = json.loads(shown.out)["overall"]
    assert overall["acc"]["value"] == 0.3
    assert (overall["unjudged"]["count"], overall["unjudged"]["value"]) == (2, 0.2)
    assert overall["unjudged"]["lo"] <= 0.2 <= overall["unjudged"]["hi"]
    assert "string match alone" not in shown.err
    assert "2 of 10 responses are unjudged" in shown.err
    undecided = re.compile("blue|scarlet|crimson|ruby")
    assert all(undecided.search(text) for text, _ in asked), "rules decide the rest"


def test_a_judge_that_can_not_be_asked_is_said(tmp_path, capsys, serve, monkeypatch):
    serve(judge_of_colours)
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    with pytest.raises(SystemExit, match="can not be asked"):
        score.main([write(tmp_path, ROWS), "--judge", "endpoint:any"])
    assert capsys.readouterr().out == ""


def test_half_a_character_and_brackets_without_end_stop_nothing(tmp_path, capsys):
    path = tmp_path / "odd.jsonl"
    row = ROWS[0] | {"response": "red \ud83d"}
    path.write_text(json.dumps(row) + "\n")
    assert score.main([str(path), "--out", str(tmp_path / "out.parquet")]) == 0
    assert pd.read_parquet(tmp_path / "out.parquet").response[0] == "red \ufffd"
    path.write_text("[" * 100_000 + "\n")
    assert score.main([str(path)]) == 2
    assert "line 1: not JSON" in capsys.readouterr().err


def test_the_paper_s_rule_takes_a_gold_answer_anywhere(tmp_path, capsys):
    words = "The bus on the left is red. " + "It stands beside a long and very busy street. " * 4
    path = tmp_path / "long.jsonl"
    row = {"id": 1, "question": "What color is the car?", "answers": ["red"]}
    path.write_text(json.dumps(row | {"response": words + "So the car is blue."}) + "\n")
    for rule, right in (("final", 0), ("paper", 1)):
        assert score.main([str(path), "--rule", rule]) == 0
        assert json.loads(capsys.readouterr().out)["overall"]["acc"]["value"] == right
