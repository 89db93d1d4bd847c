"""Is a response a refusal, does it hold a gold answer: what can be read off it without a language model (paper, App. D.1)."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from inbol_lib.judging.choices import chosen
from inbol_lib.judging.refusals import is_refusal, plain

_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
          "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = {word: i for i, word in enumerate(_UNITS)} | {
    word: 10 * i for i, word in enumerate(_TENS, 2)
}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6}
_PRONOUN = {
    "this",
    "that",
    "the",
    "which",
    "each",
    "every",
    "any",
    "other",
    "another",
    "no",
}  # "this one" counts nothing
_DENIED_BEFORE = re.compile(
    r"\b(?:no|not(?! (?:only|just|far|sure|certain)\b)|\w+n't|never|neither|nor|without(?! (?:any )?doubt)|unlike|except"
    r"|instead of|rather than|other than)\b"
)
_DENIED_AFTER = re.compile(r" (?:is|are|was|were)(?:n't| not) (?:correct|right|true|answer|it)\b")


def _numerals(words: list[str]) -> list[str]:
    """Number words as digits: "two hundred and five" -> "205"."""
    out: list[str] = []
    value = None  # of the number that is being read
    for i, (before, word) in enumerate(zip(["", *words], words, strict=False)):
        if word in _SCALES and value is not None:
            value = (
                value * _SCALES[word]
                if value < _SCALES[word]
                else value + (value % 1000) * (_SCALES[word] - 1)
            )
        elif word in _SCALES and before == "a":
            value = _SCALES[word]
        elif word in _NUMBERS and not (word == "one" and before in _PRONOUN):
            joined = value is not None and (
                before in _SCALES
                or before == "and"
                or (before in _TENS and 0 < _NUMBERS[word] < 10)
            )
            if value is not None and not joined:
                out.append(str(value))
            value = _NUMBERS[word] + (value if joined else 0)
        elif not (
            word == "and"
            and value is not None
            and before in _SCALES
            and words[i + 1 : i + 2]
            and words[i + 1] in _NUMBERS
        ):
            out += [word] if value is None else [str(value), word]
            value = None
    return out if value is None else [*out, str(value)]


@cache
def normalise(text: str) -> str:
    """Lower case without accents, numbers as digits, no articles before a word, punctuation as spaces (signs, decimal points, clock
    times and fractions stay). "vitamin A" keeps its A, "the dog" loses its article; "none" is 0, as in VQA's own rules."""
    text = "".join(
        c
        for c in unicodedata.normalize("NFKD", plain(text).lower())
        if not unicodedata.combining(c)
    )
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"\b(?:[a-z]\.){2,}", lambda m: m[0].replace(".", "") + " ", text).replace(
        "%", " percent "
    )
    text = re.sub(r"(?<![\w.])\.(?=\d)", "0.", text)
    text = re.sub(
        r"(?<![\d.,])(\d+)\.(\d*?)0+(?!\d|[.,]\d)", lambda m: f"{m[1]}.{m[2]}".rstrip("."), text
    )  # 3.50 is 3.5, 3.0 is 3
    text = re.sub(
        r"(?<![\w.])([\d.]*\d)(?=(?:km|cm|mm|m|kg|g|mg|lb|lbs|oz|ml|l|ft|mph|am|pm|hz|w|v)\b)",
        r"\1 ",
        text,
    )
    text = re.sub(
        r"(?!(?<=\d)[.,:/^-](?=\d))(?!(?<!\w)-(?=\d))(?!(?<=[a-z+])[+#](?!\w))[^\w\s']", " ", text
    )
    words = _numerals(
        ["zero" if w == "none" else w for w in (w.strip("'") for w in text.split()) if w]
    )
    return " ".join(
        w
        for w, after in zip(words, [*words[1:], ""], strict=False)
        if w not in ("a", "an", "the") or not after
    )


@cache
def _clauses(text: str) -> str:
    """The normalised text with " |" where a clause ends, so that a "not" reaches no further."""
    return " | ".join(
        filter(
            None, map(normalise, re.split(r"[,;:!?.]+(?=\s)|\n|\s-+\s|(?=\bbut\b)", plain(text)))
        )
    )


def contains(response: str, gold: str) -> bool:
    """Whether the gold answer stands in the response as whole words and is not denied ("not red", "rather than red")."""
    response, words = _clauses(response), map(re.escape, normalise(gold).split())
    pattern = r"(?: \|)? ".join(words)
    for hit in (
        re.finditer(rf"(?<![\w.,:/^-]){pattern}(?!\w|[.,:/^-]\d|[+#])", response) if pattern else ()
    ):
        before = response[: hit.start()].rpartition("|")[2].split()[-3:]
        if not _DENIED_BEFORE.search(" ".join(before)) and not _DENIED_AFTER.match(
            response, hit.end()
        ):
            return True
    return False


def says(response: str) -> str:
    """Which of "yes" and "no" it says, "" for neither or both: the first of the two words, else a denial ("it isn't")."""
    text = re.sub(r"\bno (?:doubt|question|matter)\b", "", normalise(response))
    if re.search(r"\b(?:yes (?:and|or) no|no (?:and|or) yes)\b", text):
        return ""
    if said := re.search(r"\b(?:(yes|yeah|yep|yup)|no|nope|nah)\b", text):
        return "yes" if said[1] else "no"
    return (
        "no"
        if re.search(
            r"\b(?:is|are|was|were|do|does|did|has|have|can|could|will|would)(?:n't| not)\b", text
        )
        else ""
    )


def string_match(response: str, answers: Sequence[str], choices: Sequence[str] = ()) -> bool:
    """Right by string alone: any gold answer contained, or for multiple choice the option chosen by its letter or its text.

    Yes/no golds look at the first yes or no in the response; a letter and a text that contradict each other are wrong, and so are two
    options at once. Nothing is ever guessed.
    """
    if choices:
        picked = chosen(response, choices, contains)
        return picked is not None and choices[picked] in answers
    golds = {normalise(a) for a in answers}
    return (
        says(response) in golds
        if golds <= {"yes", "no"}
        else any(contains(response, gold) for gold in answers)
    )


def matched(row: dict, response: str) -> str:
    """The outcome word by rules alone, "" where they can not tell. An unanswerable question (no answers) is never answered right.

    Who takes an option that itself declines ("I don't know", "Sorry, I can't help with it") declines, unless that option is the right one.
    """
    choices = row["choices"]
    if is_refusal(response) and normalise(response) not in map(normalise, choices):
        return "refusal"
    if row["answers"] and string_match(response, tuple(row["answers"]), tuple(choices)):
        return "correct"
    if (
        choices
        and (taken := chosen(response, choices, contains)) is not None
        and is_refusal(choices[taken])
    ):
        return "refusal"
    return "" if row["answers"] and response.strip() and not choices else "incorrect"
