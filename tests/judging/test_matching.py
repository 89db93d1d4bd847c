"""Right by string alone: open answers, numbers, yes and no, options."""

import hard_cases
import pytest
from test_refusals import lines

from inbol_lib.judging.matching import contains, normalise, says, string_match


@pytest.mark.parametrize(
    ("response", "gold", "right"),
    [
        # numbers
        ("10:30", "10", False),
        ("It is 10:30.", "10:30", True),
        ("1/4", "1", False),
        ("1/4", "1/4", True),
        ("3-4 people", "3", False),
        ("3.0", "3", True),
        ("It costs 3.50.", "3.5", True),
        (".5", "0.5", True),
        ("30.0", "30", True),
        ("300", "30", False),
        ("5%", "5 percent", True),
        ("two hundred and five", "205", True),
        ("two thousand five hundred", "2500", True),
        ("250", "25", False),
        ("one hundred thousand", "100000", True),
        ("a hundred", "100", True),
        ("twenty five hundred", "2500", True),
        ("5 and 6", "56", False),
        ("one and two", "3", False),
        ("five and six", "5", True),
        ("5km", "5 km", True),
        ("5km", "5", True),
        ("the 1st", "1", False),
        ("10\u2075", "105", False),
        ("\u22125", "-5", True),
        ("$1,000.00", "1000", True),
        ("none", "0", True),
        ("zero", "none", True),
        ("-5", "5", False),
        ("10:30", "30", False),
        ("sacred", "red", False),
        ("1.2.3", "1.2", False),
        ("2019-2020", "2019", False),
        ("3:2", "3", False),
        ("no one", "1", False),
        ("someone", "1", False),
        # denial
        ("not only red but blue", "blue", True),
        ("not only red", "red", True),
        ("It isn't red, it's blue", "blue", True),
        ("no dog", "dog", False),
        ("not a cat, a dog", "dog", True),
        ("not a cat, a dog", "cat", False),
        ("neither red nor blue", "blue", False),
        ("There is no big dog", "dog", False),
        ("blue rather than red", "red", False),
        ("blue instead of red", "blue", True),
        ("Mark Twain is not the author", "Mark Twain", True),
        ("Red is not correct", "red", False),
        ("not far from the red house", "red house", True),
        ("No, red", "red", True),
        ("without any doubt blue", "blue", True),
        ("everything but salt", "salt", True),
        ("It doesn't look red", "red", False),
        ("never red", "red", False),
        ("The dog is not moving", "dog", True),
        # words
        ("credit", "red", False),
        ("red-haired", "red", True),
        ("black and white", "black-and-white", True),
        ("C++", "C", False),
        ("C", "C++", False),
        ("C++", "c++", True),
        ("Washington, D.C.", "Washington DC", True),
        ("New York City", "New York", True),
        ("York", "New York", False),
        ("S\u00e3o Paulo", "Sao Paulo", True),
        ("St. Bernard", "St Bernard", True),
        ("$MgS$", "MgS", True),
        ("dog's", "dog", True),
        ("RED!", "red", True),
        ("\u201cred\u201d", "red", True),
        ("all but one", "all but 1", True),
        ("", "", False),
        ("?", "?", False),
        ("\uff32\uff25\uff24", "red", True),
        ("re d", "red", False),
        ("in the\nkitchen", "the kitchen", True),
    ],
)
def test_open_answers(response, gold, right):
    assert contains(response, gold) is right


def test_any_gold_of_a_list_is_enough_and_never_the_other_way_round():
    assert string_match("It is gray.", ["grey", "gray"])
    assert string_match("24/7", ["24/7", "3.429"])
    assert not string_match("a", ["a cat", "cat"])
    assert not string_match("", ["", "the"])


@pytest.mark.parametrize(
    ("response", "word"),
    [
        ("Yes.", "yes"),
        ("yeah", "yes"),
        ("No", "no"),
        ("Nope!", "no"),
        ("It isn't.", "no"),
        ("It is not red.", "no"),
        ("No doubt, yes.", "yes"),
        ("Yes, it is not far.", "yes"),
        ("yes or no", ""),
        ("yes and no", ""),
        ("", ""),
        ("red", ""),
        ("I know.", ""),
        ("not", ""),
        ("nobody", ""),
        ("The answer is no, yes is wrong.", "no"),
        ("There are no dogs.", "no"),
        ("YES", "yes"),
        ("eyes", ""),
        ("I'm not sure, but yes.", "yes"),
        ("The dog does not look sad.", "no"),
        ("He can't.", ""),
        ("Not at all, no.", "no"),
    ],
)
def test_yes_and_no(response, word):
    assert says(response) == word
    assert string_match(response, ["yes"]) is (word == "yes")
    assert string_match(response, ["No."]) is (word == "no")


