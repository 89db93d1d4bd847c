"""What can be read off a response without a language model: is it a refusal, does it hold a gold answer (paper, App. D.1)."""

import re
import unicodedata
from collections.abc import Sequence
from functools import cache

from inbol_lib.records import LETTERS

_CAN = r"""(?:can(?:no|')?t | can\s+not | could(?:n't|\s+not) | won't\s+be\s+able\s+to
  | (?:am|'m|will|would)\s+(?:unable|not\s+(?:be\s+)?able|not\s+equipped)\s+to)"""
_SORRY = r"(?:i\s*(?:am|'m)\s+)?(?:very\s+|so\s+|really\s+)?sorry\b"
_PREAMBLE = rf"""
    {_SORRY} | i\s*(?:am|'m)\s+afraid | (?:my\s+)?apologies | i\s+apologi[sz]e | unfortunately | as\s+an?\s+[\w\s]+, | without\s+[^.,]+,
  | (?:based\s+on|judging\s+by|from|in)\s+(?:this|the)\s+(?:image|picture|photo)[^.,]*,
"""
_INABILITY = rf"""
    i \s+ (?:\w+ly\s+)? (?:do\s+not|don't|dont) \s+ (?:\w+ly\s+)? (?:know | have (?:\s+\w+){{0,3}} \s+
      (?:answer|information|knowledge|expertise|data|context|details?|idea|clue|access|way)) \b
  | i \s+ have \s+ no \s+ (?:idea|clue|answer|information|knowledge|way)
  | i \s* {_CAN} (?! \s+ (?:\w+ly\s+)? (?:see|find|spot|detect)\b
      (?!\s+(?:it|that|this|the\s+image|anything|well|clearly|enough)\b))
  | (?:i\s*(?:am|'m)\s+)? (?:\w+ly\s+)? (?:not\s+(?:\w+ly\s+)?(?:sure|certain|familiar)|unsure|uncertain) \b
  | i \s* (?:would|'d)? \s* need \s+ more
  | (?:this|that|it|(?:this|the)\s+question) \s+ (?:is|lies|falls) \s+ (?:outside|beyond) \s+ (?:of\s+)? my
  | (?:(?:the|this|that|it|its)\s+)? (?:\w+\s+){{0,5}}? {_CAN} \s+ be \s+ (?:determined|answered|known|told|identified|inferred)
  | (?:it|this|that) \s* (?:is|'s) \s+ (?:not\s+(?:possible|clear)|impossible|unclear|hard|difficult) \s+
      (?:for\s+me\s+)? (?:to|from|what|who|which|how)\b
  | (?:the|this) \s+ (?:image|picture|photo) \s+ (?:does\s+not|doesn't) \s+ (?:\w+\s+)
    (?:(?:enough|sufficient|any)\s+(?:\w+\s+)?(?:information|context|detail|clue|evidence)
      | what|who|where|when|why|how|which|whether)
  | (?:there\s*(?:is|'s)\s+)? (?:not\s+enough|no|insufficient) \s+ (?:\w+\s+)? (?:information|context|evidence|way)
    (?= \W*$ | \s+ (?:about|on|to|of|in|is|available|given|provided)\b)
  | no \s+ (?:idea|clue) \b | unanswerable \b | cannot \s+ say \b
"""
#: The last branch: "Sorry, I ..." declines however it goes on, so that a slip in a learned refusal is not taken for an answer.
_REFUSAL = re.compile(
    rf"^\W*(?:(?:(?:{_PREAMBLE})\W*(?:(?:but|that)\W+)?){{0,3}}(?:{_INABILITY})|{_SORRY}\W*(?:$|(?:but\W+)?(?=i\b)))", re.X | re.I
)
_TURN = re.compile(r"\b(?:but|however|although|though|so)\b\W*(?P<rest>\w.*)", re.I | re.S)
_OFFER = re.compile(
    rf"(?:i\s+(?:can|could|will|would|am)\b(?!\s+see)|i'[dlm]|(?:if|please|feel|you|let|not|no)\b|there\s+is\s+no|{_INABILITY})",
    re.X | re.I,
)
_GUESS = re.compile(
    r"\b(?:maybe|perhaps|probably|possibly|likely|my\s+(?:best\s+)?guess|i\s+(?:think|guess|believe|would\s+say)"
    r"|(?:looks\s+like|appears?\s+to\s+be|seems?\s+to\s+be|(?:might|may|could)\s+be))\b\W*\w", re.I)  # fmt: skip


def plain(text: str) -> str:
    """Compatibility characters and curly quotes as their plain forms, no space around."""
    return unicodedata.normalize("NFKC", text).strip().replace("\u2019", "'").replace("\u2018", "'")


def is_refusal(text: str) -> bool:
    """Whether a response declines to answer. All 24 templates do; a hedge followed by an answer does not (ours).

    Anchored at the opening: "There is no dog" and "the sign says sorry" are answers.
    """
    text = plain(text)
    if not (opening := _REFUSAL.match(text)):
        return False
    rest = text[opening.end() :]
    turn = _TURN.search(rest)
    return not (_GUESS.search(rest) or (turn and not _OFFER.match(turn["rest"])))


