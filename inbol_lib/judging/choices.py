"""Which option a response to a multiple-choice question takes (ours).

An option said word for word wins before anything is normalised. Otherwise the letter counts that
the response ends on ("Answer: C", a last line that is a letter), else the letter it begins with,
else the one option whose text the final statement names. Nothing is ever guessed.
"""

import re
import string
from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple

from inbol_lib.judging.normalising import normalise, stands_in
from inbol_lib.judging.statements import final_statement
from inbol_lib.judging.wording import plain, sentences, shortened, unwrapped

#: Responses of more words have reasoning in them: only their final statement names an option.
LONG = 25
#: An answer label in front of an option's text.
_LABEL = re.compile(
    r"\W*(?:(?:so|therefore|thus|hence)\W+)?(?:the |my )?(?:final |correct |best |right )?"
    r"(?:answer|option|choice)\s{0,3}(?:is|would be)?\s{0,3}[:=]?\s*(?=\S)",
    re.I,
)
#: What calls the letter before it wrong: "A is not", "B can't be", "C is wrong".
_DENIED = re.compile(
    r"[\s)\]*\"']{0,4}(?:(?:can|could)(?:not|n't|\snot)\b"
    r"|(?:is|are|was|does|do|would|seems|looks)(?:n't\b|\s(?:\w{2,12}ly\s|also\s)?(?:not|wrong"
    r"|false"
    r"|incorrect|ruled|eliminated|invalid|impossible|unlikely|unrelated|irrelevant|out)\b))",
    re.I,
)


class Taken(NamedTuple):
    """Letters that a response takes (`letters`, indices) and where they end in its text (`end`)."""

    letters: frozenset[int]
    end: int


def chosen(
    response: str, choices: Sequence[str], contains: Callable[[str, str], bool]
) -> int | None:
    """Which option a response takes.

    Parameters
    ----------
    response : str
        As the model wrote it.
    choices : sequence of str
        The options' texts in the order of their letters.
    contains : callable
        ``contains(response, text)`` says whether an option's text stands in the response.

    Returns
    -------
    int or None
        The first index of the option taken; None where there is none, or more than one, or a
        letter and a text that contradict each other.
    """
    text = shortened(unwrapped(response))
    lone = re.fullmatch(r"\W*([A-Za-z])\W*", text)
    letters = string.ascii_uppercase[: len(choices)]
    verbatim = _verbatim([plain(response), text], choices)
    if verbatim is not None and not (
        lone and lone[1].upper() in letters and len(text) < 4 and not _signed(choices[verbatim])
    ):
        return verbatim
    taken = lettered(text, len(choices))
    if taken is None:
        return _only(_named(text, choices, contains), choices)
    if len(text.split()) <= 6 and len(taken.letters) == 1 and not lone:
        said = _named(text, choices, contains)
        return _only(said & taken.letters or said | taken.letters, choices)
    picked = _only(taken.letters, choices)
    return None if picked is None or _contradicted(text[taken.end :], picked, choices) else picked


def _signed(option: str) -> bool:
    """Whether an option is more than a letter: "C#", "A+", "> 5"."""
    return bool(re.search(r"[^\w\s.]", option.strip()))


def _only(said: set[int] | frozenset[int], choices: Sequence[str]) -> int | None:
    """Return the first of the options said, where all of them have the same text."""
    texts = {choices[i].strip() for i in said}
    return min(said) if len(texts) == 1 else None


def _verbatim(texts: Sequence[str], choices: Sequence[str]) -> int | None:
    """Return the option that a text is, word for word.

    A different case counts where it is unambiguous.
    """
    options = [plain(choice) for choice in choices]
    forms = []
    for text in texts:
        labelled = _LABEL.match(text)
        for form in (text, text[labelled.end() :] if labelled else text):
            bare = form.strip().strip("\"'*`").strip()
            forms += [form.strip(), bare, bare.removesuffix(".")]
    for fold in (str, str.casefold):
        for form in forms:
            same = {i for i, option in enumerate(options) if form and fold(option) == fold(form)}
            if same and (found := _only(same, options)) is not None:
                return found
    return None


# --- by its letter --------------------------------------------------------------------------------

