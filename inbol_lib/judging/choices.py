"""Which option a response to a multiple-choice question takes: by its letter, by its text, or none."""

import re
import string
from collections.abc import Callable, Sequence
from functools import cache

from inbol_lib.judging.refusals import plain


def chosen(
    response: str, choices: Sequence[str], contains: Callable[[str, str], bool]
) -> int | None:
    """Index of the one option taken, None where there is none or more than one.

    A lone letter is that letter's option, also where options are named like letters. Otherwise the letter and the text must not
    contradict each other. `contains(response, text)` says whether an option's text stands in the response.
    """
    response = plain(response)
    lettered = _lettered(response, string.ascii_uppercase[: len(choices)])
    lone = re.fullmatch(r"\W*\w\W*", response)
    named = set() if lone and lettered else _named(response, choices, contains)
    said = (lettered & named or lettered | named) if len(lettered) <= 1 else lettered
    if len({choices[i] for i in said}) != 1:
        return None
    return min(said)


def _named(response: str, choices: Sequence[str], contains: Callable[[str, str], bool]) -> set[int]:
    """Options whose text stands in the response; "salt" is not named by "sea salt" when that is an option too."""
    named = {i: c for i, c in enumerate(choices) if contains(response, c)}
    return {
        i
        for i, c in named.items()
        if not any(c != other and contains(other, c) for other in named.values())
    }


@cache
def _letter(letters: str) -> tuple[re.Pattern, re.Pattern]:
    bare = letters.replace("A", "").replace(
        "I", ""
    )  # "A dog" and "I think" begin with words, not with letters
    key = r"(?i:(?:answer|option|choice|letter)\b(?:\s+(?:is|would\s+be))?[\s:*(\[{]*(?:(?:option|choice|letter)[\s:*(\[]*)?)"
    will = r"i\s+(?:would\s+|will\s+)?(?:choose|pick|select|go\s+with)\s+|i'd\s+(?:choose|pick|say|go\s+with)\s+"
    lead = rf"(?i:i\s+(?:think|believe)\s+(?:that\s+)?|it\s+is\s+|it's\s+|{will}|(?:the\s+|my\s+)?(?:\w+\s+)?{key}|\\boxed)"
    ends = r"(?=\W*$|[.:;,)\]}*]|\n|\s+(?:-|or|and|is|because|since|as)\b|\s+-)"
    one = rf"([{letters}{letters.lower()}]{ends}|[{bare or letters}](?![\w'+]))"
    return re.compile(rf"^\W*(?:{lead})*\W*{one}|{key}{one}"), re.compile(
        rf"\W*(?:,|/|&|or\b|and\b)\W*(?:option\s+)?([{letters}])(?!\w)"
    )


def _lettered(response: str, letters: str) -> set[int]:
    """The option letters that a response chooses: none, one, or several ("B or C")."""
    first, further = _letter(letters)
    found = first.search(response)
    if found is None:
        return set()
    also = further.match(response, found.end())
    return {
        letters.index(g.upper()) for g in (*found.groups(), *(also.groups() if also else ())) if g
    }