_UNITS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve", "thirteen",
          "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen"]  # fmt: skip
_TENS = ["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"]
_NUMBERS = {word: i for i, word in enumerate(_UNITS)} | {word: 10 * i for i, word in enumerate(_TENS, 2)}
_PRONOUN = {"this", "that", "the", "which", "each", "every", "any", "other", "another", "no"}  # "this one" counts nothing
_NEGATION = re.compile(r"\b(?:not|isn't|aren't|wasn't|never|neither|without)\b|\w no$")


def _numerals(words: list[str]) -> list[str]:
    out: list[str] = []
    for before, word in zip(["", *words], words, strict=False):
        if word not in _NUMBERS or (word == "one" and before in _PRONOUN):
            out.append(word)
        elif before in _TENS and 0 < _NUMBERS[word] < 10:
            out[-1] = str(int(out[-1]) + _NUMBERS[word])
        else:
            out.append(str(_NUMBERS[word]))
    return out


@cache
def normalise(text: str) -> str:
    """Lower case without accents, numbers as digits, no articles before a word, punctuation as spaces (signs and decimal points
    of numbers stay). "vitamin A" keeps its A, "the dog" loses its article."""
    text = "".join(c for c in unicodedata.normalize("NFKD", plain(text).lower()) if not unicodedata.combining(c))
    text = re.sub(r"(?<=\d),(?=\d{3}\b)", "", text)
    text = re.sub(r"\b(?:[a-z]\.){2,}", lambda m: m[0].replace(".", "") + " ", text)
    text = re.sub(r"(?!(?<=\d)[.,](?=\d))(?!(?<!\w)-(?=\d))[^\w\s']", " ", text)
    words = _numerals([w for w in (w.strip("'") for w in text.split()) if w])
    return " ".join(w for w, after in zip(words, [*words[1:], ""], strict=False) if w not in ("a", "an", "the") or not after)


def contains(response: str, gold: str) -> bool:
    """Whether the gold answer stands in the response as whole words and is not negated right before it."""
    response, gold = normalise(response), normalise(gold)
    hits = re.finditer(rf"(?<![\w.,-]){re.escape(gold)}(?!\w|[.,]\d)", response) if gold else ()
    return any(not _NEGATION.search(" ".join(response[: hit.start()].split()[-2:])) for hit in hits)


def string_match(response: str, answers: Sequence[str], choices: Sequence[str] = ()) -> bool:
    """Right by string alone: some gold answer contained; for multiple choice the letter or the option's text.

    Yes/no golds look at the first yes or no in the response; a letter and a text that contradict each other are wrong.
    """
    if choices:
        return _choice_match(response, answers, choices)
    if {normalise(a) for a in answers} <= {"yes", "no"}:
        said = re.search(r"\b(yes|no)\b", normalise(response))
        return bool(said) and said.group(1) in {normalise(a) for a in answers}
    return any(contains(response, gold) for gold in answers)


def _choice_match(response: str, answers: Sequence[str], choices: Sequence[str]) -> bool:
    right = {i for i, c in enumerate(choices) if c in answers}
    lettered, named = _lettered(plain(response), LETTERS[: len(choices)]), _named(response, choices)
    said = (lettered & named or lettered | named) if len(lettered) <= 1 else lettered
    return len(said) == 1 and said <= right


def _named(response: str, choices: Sequence[str]) -> set[int]:
    """Options whose text stands in the response; "salt" is not named by "sea salt" when that is an option too."""
    named = {i: normalise(c) for i, c in enumerate(choices) if contains(response, c)}
    return {i for i, c in named.items() if not any(c != other and contains(other, c) for other in named.values())}


@cache
def _letter(letters: str) -> tuple[re.Pattern, re.Pattern]:
    bare = letters.replace("A", "").replace("I", "")  # "A dog" and "I think" begin with words, not with letters
    key = r"(?i:(?:answer|option|choice|letter)\b(?:\s+(?:is|would\s+be))?[\s:*(\[]*(?:(?:option|choice|letter)[\s:*(\[]*)?)"
    lead = rf"(?i:i\s+(?:think|believe)\s+(?:that\s+)?|it\s+is\s+|it's\s+|(?:the\s+|my\s+)?(?:\w+\s+)?{key})"
    one = rf"([{letters}{letters.lower()}](?=\W*$|[.:;)\]*]|,|\s+(?:-|or|and|is|because|since|as)\b|\s+-)|[{bare or letters}](?![\w']))"
    return re.compile(rf"^\W*(?:{lead})*\W*{one}|{key}{one}"), re.compile(rf"\W*(?:,|/|&|or\b|and\b)\W*(?:option\s+)?([{letters}])(?!\w)")


def _lettered(response: str, letters: str) -> set[int]:
    """The option letters that a response chooses: none, one, or several ("B or C")."""
    first, further = _letter(letters)
    found = first.search(response)
    if found is None:
        return set()
    also = further.match(response, found.end())
    return {letters.index(g.upper()) for g in (*found.groups(), *(also.groups() if also else ())) if g}
