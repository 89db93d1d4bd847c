"""Whatever comes in ends in a clear error or is counted and shown: never in a traceback.

Eight kinds of input, 250 cases each, and 2,500 with `--hypothesis-profile nightly`.
"""

import json
import math
from pathlib import Path

from hypothesis import assume, given
from hypothesis import strategies as st

from inbol_lib import params, values
from inbol_lib.boundary.generated_text import parse_pairs
from inbol_lib.data import folder, response_files
from inbol_lib.errors import ParameterError
from inbol_lib.judging import hybrid
from inbol_lib.judging.matching import matched
from inbol_lib.mllm.endpoints import replies, spending
from inbol_lib.mllm.journal import Journal

SMOKE = params.load("smoke").model_dump()
OUTCOMES = {"refusal", "correct", "incorrect", "unjudged"}
#: What people, models and broken files write, beside any other text.
ODD = st.sampled_from(
    [
        *(
            "",
            " ",
            "\x00",
            "\ufeff",
            "\ud83d",
            "<image>",
            "nan",
            "1e999",
            "-0",
            "5e-7",
            "007",
            "yes",
        ),
        *("declines", "Yes, but no", "wrong - right", "Question:", "Q1. Where?", "Explanation: it"),
        *("Sorry, I can not help with it.", "(A)", "[]", "{", "*" * 50, "?" * 50, "\u202eabc"),
    ]
)
TEXTS = st.one_of(ODD, st.text(max_size=60), st.lists(ODD, max_size=6).map(" ".join))
SCALARS = st.one_of(
    st.none(), st.booleans(), st.integers(), st.floats(), TEXTS, st.just(10**400), st.just(math.nan)
)
VALUES = st.recursive(
    SCALARS,
    lambda inner: st.one_of(st.lists(inner, max_size=4), st.dictionaries(TEXTS, inner, max_size=4)),
    max_leaves=8,
)


def rows_of(*keys):
    """Objects that have most of these keys, with good and bad values."""
    return st.fixed_dictionaries({}, optional=dict.fromkeys(keys, VALUES))


def line_of(value):
    """JSON as Python writes it, half characters and NaN included."""
    return json.dumps(value).encode()


def check_clear(error, lines=50):
    """An error for people says something, and not too much."""
    assert 0 < len(str(error).splitlines()) <= lines
    assert str(error).strip()


#: Too long a number, and too deep a nest.
HUGE = st.sampled_from([b'{"id": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"a":' * 50_000])
LINES = st.one_of(st.binary(max_size=80), VALUES.map(line_of), HUGE)


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(SMOKE)), TEXTS), VALUES, max_size=3))
def test_parameters_are_taken_or_refused_by_name(changes):
    try:
        p = params.checked({**SMOKE, **changes})
    except ParameterError as error:
        check_clear(error)
        return
    assert set(changes) <= set(SMOKE), "unknown names are refused"
    assert params.checked(p.model_dump()) == p
    for name, value in changes.items():
        taken = getattr(p, name)
        assert taken == (float(value) if isinstance(taken, float) else value), name


@given(st.one_of(TEXTS, VALUES.map(str), VALUES.map(lambda value: line_of(value).decode())))
def test_a_command_line_s_value_is_read_or_refused(text):
    try:
        value = values.read_value(text)
    except ParameterError as error:
        check_clear(error, lines=1)
        return
    plain = isinstance(value, bool | int | str) and not isinstance(value, float)
    assume(plain and (not isinstance(value, str) or value.isprintable()))
    assert values.read_value(values.written(value)) == value


GOOD_ROW = {"id": "a", "question": "What?", "response": "red", "answers": ["red"]}


@given(
    st.lists(
        st.one_of(
            LINES,
            rows_of("id", "question", "response", "answers", "choices", "source").map(line_of),
            rows_of("choices", "source", "image_id").map(lambda row: line_of(GOOD_ROW | row)),
        ),
        max_size=4,
    )
)
def test_every_row_to_score_is_scored_or_named(lines):
    rows, found = response_files.read(lines)
    named = {fault.split(":")[0] for fault in found}
    filled = [number for number, line in enumerate(lines, 1) if line.strip()]
    assert len(rows) + len(named - {"the file has no rows"}) == len(filled)
    for row in rows:
        assert matched({"choices": [], **row}, row["response"]) in OUTCOMES | {""}