FOUR = ["tea", "salt", "sea salt", "gold"]


@pytest.mark.parametrize(
    "response",
    [
        "B",
        "b",
        "(B)",
        "(b)",
        "B.",
        "B)",
        "[B]",
        "{B}",
        " B ",
        "B:",
        "B\n",
        "**B**",
        "Answer: B",
        "answer: b",
        "The answer is B.",
        "The answer is (B).",
        "The correct answer is B",
        "The correct option is B.",
        "Option B",
        "option (B)",
        "Final answer: B",
        "My choice: B",
        "I choose B.",
        "It's B",
        "I would go with B.",
        "I think B.",
        "I think it is B.",
        "\\boxed{B}",
        "The answer: \\boxed{B}",
        "B. salt",
        "B) salt",
        "(B) salt",
        "B: salt",
        "B - salt",
        "B salt",
        "salt",
        "Salt.",
        "It is salt.",
        "The answer is salt",
        "B because it is salty",
        "B, as it is salty",
        "B\nBecause of it.",
        "Letter B",
        "I'd say B",
        "Answer: B. salt",
        "B is right",
        "The answer is B, salt, not A.",
        "salt (B)",
    ],
)
def test_every_way_to_take_an_option(response):
    assert string_match(response, ["salt"], FOUR)
    assert not string_match(response, ["gold"], FOUR)
    assert not string_match(response, ["tea"], FOUR)


@pytest.mark.parametrize(
    "response",
    [
        "B. tea",
        "(B) gold",
        "A. salt",
        "Answer: C. salt",
        "B or C",
        "B, C",
        "A and B",
        "B/D",
        "Either A or B",
        "tea or salt",
        "A, B, C, D",
        "not B",
        "It is not B.",
        "E",
        "F.",
        "(E)",
        "Because of it",
        "",
        "?",
        "Both",
        "all of them",
        "A dog",
        "I think so",
        "Bee",
        "Best",
        "salty",
        "tea, salt and gold",
        "The answer is not B",
        "None of these",
    ],
)
def test_no_option_or_two_or_a_contradiction_is_wrong_never_guessed(response):
    assert not any(string_match(response, [gold], FOUR) for gold in ("salt", "sea salt")), response


@pytest.mark.parametrize("n", range(2, 10))
def test_two_to_nine_options(n):
    options = [f"item{k}" for k in range(n)]
    for k, letter in enumerate("ABCDEFGHI"[:n]):
        for form in (
            letter,
            f"({letter})",
            f"{letter}.",
            f"Answer: {letter}",
            letter.lower(),
            f"{letter}. item{k}",
            f"item{k}",
        ):
            assert string_match(form, [options[k]], options), form
            assert not string_match(form, [options[k - 1]], options), form
    assert not any(string_match("ABCDEFGHIJ"[n], [option], options) for option in options), (
        "a letter beyond the last option"
    )


def test_options_that_are_letters_numbers_or_yes_and_no():
    assert string_match("A", ["B"], ["B", "A"]), "a lone letter is the letter of an option"
    assert string_match("10", ["10"], ["1", "10", "100"])
    assert string_match("The answer is 3.", ["3"], ["1", "2", "3", "4"])
    assert not string_match("C. 2", ["3"], ["1", "2", "3", "4"])
    assert string_match("No, it is not.", ["no"], ["yes", "no"])
    assert string_match("-2.5", ["-2.5"], ["2.5", "-2.5"])
    assert not string_match("2.5", ["-2.5"], ["2.5", "-2.5"])


def test_options_of_the_same_text_are_the_same_answer():
    assert string_match("A", ["x + 1"], ["x + 1", "x", "x + 1"])
    assert string_match("x + 1", ["x + 1"], ["x + 1", "x", "x + 1"])


def test_normalising_is_idempotent():
    for text in (
        *lines(hard_cases.ANSWERS),
        "two hundred and five",
        "3.50%",
        "C++ and C#",
        "10:30 am",
        "U.S.A.",
    ):
        assert normalise(normalise(text)) == normalise(text)
