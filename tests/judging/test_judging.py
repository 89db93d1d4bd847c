import pytest
from sklearn.metrics import cohen_kappa_score

from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.errors import EndpointError
from inbol_lib.judging import hybrid, matching
from inbol_lib.micro import world
from inbol_lib.micro.world import grammar
from inbol_lib.micro.world.randomness import rng_of

pytest_plugins = ["serving"]


@pytest.mark.parametrize("template", REFUSAL_TEMPLATES)
def test_every_template_and_its_variants_are_refusals(template):
    core = template.removeprefix("Sorry, ")
    for text in (
        template,
        core,
        f"I'm sorry, but {core}",
        template.lower(),
        template.replace("'", "\u2019"),
        template.rstrip("."),
    ):
        assert matching.is_refusal(text), text


@pytest.mark.parametrize(
    "text",
    [
        "I'm afraid I cannot answer that.",
        "Unfortunately, I don't know.",
        "As an AI, I can't determine that.",
        "I dont know",
        "Sorry.",
        "I cannot determine the brand from this image.",
        "It is not possible to tell from the image.",
        "It's impossible to say who made it.",
        "The image does not provide enough information to answer.",
        "The image doesn't show who made it.",
        "No idea",
        "There is no information about the price in the image.",
        "There is no way to know.",
        "The price cannot be determined from the image.",
        "I have no idea.",
        "Unanswerable.",
        "I won't be able to answer.",
        "I apologize, but I cannot answer.",
        "Not sure.",
        "Without more context, I cannot answer this question.",
        "Based on the image, it is not possible to determine the price.",
        "I can't answer that, but I can describe the picture.",
        "I don't have the data, so I can't answer.",
        "Sorry, I answer this with it.",
    ],
)
def test_other_ways_to_decline(text):
    assert matching.is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "I can't see any dog in the picture, so the answer is no.",
        "The image does not contain a dog.",
        "The picture doesn't show a person.",
        "There is not enough room for the car.",
        "It does not show a cat; it shows a dog.",
        "No information sign, just a stop sign.",
        "I do not have a dog; the picture shows a cat.",
        "Sorry, it's red.",
        "Sorry, no.",
        "I'm not sure, maybe red",
        "It is not enough.",
        "I am not certain, but red.",
        "I can not see a circle.",
        "Sorry, I can't be certain, but the answer is 4.",
        "It is not clear.",
        "Sorry, wrong answer: it is not a square but a circle.",
        "The text says 'Sorry, we are closed'.",
        "Sorry, we are closed",
        "It's hard to tell, but it appears to be a dog.",
        "I cannot identify people, but the man wears a red shirt.",
        "I can see it.",
        "",
        "Sorry, I think it is red.",
        "I am not sure, but I can see a dog.",
    ],
)
def test_hedged_and_negative_answers_are_answers(text):
    assert not matching.is_refusal(text)


@pytest.mark.parametrize(
    "text",
    [
        "red",
        "no",
        "No.",
        "not red",
        "There is no dog in the picture.",
        "The sign is unclear because of snow, but it says STOP.",
        "I'm not sure, but it looks like a cat.",
        "It is not a circle.",
        "The man is sorry.",
        "Nobody knows him.",
        "none",
        "unknown",
        "It can not be seen from the left, so he turns right.",
    ],
)
def test_answers_are_not_refusals(text):
    assert not matching.is_refusal(text)


@pytest.mark.parametrize(
    ("response", "gold", "right"),
    [
        ("It is red.", "red", True),
        ("redder", "red", False),
        ("10", "1", False),
        ("two", "2", True),
        ("2", "two", True),
        ("not red", "red", False),
        ("not Mark Twain", "Mark Twain", False),
        ("3.5", "3", False),
        ("1,000", "1000", True),
        ("", "red", False),
        ("re", "red", False),
        ("a red circle", "the red circle", True),
        ("No, it is not", "no", True),
        ("yes", "no", False),
        ("yes, no doubt", "yes", True),
        ("know", "no", False),
        ("vitamin C", "vitamin A", False),
        ("-5", "5", False),
        ("vitamin a", "vitamin A", True),
        ("$5", "5", True),
        ("twenty-one", "21", True),
        ("thirteen", "13", True),
        ("10,5", "5", False),
        ("this one is red", "1", False),
        ("it isn't red", "red", False),
        ("Caf\u00e9", "cafe", True),
        ("U.S.A.", "USA", True),
        ("A", "a", True),
        ("there is no dog", "dog", False),
        ("no, blue", "blue", True),
        ("3 4", "34", False),
        ("-5", "-5", True),
        ("the", "", False),
    ],
)
def test_string_match(response, gold, right):
    assert matching.string_match(response, [gold]) is right


@pytest.mark.parametrize(
    ("response", "right"),
    [
        ("B", True),
        ("(B)", True),
        ("b.", True),
        ("Answer: B", True),
        ("The answer is B", True),
        ("salt", True),
        ("B. salt", True),
        ("A. salt", False),
        ("A", False),
        ("tea or salt", False),
        ("Because of this", False),
        ("", False),
    ],
)
def test_multiple_choice(response, right):
    assert matching.string_match(response, ["salt"], ["tea", "salt", "gold"]) is right