@given(
    st.one_of(
        LINES,
        rows_of("id", "image", "question", "answers", "choices", "split").map(line_of),
        rows_of("image", "choices", "split").map(
            lambda row: line_of({"id": "a", "question": "What?", "answers": ["red"]} | row)
        ),
    )
)
def test_a_question_of_one_s_own_is_taken_or_named(line):
    reader = folder._Reader(folder_of_nothing())
    reader.read(3, line)
    assert bool(reader.rows) != bool(reader.problems)
    assert all(number == 3 for number, _ in reader.problems)
    assert all(problem.encode(errors="replace") for _, problem in reader.problems)


def folder_of_nothing():
    """A folder without pictures."""
    return Path(__file__).parent


@given(st.one_of(TEXTS, st.lists(TEXTS, max_size=8).map("\n".join)))
def test_a_generator_s_text_holds_whole_questions_or_none(text):
    for question, explanation in parse_pairs(text):
        assert question.strip()
        assert isinstance(explanation, str)
        assert len(question) + len(explanation) <= len(text) + 200


@given(TEXTS, st.lists(TEXTS.filter(str.strip), max_size=3), st.lists(TEXTS, max_size=4), TEXTS)
def test_a_judge_s_reply_is_a_verdict_or_none(said, answers, choices, response):
    assert hybrid.parse_verdict(said) in (True, False, None)
    assert hybrid.parse_three_way(said) in OUTCOMES
    row = {"question": "What?", "answers": answers, "choices": choices}
    (outcome,) = hybrid.judge([row], [response], "string")
    assert outcome in OUTCOMES
    assert answers or outcome != "correct", "nobody answers the unanswerable right"


CHOICES = st.lists(
    st.one_of(
        VALUES,
        st.fixed_dictionaries(
            {"message": rows_of("content", "refusal", "reasoning", "reasoning_content")},
            optional={"finish_reason": VALUES},
        ),
    ),
    max_size=3,
)
BODIES = st.one_of(
    LINES,
    st.fixed_dictionaries({"choices": st.one_of(VALUES, CHOICES)}, optional={"usage": VALUES}).map(
        line_of
    ),
)


@given(BODIES)
def test_a_server_s_body_is_an_answer_or_said_to_be_none(body):
    try:
        reply = replies.read(body)
    except (replies.NoCompletion, replies.NoAnswer) as error:
        check_clear(error)
        return
    assert reply.texts
    assert all(isinstance(text, str) and text.encode() is not None for text in reply.texts)
    assert all(isinstance(count, int) for count in reply.used.values())


ANSWERS = rows_of("key", "first", "texts", "model", *replies.TOKENS)
GOOD_ANSWER = {"key": "a", "first": 0, "texts": ["red"], "model": "any"}


@given(lines=st.lists(st.one_of(LINES, ANSWERS.map(line_of)), max_size=4), good=st.booleans())
def test_a_journal_s_lines_are_answers_or_counted(tmp_path_factory, lines, good):
    lines = [*lines, *[line_of(GOOD_ANSWER)] * good]
    path = tmp_path_factory.getbasetemp() / "journal.jsonl"
    path.write_bytes(b"\n".join(lines))
    answers = Journal(path).answers()
    assert all(isinstance(text, str) for texts in answers.values() for text in texts)
    said = spending.held_in(path)
    written = [line for line in b"\n".join(lines).splitlines() if line.strip()]
    if not good and not answers and written:
        assert f"{len(written):,} lines are no answers" in said
    assert ("red" in str(answers.get("a"))) or not good or "a" in answers


def test_a_line_without_texts_is_passed_over_and_counted(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    used = {"prompt_tokens": 7, "completion_tokens": 1}
    journal.add(GOOD_ANSWER | used)
    journal.add({"key": "b", "first": 0, "model": "any"} | used)
    with journal.path.open("ab") as file:
        file.write(b'{"torn')
    said = spending.held_in(journal.path)
    assert "endpoint:any: 1 requests, 1 answers, 7 prompt tokens, 1 completion tokens" in said
    assert "2 lines are no answers and do not count" in said