_NOUN = (
    r"(?:answers?|choice|solution|option|letter|selection|match|statement|response|conclusion"
    r"|picture"
    r"|image|diagram|figure|graph|equation|expression|point|value)"
)
_PRAISE = (
    r"(?:correct|right|best|final|my|appropriate|suitable|closest|accurate|likely|proper|true"
    r"|matching)"
)
#: "to this question", "for the problem"
_ASKED = r"(?:\s(?:to|for|of|among|from)\s(?:the|this|that|your|these|given)\s\w+(?:\s\w+){0,3}?)?"
_IS = (
    r"\s{0,3}(?:(?:is|are|(?:would|should|must|will|might|could|has\sto|(?:seem|appear)s\sto)"
    r"\sbe)\b|:|=)"
)
_ASIDE = (
    r"(?:\s(?:likely|most\slikely|probably|therefore|thus|then|definitely|clearly|indeed|hence))?"
)
#: What may stand between a label and its letter: space, brackets, TeX, emphasis, "option".
_GAP = (
    r"[\s:*=(\[{$\\\"'>_-]{0,8}"
    r"(?:(?:the\s)?(?:option|choice|letter|answer|boxed)\b[\s:*(\[{$\\\"'-]{0,6})?"
)
_SO = (
    r"\b(?:therefore|thus|hence|so|consequently|accordingly|reflection|conclusion|finally|overall"
    r"|ultimately|conclude|instead|is|be)\b[,:]?\s(?:that\s)?"
    r"(?:(?:it\sis|it's|it\smust\sbe|we\sget|we\shave|the\sanswer)\s)?(?:(?:option|choice"
    r"|letter)\s)?"
)
_WILL = (
    r"\bi(?:'d|'ll|\swould|\swill|\shave\sto|\smust|\scan)?\s"
    r"(?:choose|pick|select|say|go\swith|opt\sfor|guess|answer|chose)\b"
)
_CHOOSES = (
    r"\b(?:choose|select|pick|selecting|choosing|match(?:es)?(?:\swith)?|corresponds\sto"
    r"|aligns\swith"
    r"|resembles|is|be)\s(?:option|choice|answer)\s"
)
_RIGHT = (
    r"\s(?:is|seems|looks|appears|would\sbe|must\sbe)\s(?:to\sbe\s)?(?:the\s)?"
    r"(?:(?:most|best|only|also)\s)?(?:correct|right|best|answer|appropriate|accurate|closest"
    r"|suitable|true|valid|match|option|choice)\b"
)
_LEAD = (
    r"(?:i\s(?:think|believe)\s(?:that\s)?|it\sis\s|it's\s|\\boxed"
    r"|(?:option|choice|answer|letter)\b)"
)
#: A letter with one of these behind it is part of a word or a sign: "C#", "A+", "B's".
_NO_SIGN = r"(?![\w'+#*\u266d\u266f\u00b0]|-(?!\s))"
#: Behind a letter that could be a word ("A", "I", "a"): punctuation, or words that follow an
#: answer.
_ENDS = (
    r"(?=\W{0,9}$|[.:;,)\]}*\"'$\\]|\s{0,3}\n|\s+[(-]"
    r"|\s+(?:or|and|is|because|since|as|with|which|for|at|than|but)\b)"
)


class _Patterns(NamedTuple):
    """Patterns for so many options: of a letter taken, opening, further, in brackets."""

    taken: re.Pattern
    opening: re.Pattern
    further: re.Pattern
    bracketed: re.Pattern


@lru_cache(32)
def _patterns(count: int) -> _Patterns:
    upper = string.ascii_uppercase[:count]
    words = "".join(letter for letter in upper if letter not in "AI") or upper
    one = rf"([{upper}{upper.lower()}])(?:(?<=\*)|{_NO_SIGN.replace('*', '')}){_ENDS}"
    capital = rf"[*(\[\"']{{0,3}}([{upper}]){_NO_SIGN.replace('*', '')}"
    taken = [
        rf"(?i:\b(?:(?:answers?|choice|letter)\b{_ASKED}|{_PRAISE}\s{_NOUN}\b{_ASKED}"
        rf"|option(?=\s?[:=]))"
        rf"{_IS}{_ASIDE}{_GAP}){one}",
        rf"(?i:\b(?:answer|(?:correct|right|final|best)\s(?:option|choice|letter)){_GAP}){one}",
        rf"\\boxed\s?\{{[\s(\\]{{0,3}}([{upper}{upper.lower()}])[\s)]{{0,2}}\}}",
        rf"(?i:{_SO}){capital}(?=[\s)\]*\"'.]{{0,4}}(?:$|\n)|[).,:*\]])",
        rf"(?i:{_WILL}{_GAP}){one}",
        rf"(?i:{_CHOOSES}){capital}(?=\W|$)",
        rf"(?<![\w'])[(\[*]{{0,3}}([{upper}])[)\]*.]{{0,3}}(?i:{_RIGHT})",
    ]
    further = (
        rf"\W{{0,4}}(?:,|/|&|\bor\b|\band\b)\W{{0,4}}(?:option\s|choice\s)?([{upper}])(?![\w'])"
        r"(?!\s(?:is|was|can|are)\b)"
    )
    return _Patterns(
        re.compile("|".join(taken)),
        re.compile(
            rf"\W{{0,6}}(?:(?i:{_LEAD})\s{{0,2}}){{0,2}}\W{{0,4}}(?:{one}|([{words}]){_NO_SIGN})"
        ),
        re.compile(further),
        re.compile(rf"\(([{upper}])\)"),
    )


