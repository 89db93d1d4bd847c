"""What must hold of a parser's answer, whatever it is given: shared by all who try odd inputs.

Each check takes an input as a parser does, and fails where the parser fails otherwise than in an
error for people, or says something that can not be.
"""

import json
import os
import warnings
from pathlib import Path

from inbol_lib import values
from inbol_lib.boundary.generated_text import parse_pairs
from inbol_lib.data import benchmarks, folder, response_files
from inbol_lib.data.benchmarks.hub_tables import rgb
from inbol_lib.data.pictures import as_rgb, opened
from inbol_lib.errors import ParameterError
from inbol_lib.judging import hybrid
from inbol_lib.judging.matching import matched
from inbol_lib.mllm.endpoints import replies, spending
from inbol_lib.mllm.journal import Journal

OUTCOMES = {"refusal", "correct", "incorrect", "unjudged"}
#: what a broken picture raises, and each reader of pictures names
BROKEN = (OSError, ValueError, SyntaxError)
#: the columns of a question that hold texts
TEXTS = ("id", "image_id", "question", "answers", "choices", "group", "source", "split")


def clear(error, lines=50):
    """An error for people says something, and not too much."""
    assert 0 < len(str(error).splitlines()) <= lines
    assert str(error).strip()


def value(text):
    """A command line's value is read or refused, and what is read can be written."""
    try:
        read = values.read_value(text)
    except ParameterError as error:
        clear(error, lines=1)
        return
    plain = isinstance(read, bool | int) or (isinstance(read, str) and read.isprintable())
    if plain:
        assert values.read_value(values.written(read)) == read


def score_rows(lines):
    """Every row to score is scored, or its line is named."""
    rows, found = response_files.read(lines)
    named = {fault.split(":")[0] for fault in found}
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    assert len(rows) + len(named - {"the file has no rows"}) == len(filled)
    for row in rows:
        assert matched({"choices": [], **row}, row["response"]) in OUTCOMES | {""}


def own_question(line, root=Path(__file__).parent):
    """A line of one's own data is a question, or has a problem; the folder has no pictures."""
    reader = folder._Reader(root)
    reader.read(3, line)
    assert bool(reader.rows) != bool(reader.problems)
    assert all(number == 3 for number, _ in reader.problems)
    assert all(problem.encode(errors="replace") for _, problem in reader.problems)
    clear(folder._summary(root / "questions.jsonl", reader.problems))


def generated(text):
    """A generator's text holds whole questions or none."""
    for question, explanation in parse_pairs(text):
        assert question.strip()
        assert isinstance(explanation, str)
        assert len(question) + len(explanation) <= len(text) + 200


def judged(said, answers, choices, response):
    """A judge's reply is a verdict or none, and a response has an outcome."""
    assert hybrid.parse_verdict(said) in (True, False, None)
    assert hybrid.parse_three_way(said) in OUTCOMES
    row = {"question": "What?", "answers": answers, "choices": choices}
    (outcome,) = hybrid.judge([row], [response], "string")
    assert outcome in OUTCOMES
    assert answers or outcome != "correct", "nobody answers the unanswerable right"


def body(content):
    """A server's body is an answer, or said to be none."""
    try:
        reply = replies.read(content)
    except (replies.NoCompletion, replies.NoAnswer) as error:
        clear(error)
        return
    assert reply.texts
    assert all(isinstance(text, str) and text.encode() is not None for text in reply.texts)
    assert all(isinstance(count, int) for count in reply.used.values())


def journal(path, content):
    """A journal's lines are answers or counted; returns the answers and what is said of it."""
    path.write_bytes(content)
    answers = Journal(path).answers()
    assert all(isinstance(text, str) for texts in answers.values() for text in texts)
    said = spending.held_in(path)
    if not answers and any(line.strip() for line in content.splitlines()):
        assert "lines are no answers" in said
    return answers, said


def benchmark(root, name, split="test"):
    """A benchmark's files give questions of texts with pictures, or an error that names them."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", UserWarning)  # another count than the published ones
        try:
            rows = benchmarks.load(name, root, split, 3)
        except ParameterError as error:
            clear(error)
            named = str(error)
            rows = None
    if rows is None:
        assert benchmarks.get(name).title in named or str(root) in named
        return
    assert len(rows)
    for row in rows:
        assert row["image"].size >= (1, 1)
        for column in TEXTS:
            texts = row[column] if isinstance(row[column], list) else [row[column]]
            assert all(isinstance(text, str) for text in texts), column


def picture(root, content):
    """A picture is read as RGB, by a benchmark's reader and from a folder alike, or named."""
    try:
        assert rgb(content)
        read = True
    except BROKEN:
        read = False
    (root / "a.png").write_bytes(content)
    problems = folder._image_problems(root, "a.png")
    assert bool(problems) != read
    assert all("a.png" in problem for problem in problems)
    if not problems:  # what is checked can be used
        with opened(root / "a.png") as image:
            assert as_rgb(image).mode == "RGB"


def odd_name(root, name):
    """A picture's name that data gives stays in its folder, or is named as a problem."""
    secret = root.parent / "secret.png"
    problems = folder._image_problems(root, name)
    assert problems or not os.path.samefile(root / name, secret)


def line_of(thing):
    """JSON as Python writes it, half characters and NaN included."""
    return json.dumps(thing).encode()