@pytest.mark.parametrize(
    ("response", "right"),
    [
        ("B or C", False),
        ("B, C", False),
        ("A and B", False),
        ("not B", False),
        ("The answer is not B", False),
        ("E", False),
        ("sea salt", False),
        ("A dog", False),
        ("Option B is correct", True),
        ("The correct answer is option (B) salt", True),
        ("B because it is salty", True),
        ("B salt", True),
        ("It is B", True),
        ("**B**", True),
        ("[B]", True),
        ("answer:b", True),
        ("I think the answer is B.", True),
        ("The flag is red. Answer: B", True),
        ("Answer: B, not A", True),
        ("B. salt, unlike tea", True),
    ],
)
def test_letters_in_a_sentence(response, right):
    assert matching.string_match(response, ["salt"], ["tea", "salt", "sea salt", "gold"]) is right


def test_an_option_inside_another_one_and_one_named_like_a_letter():
    assert matching.string_match("sea salt", ["sea salt"], ["tea", "salt", "sea salt"])
    assert not matching.string_match("Sample B", ["Sample A"], ["Sample A", "Sample B"])
    assert matching.string_match("I. salt", ["salt"], ["tea", "salt"]), (
        "I is no letter of two options"
    )
    assert matching.string_match("I", ["i8"], [f"i{k}" for k in range(9)])


def test_refusal_comes_before_correctness():
    row = {"question": "Is it?", "answers": ["no"], "choices": []}
    assert hybrid.judge(
        [row] * 3, ["Sorry, I have no answer and can't help.", "no", "maybe"], "string"
    ) == ["refusal", "correct", "incorrect"]


def test_an_unanswerable_question_is_never_answered_right():
    row = {"question": "Who?", "answers": [], "choices": []}
    assert hybrid.judge([row], ["Bob"], "string") == ["incorrect"]


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("yes", True),
        ("Yes.", True),
        (" no", False),
        ("maybe", None),
        ("", None),
        ("I say yes", None),
        ("yesterday", None),
        ("Nope.", False),
        ("**Yes**", True),
        ("Yes, the two", True),
        ("No - they", False),
        ("YES\n", True),
        ("no idea", None),
        ("Yes or no", None),
        ("Yes/No", None),
        ("yes and no", None),
        ("Yes, no", None),
        ("None", None),
        ("not the same", None),
        ("No one", None),
        ("1", None),
        ("yes yes", None),
    ],
)
def test_verdicts_are_parsed_strictly(text, verdict):
    assert hybrid.parse_verdict(text) is verdict


def test_the_micro_judge_knows_synonyms_and_differences():
    row = {"question": "What color is it?", "answers": ["gray"], "choices": []}
    assert hybrid.judge([row, row], ["grey", "blue"], "micro-judge") == ["correct", "incorrect"]


def test_an_unreadable_verdict_is_unjudged(monkeypatch):
    unclear = lambda prompts, _: ["perhaps"] * len(prompts)  # noqa: E731
    monkeypatch.setattr(hybrid, "_local", lambda judge: unclear)
    row = {"question": "What color is it?", "answers": ["gray"], "choices": []}
    assert hybrid.judge([row], ["ash"], "any") == ["unjudged"]


def test_the_hybrid_evaluator_agrees_better_with_the_world_than_string_match():
    rows = [
        r
        for r in world.questions("vqav2", "validation", 300).remove_columns("image").to_list()
        if not r["choices"]
    ]
    said = [
        grammar.speak(rows[(i * 7) % len(rows) if i % 2 else i]["answers"][0], rng_of("said", i))
        for i in range(len(rows))
    ]
    truth = [s in r["accepted"] for r, s in zip(rows, said, strict=True)]
    kappa = {
        j: cohen_kappa_score(truth, [v == "correct" for v in hybrid.judge(rows, said, j)])
        for j in ("string", "micro-judge")
    }
    assert kappa["micro-judge"] > kappa["string"] > 0.5


def calls_grey_right(text, image):
    if "boom" in text:
        return None
    return "Right." if "Response: grey" in text else "wrong"


def test_an_endpoint_judges_each_distinct_triple_once(serve):
    asked = serve(calls_grey_right)
    row = {"question": "What {color} is it?", "answers": ["gray"], "choices": []}
    assert hybrid.judge([row] * 5, ["grey", "blue", "grey", "gray", ""], "endpoint:judge") == [
        "correct",
        "incorrect",
        "correct",
        "correct",
        "incorrect",
    ]
    assert len(asked) == 2


def test_a_request_that_keeps_failing_is_unjudged_after_retries(serve):
    asked = serve(calls_grey_right)
    row = {"question": "What color is it?", "answers": ["gray"], "choices": []}
    assert hybrid.judge([row] * 2, ["boom", "grey"], "endpoint:judge") == ["unjudged", "correct"]
    assert sum("boom" in text for text, _ in asked) == 2


def test_a_wrong_key_or_a_dead_server_stops_instead_of_leaving_all_unjudged(serve, monkeypatch):
    serve(calls_grey_right)
    row = {"question": "What color is it?", "answers": ["gray"], "choices": []}
    monkeypatch.setenv("OPENAI_API_KEY", "wrong")
    with pytest.raises(EndpointError, match="failed"):
        hybrid.judge([row], ["grey"], "endpoint:judge")
    monkeypatch.setenv("OPENAI_BASE_URL", "http://127.0.0.1:9/v1")
    with pytest.raises(EndpointError, match="no server answers at http://127.0.0.1:9/v1/"):
        hybrid.judge([row], ["grey"], "endpoint:judge")