def _index(hit: re.Match) -> int:
    """Return the index of the option whose letter a match holds."""
    letter = next(group for group in hit.groups() if group)
    return string.ascii_uppercase.index(letter.upper())


def _denied(text: str, end: int) -> bool:
    """Whether the letter that ends there is called wrong: "A is not", "B cannot be"."""
    return bool(_DENIED.match(text[end : end + 60]))


def _last_line(text: str, opening: re.Pattern) -> Taken | None:
    """Return the letter that the last of several lines consists of."""
    start = text.rstrip().rfind("\n") + 1
    hit = opening.match(text, start) if start else None
    if hit is None or re.search(r"\w", text[hit.end() :]):
        return None
    return Taken(frozenset({_index(hit)}), hit.end())


def _listed(text: str, opening: re.Pattern) -> bool:
    """Whether a response goes through several options, one on a line."""
    lines = (opening.match(line) for line in text.splitlines())
    return len({_index(hit) for hit in lines if hit}) > 1


def lettered(text: str, count: int) -> Taken | None:
    """Return the letters that a response takes.

    Parameters
    ----------
    text : str
        An unwrapped response (`inbol_lib.wording.unwrapped`).
    count : int
        How many options there are.

    Returns
    -------
    Taken or None
        Several letters for "B or C"; None where no letter is taken.
    """
    patterns = _patterns(count)
    if last := _last_line(text, patterns.opening):
        return last
    hits = [hit for hit in patterns.taken.finditer(text) if not _denied(text, hit.end())]
    if hits:
        return _with_further(hits[-1], text, patterns.further)
    if _listed(text, patterns.opening):
        return None
    hit = patterns.opening.match(text)
    if hit and not _denied(text, hit.end()):
        return _with_further(hit, text, patterns.further)
    final = (sentences(text) or [""])[-1]
    marked = patterns.bracketed.findall(final)
    if len(set(marked)) != 1 or re.search(r"\bnot\b|n't\b", final):
        return None
    end = text.rfind(final) + final.rfind(f"({marked[0]})") + 3
    return Taken(frozenset({string.ascii_uppercase.index(marked[0])}), end)


def _with_further(hit: re.Match, text: str, further: re.Pattern) -> Taken:
    """Return the letter of a match and those joined to it: "B or C", "A, B, D"."""
    letters, end = {_index(hit)}, hit.end()
    while len(letters) < 26 and (also := further.match(text, end)):
        letters.add(string.ascii_uppercase.index(also[1]))
        end = also.end()
    return Taken(frozenset(letters), hit.end() if len(letters) == 1 else end)


def _contradicted(rest: str, picked: int, choices: Sequence[str]) -> bool:
    """Whether the text right behind the letter is another option's: "B. tea"."""
    behind = normalise(rest.split("\n")[0][:400])
    said = [i for i, choice in enumerate(choices) if _begins(behind, normalise(choice))]
    longest = max((len(normalise(choices[i])) for i in said), default=0)
    best = {choices[i].strip() for i in said if len(normalise(choices[i])) == longest}
    return (
        bool(best)
        and choices[picked].strip() not in best
        and not _begins(behind, normalise(choices[picked]))
    )


def _begins(text: str, words: str) -> bool:
    """Whether a normalised text begins with these whole words."""
    return bool(words) and (text == words or text.startswith(words + " "))


# --- by its text ----------------------------------------------------------------------------------


def _named(text: str, choices: Sequence[str], contains: Callable[[str, str], bool]) -> set[int]:
    """Return the options whose text stands in a response, in a long one in its final statement.

    "salt" is not named by "sea salt" when that is an option too, nor "5" by "> 5".
    """
    scope = text if len(text.split()) <= LONG else final_statement(text)[0]
    forms = [normalise(choice) for choice in choices]
    named = {i for i, choice in enumerate(choices) if contains(scope, choice)}
    if len({forms[i] for i in named}) < len(named) or not named:
        exact = {i for i, choice in enumerate(choices) if stands_in(choice.strip(), scope)}
        named = (named & exact) or named or exact
    return {i for i in named if not any(_part_of(choices[i], choices[j], contains) for j in named)}


def _part_of(option: str, other: str, contains: Callable[[str, str], bool]) -> bool:
    """Whether an option is a part of another one."""
    option, other = option.strip(), other.strip()
    return (
        option != other
        and (contains(other, option) or stands_in(option, other))
        and (len(other) > len(option))
    )
