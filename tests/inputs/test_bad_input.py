"""Whatever comes in ends in a clear error or is counted and shown: never in a traceback.

Eight kinds of input here, and files in `test_bad_files.py`: 250 cases each, and 2,500 with
`--hypothesis-profile nightly`. What must hold is in `checks.py`.
"""

import math

import checks
from checks import line_of
from hypothesis import example, given
from hypothesis import strategies as st

from inbol_lib import params
from inbol_lib.errors import ParameterError
from inbol_lib.mllm.endpoints import replies, spending
from inbol_lib.mllm.journal import Journal

SMOKE = params.load("smoke").model_dump()
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


#: Too long a number, and too deep a nest.
HUGE = st.sampled_from([b'{"id": ' + b"9" * 5000 + b"}", b"[" * 100_000, b'{"a":' * 50_000])
LINES = st.one_of(st.binary(max_size=80), VALUES.map(line_of), HUGE)


@given(st.dictionaries(st.one_of(st.sampled_from(sorted(SMOKE)), TEXTS), VALUES, max_size=3))
def test_parameters_are_taken_or_refused_by_name(changes):
    try:
        p = params.checked({**SMOKE, **changes})
    except ParameterError as error:
        checks.clear(error)
        return
    assert set(changes) <= set(SMOKE), "unknown names are refused"
    assert params.checked(p.model_dump()) == p
    for name, value in changes.items():
        taken = getattr(p, name)
        assert taken == (float(value) if isinstance(taken, float) else value), name


#: What YAML promises and does not keep, and what is too deep or too long for Python.
PROMISES = ("!!int abc", "!!float x", "!!bool abc", "!!timestamp abc", "2020-13-45", "{a: " * 5000)
COMMANDS = st.one_of(TEXTS, VALUES.map(str), VALUES.map(lambda value: line_of(value).decode()))


@given(st.one_of(COMMANDS, st.sampled_from([*PROMISES, "9" * 5000, "[" * 5000, "!zero [1]"])))
@example("!!int ''")
def test_a_command_line_s_value_is_read_or_refused(text):
    checks.value(text)


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
    checks.score_rows(lines)


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
    checks.own_question(line)


@given(st.one_of(TEXTS, st.lists(TEXTS, max_size=8).map("\n".join)))
def test_a_generator_s_text_holds_whole_questions_or_none(text):
    checks.generated(text)


@given(TEXTS, st.lists(TEXTS.filter(str.strip), max_size=3), st.lists(TEXTS, max_size=4), TEXTS)
def test_a_judge_s_reply_is_a_verdict_or_none(said, answers, choices, response):
    checks.judged(said, answers, choices, response)


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
    checks.body(body)


ANSWERS = rows_of("key", "first", "texts", "model", *replies.TOKENS)
GOOD_ANSWER = {"key": "a", "first": 0, "texts": ["red"], "model": "any"}


@given(lines=st.lists(st.one_of(LINES, ANSWERS.map(line_of)), max_size=4), good=st.booleans())
def test_a_journal_s_lines_are_answers_or_counted(tmp_path_factory, lines, good):
    lines = [*lines, *[line_of(GOOD_ANSWER)] * good]
    content = b"\n".join(lines)
    answers, said = checks.journal(tmp_path_factory.getbasetemp() / "journal.jsonl", content)
    written = [line for line in content.splitlines() if line.strip()]
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
