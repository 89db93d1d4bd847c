"""One form for answers that mean the same: numbers, units, abbreviations, signs (ours).

Follows VQA's own normaliser where that is sensible: digits for number words, no articles, no
punctuation, contractions with or without their apostrophe.
"""

import re
import unicodedata
from functools import lru_cache

from inbol_lib.judging.wording import plain

_UNITS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
    " sixteen seventeen eighteen nineteen"
).split()
_TENS = "twenty thirty forty fifty sixty seventy eighty ninety".split()
_NUMBERS = {word: i for i, word in enumerate(_UNITS)}
_NUMBERS |= {word: 10 * i for i, word in enumerate(_TENS, 2)}
_SCALES = {"hundred": 100, "thousand": 1000, "million": 10**6}
#: "this one" and "no one" count nothing.
_PRONOUNS = {"this", "that", "the", "which", "each", "every", "any", "other", "another", "no"}
_ARTICLES = ("a", "an", "the")

#: Units that may stand right behind a number: "5km" is "5 km".
_MEASURES = (
    "km cm mm nm m kg g mg lb lbs oz ml cl dl l ft mph kph rpm am pm hz khz mhz ghz w kw mw kwh v"
    " kv mv"
    " ma mah \u03c9 k\u03c9 m\u03c9 kb mb gb tb kj pa kpa mpa psi sec min hr hrs"
).split()
_MEASURED = re.compile(rf"(?<![\w.])(\d[\d.]{{0,30}})(?=(?:{'|'.join(_MEASURES)})(?!\w))")
#: "U.S.", "p.m.", "J.K." are one word each; "J. K. Rowling" too.
_INITIALS = re.compile(r"(?<![\w.])(?:[^\W\d_]\. ?){1,7}[^\W\d_]\.(?!\w)")
# What stands before a sign is asked last, because finding the sign first is much faster.
_GROUPED = re.compile(r"[,'](?=\d{3}(?!\d))(?<=\d[,'])")
_LEADING_POINT = re.compile(r"\.(?=\d)(?<![\w.]\.)")
_POWER = re.compile(r"\^(?=\w)(?<=[^\W\d_]\^)")
_DECIMAL = re.compile(r"(?<![\d.,])(\d{1,40})\.(\d{1,40})(?!\d|[.,]\d)")
#: Everything but word characters, apostrophes, what joins digits (10:30, 1/4, 3-4, 10^5), a leading
#: minus and the signs of C++ and C#.
_PUNCTUATION = re.compile(
    r"(?=[^\w\s'])(?!(?<=\d)[.,:/^-](?=\d))(?!(?<!\w)-(?=\d))(?!(?<=[a-z+])[+#](?!\w))."
)


def joined_initials(text: str) -> str:
    """Return text with initials joined: "U.S. Army" as "US Army", "5 p.m." as "5 pm"."""
    return _INITIALS.sub(lambda found: re.sub(r"[. ]", "", found[0]), text)


def _rounded(found: re.Match) -> str:
    """Return 3.5 for 3.50 and 3 for 3.0."""
    decimals = found[2].rstrip("0")
    return f"{found[1]}.{decimals}" if decimals else found[1]


def _scaled(value: int, scale: int) -> int:
    """Return the number read so far, times a hundred, thousand or million."""
    return value * scale if value < scale else value + (value % 1000) * (scale - 1)


def numerals(words: list[str]) -> list[str]:
    """Return number words as digits: two hundred and five -> 205."""
    out: list[str] = []
    value = None  # of the number that is being read
    for i, word in enumerate(words):
        before = words[i - 1] if i else ""
        after = words[i + 1] if i + 1 < len(words) else ""
        if word in _SCALES and (value is not None or before == "a"):
            value = _SCALES[word] if value is None else _scaled(value, _SCALES[word])
            value = value if value < 10**15 else 10**15
        elif word in _NUMBERS and not (word == "one" and before in _PRONOUNS):
            small = before in _TENS and 0 < _NUMBERS[word] < 10
            joins = value is not None and (before in _SCALES or before == "and" or small)
            if value is not None and not joins:
                out.append(str(value))
            value = _NUMBERS[word] + (value if joins else 0)
        elif word == "and" and value is not None and before in _SCALES and after in _NUMBERS:
            continue
        else:
            out += [word] if value is None else [str(value), word]
            value = None
    return out if value is None else [*out, str(value)]


@lru_cache(4096)
def normalise(text: str) -> str:
    """One form of a text, for comparing.

    Lower case without accents, numbers as digits, no article before a word, punctuation as spaces
    (signs, decimal points, clock times and fractions stay). "vitamin A" keeps its A, "the dog"
    loses its article; "none" is 0, as in VQA's own rules.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        Words with single spaces; empty for a text of signs alone.
    """
    text = joined_initials(plain(text)).lower()
    if not text.isascii():
        text = unicodedata.normalize("NFKD", text)
        text = "".join(char for char in text if not unicodedata.combining(char))
    text = _GROUPED.sub("", text).replace("%", " percent ")
    text = _DECIMAL.sub(_rounded, _LEADING_POINT.sub("0.", text))
    text = _POWER.sub("", text)  # x^2 and x2 are one, 10^5 is not 105
    text = _PUNCTUATION.sub(" ", _MEASURED.sub(r"\1 ", text))
    stripped = (word.strip("'") for word in text.split())
    words = numerals(["zero" if word == "none" else word for word in stripped if word])
    last = len(words) - 1
    return " ".join(w for i, w in enumerate(words) if w not in _ARTICLES or i == last)


#: Marks that only end or part sentences are no answer.
_MARKS = set(".,;:!?'\"-()[]")


def is_sign(text: str) -> bool:
    """Whether a text consists of signs that can be an answer: "#", "\u2665", "> "."""
    signs = {char for char in text if not char.isspace()}
    return bool(signs) and not any(char.isalnum() for char in signs) and not signs <= _MARKS


def stands_in(part: str, text: str) -> bool:
    """Whether a part stands in a text as it is, with no more letters or signs around it.

    Parameters
    ----------
    part, text : str
        Case, signs and spaces count: "C" does not stand in "C#".
    """
    start = text.find(part) if part else -1
    while start >= 0:
        around = text[max(0, start - 1) : start] + text[start + len(part) : start + len(part) + 1]
        if not any(char.isalnum() or char in "+#\u266d\u266f<>=*" for char in around):
            return True
        start = text.find(part, start + 1)
    return False
