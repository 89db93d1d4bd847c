import json
import subprocess

import pytest
from PIL import Image

from inbol_lib.data import folder
from inbol_lib.data.benchmarks import easy_vqa
from inbol_lib.errors import ParameterError


@pytest.fixture
def root(tmp_path):
    (tmp_path / "images").mkdir()
    for i in range(30):
        Image.new("RGB", (8, 8), (i, 0, 0)).save(tmp_path / "images" / f"{i}.png")
    return tmp_path


def write(root, *rows):
    folder.check.cache_clear()
    lines = [r if isinstance(r, str) else json.dumps(r) for r in rows]
    (root / "questions.jsonl").write_text("\n".join(lines) + "\n", errors="surrogateescape")


def row(i=0, **changes):
    return {
        "id": f"q{i}",
        "image": f"images/{i}.png",
        "question": "What?",
        "answers": ["red"],
        **changes,
    }


#: one valid question in each split
GOOD = [row(20, split="train"), row(21, split="validation"), row(22, split="test")]


def test_a_good_folder_loads_into_question_rows(root):
    write(
        root, *(row(i) for i in range(30)), row(100, image="images/1.png", choices=["red", "blue"])
    )
    rows = folder.check(root)
    assert {r["split"] for r in rows} == {"train", "validation", "test"}
    table = folder.load(root, "train", 5, seed=3)
    assert len(table) == 5
    assert table[0]["image"].mode == "RGB"
    assert table["id"] == folder.load(root, "train", 9, seed=3)["id"][:5]


def test_the_order_is_drawn_by_the_seed_and_keeps_every_question(root):
    write(root, *GOOD, *(row(i, split="train") for i in range(20)))
    drawn = [folder.load(root, "train", 30, seed=s)["id"] for s in (0, 0, 1)]
    assert drawn[0] == drawn[1] != drawn[2]
    assert (
        sorted(drawn[0])
        == sorted(drawn[2])
        == sorted(r["id"] for r in folder.check(root) if r["split"] == "train")
    )
    assert drawn[0] != [r["id"] for r in folder.check(root) if r["split"] == "train"], (
        "not the order of the file"
    )


@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (row(image="images/99.png"), "does not exist"),
        (row(answers=[]), "at least one"),
        (row(answers="red"), "at least one"),
        (row(answers=[" "]), "at least one"),
        (row(image="../secret.png"), "leaves the folder"),
        (row(image="notes.txt"), "not a readable image"),
        ("{oops", "no JSON"),
        ('{"id": "\udcff"}', "UTF-8"),
        ("[1]", "expected an object"),
        (row(split="dev"), "'split' must be"),
        (row(choices=["blue", "green"]), "must hold the answer"),
        (row(choices=["red", "red"]), "2 to 9 different options"),
        (row(choices="red, blue"), "2 to 9 different options"),
        ({"id": "x"}, "'image' must be"),
        (row(1), "was used in line 1"),
        (row(7, image="images/1.png", split="test"), "as well as"),
        (row(7, image="images/../images/1.png", split="test"), "as well as"),
        (row(image="a\0b.png"), "not a readable image"),
        (row(image="images/1.png", question=None), "'question' must be"),
        (row(question="What is in <image>?"), "read as a mark"),
        (row(question="Say <|im_end|> now"), "read as a mark"),
        (row(answers=["red</s>"]), "read as a mark"),
        (row(question="half \ud83d"), "half a character"),
        ("[" * 100_000, "no JSON"),
    ],
)
def test_every_broken_line_is_named(root, bad, message):
    (root / "notes.txt").write_text("hello")
    write(root, row(1, split="train"), row(2), bad)
    with pytest.raises(ParameterError, match=message) as error:
        folder.check(root)
    assert "line 3" in str(error.value)


def test_all_problems_come_at_once(root):
    write(root, row(1), "{", row(2, answers=[]), row(1))
    with pytest.raises(ParameterError, match="3 problems"):
        folder.check(root)


def test_a_problem_that_repeats_is_said_once_with_its_count_and_first_examples(root):
    bad = [row(i, image=f"gone/{i}.jpg") for i in range(914)]
    write(root, *GOOD, *bad, *(row(2000 + i, answers=[], image="images/1.png") for i in range(5)))
    with pytest.raises(ParameterError) as error:
        folder.check(root)
    said = str(error.value).splitlines()
    assert "has 919 problems" in said[0]
    assert said[1] == "line 4: image 'gone/0.jpg' does not exist"
    assert said[4] == "  … and 911 more lines of the same kind, the last of them line 917"
    assert len([line for line in said if "'answers' must be" in line]) == 3
    assert len(said) == 9


def test_problems_of_different_keys_are_different_problems(root):
    write(root, *GOOD, *({**row(i), "id": None, "question": ""} for i in range(9)))
    with pytest.raises(ParameterError) as error:
        folder.check(root)
    assert str(error.value).count("6 more lines") == 2


@pytest.mark.parametrize("indent", [None, 1])
def test_a_json_list_is_one_problem_and_its_remedy_works(root, indent):
    write(root, json.dumps([*GOOD, *(row(i) for i in range(9))], indent=indent))
    if indent is None:
        (root / "questions.jsonl").write_text(json.dumps([*GOOD, *(row(i) for i in range(9))]))
    with pytest.raises(ParameterError, match="is one JSON list of 12") as error:
        folder.check(root)
    (line,) = str(error.value).splitlines()
    subprocess.run(line.partition("This rewrites it: ")[2], shell=True, check=True)
    folder.check.cache_clear()
    assert len(folder.check(root)) == 12


def test_a_separator_inside_a_question_and_a_byte_order_mark_cut_nothing(root):
    write(root, *GOOD[:2], row(22, split="test", question="One\u2028two"))
    text = (root / "questions.jsonl").read_text().replace("\\u2028", "\u2028")
    (root / "questions.jsonl").write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig")
    assert folder.check(root)[2]["question"] == "One\u2028two"


@pytest.mark.parametrize("split", folder.SPLITS)
def test_a_folder_without_questions_in_a_split_is_refused(root, split):
    write(root, *GOOD)
    assert len(folder.check(root)) == 3
    write(root, *(r for r in GOOD if r["split"] != split))
    with pytest.raises(ParameterError, match=f"no {split} question"):
        folder.check(root)


def test_easy_vqa_converts(shared, tmp_path):
    n = easy_vqa.convert(shared / "easy_vqa" / "easy_vqa" / "data", tmp_path / "easy")
    assert n == 48_248
    rows = folder.check(tmp_path / "easy")
    assert len(rows) == n
    by_split = {s: {r["image"] for r in rows if r["split"] == s} for s in folder.SPLITS}
    assert sum(map(len, by_split.values())) == 5000
    assert all(by_split.values())
