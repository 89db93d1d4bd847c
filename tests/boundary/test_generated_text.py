import time

import pytest

from inbol_lib.boundary.generated_text import parse_pairs

#: The questions "What is it?" and "Who?", in forms that models really wrote.
TWO_QUESTIONS = [
    "Question: What is it?\nExplanation: Sorry, no.\nQuestion: Who?\nExplanation: Sorry.",
    "**Question 1:** What is it?\n**Explanation 1:** Sorry, no.\n\n"
    "**Question 2:** Who?\n**Explanation 2:** Sorry.",
    "Question: {What is it?}\nExplanation: {Sorry, no.}\n\nQuestion: {Who?}\n\nExplanation: Sorry.",
    '```json\n[\n  {\n    "question": "What is it?",\n    "explanation": "Sorry, no."\n  },\n'
    '  {"question": "Who?", "explanation": "Sorry: no."}\n]\n```',
    '[{"question": "What is it?", "explanation": "Sorry, no."}, '
    '{"question": "Who?", "explanation": "Sorry."}]',
    '{"questions": [{"question": "What is it?", "response": "Sorry."}, '
    '{"question": "Who?", "response": "Sorry."}]}',
    '{"Question 1": "What is it?", "Explanation 1": "Sorry.", '
    '"question_2": "Who?", "explanation_2": "Sorry."}',
    "Q1: What is it?\nE1: Sorry, no.\nQ2: Who?\nE2: Sorry.",
    "Q1. What is it?\nA1. Sorry, no.\nQ2. Who?\nA2. Sorry.",
    "Question 1 (non-existing subject): What is it?\nExplanation 1: Sorry.\n\n"
    "Question 2 (not derivable): Who?\nExplanation: Sorry.",
    "### Question 1\nWhat is it?\n\n### Explanation 1\nSorry, no.\n\n"
    "### Question 2\nWho?\n\n### Explanation 2\nSorry.",
    "## Question 1: a non-existing subject\n**What is it?**\n\n"
    "## Question 2: information that is missing\n**Who?**",
    "1. What is it?\n   Explanation: Sorry, no.\n2. Who?\n   Explanation: Sorry.",
    "1. What is it?\n2. Who?",
    "What is it?<br>".join(["Question: ", "Explanation: Sorry.<br>Question: Who?"]),
    "__Question:__ What is it?\n__Explanation:__ Sorry.\n_Question:_ Who?\n_Explanation:_ No.",
    "<think>\nQuestion: Where?\nToo easy.\n</think>\nQuestion: What is it?\nQuestion: Who?",
    "| Question | Explanation |\n|---|---|\n| What is it? | Sorry, a |\n| Who? | Sorry, b |",
    "1. **Question:** What is it?\n   **Explanation:** Sorry.\n"
    "2. **Question:** Who?\n   **Explanation:** Sorry.",
    "- Question: What is it?\n- Response: Sorry, no.\n- Question: Who?\n- Response: Sorry, no.",
    "Question: What is it?\n\nQuestion: Who?",
    "Question: What is it?\nSorry, this can not be seen.\n\nQuestion: Who?\nSorry, no.",
    "Question: What is it? Explanation: Sorry, no. Question: Who? Explanation: Sorry.",
    "Question: What is it?\r\nExplanation: Sorry, no.\r\n\r\nQuestion: Who?\r\nExplanation: Sorry.",
    "Sure! Here are two unanswerable questions based on the image:\n\n"
    "Question: What is it?\nExplanation: Sorry, no.\n\nQuestion: Who?\nExplanation: Sorry.\n\n"
    "Let me know if you need more questions! Shall I go on?",
    "Question: \u201cWhat is it?\u201d\nExplanation: \u201eSorry, no.\u201c\n"
    "Question: \u201eWho?\u201c",
    "Question 1 : \u00ab What is it? \u00bb\nExplanation\uff1a \u00ab Sorry. \u00bb\n"
    "Question\uff1a\u300cWho?\u300d",
    "Question: What is it?\nExplanation: Sorry, the question mark: it is not there.\n"
    "Question: Who?\nExplanation: Sorry, no such",
]
CHINESE = "\u9019\u662f\u4ec0\u9ebc\uff1f"


@pytest.mark.parametrize("text", TWO_QUESTIONS)
def test_pairs_are_parsed_as_models_write_them(text):
    assert [question for question, _ in parse_pairs(text)] == ["What is it?", "Who?"]


def test_an_explanation_is_kept_with_its_question():
    text = '{"question": "What is it?", "explanation": "Sorry, there is \\"nothing\\"."}\nQ2: Who?'
    assert parse_pairs(text) == [("What is it?", 'Sorry, there is "nothing".'), ("Who?", "")]


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("I can not do that.", []),
        ("I'm sorry, I can't see it. Could you share it? Then I can write the questions.", []),
        ("", []),
        ("Question: Who?\nExplanation: Sorry.\n\nQuestion: What color is the", ["Who?"]),
        (
            "Question: What time is it, 3:15 or 4:10?\nExplanation: Sorry: no clock.",
            ["What time is it, 3:15 or 4:10?"],
        ),
        ("Question: Name the owner.\nExplanation: Sorry.", ["Name the owner."]),
        (f"Question\uff1a\u300c{CHINESE}\u300d\nExplanation\uff1aSorry", [CHINESE]),
    ],
)
def test_what_is_cut_off_or_no_question_is_left_out(text, asked):
    assert [question for question, _ in parse_pairs(text)] == asked


@pytest.mark.parametrize(
    ("text", "question"),
    [
        ("Question: What does the man\nbehind the bar say?\nExplanation: x", None),
        ("Question: The man reads.\nWhat does he read?\nExplanation: x", None),
        ("Question: Is the response: warm or cold?\nExplanation: x", None),
        ('Question: "Exit" stands where?\nExplanation: x', None),
        ('"question": "Where is the \\"exit\\"?",', 'Where is the "exit"?'),
    ],
)
def test_a_question_is_taken_whole(text, question):
    whole = text.partition("Question: ")[2].partition("\nExplanation")[0].replace("\n", " ")
    assert [asked for asked, _ in parse_pairs(text)] == [question or whole]


@pytest.mark.parametrize(
    "part", ["Question\n", "Question ", "\n", "Q1. ", "|", '"question": "', "_", "# "]
)
def test_reading_takes_time_in_proportion_to_the_length(part):
    start = time.process_time()
    parse_pairs("Question" + part * (100_000 // len(part)))
    assert time.process_time() - start < 2
