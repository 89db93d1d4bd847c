"""Does a response decline, does it hold a gold answer: what can be read without a language model.

The paper matches strings (App. D.1): a gold answer contained anywhere is right. That is kept as
``rule="paper"``. Ours, ``rule="final"``, reads what a longer response says in the end, because a
gold answer somewhere in many words is right only about half of the time.
"""

import re
from collections.abc import Sequence
from functools import lru_cache

from inbol_lib.judging.choices import LONG, chosen
from inbol_lib.judging.normalising import is_sign, joined_initials, normalise, stands_in
from inbol_lib.judging.refusals import is_refusal, stance
from inbol_lib.judging.statements import final_statement, opening_statement
from inbol_lib.judging.wording import plain, shortened, unwrapped

RULES = ("final", "paper")

_DENIED_BEFORE = re.compile(
    r"\b(?:no|not(?! (?:only|just|far|sure|certain)\b)|\w{1,12}n't|never|neither|nor"
    r"|without(?! (?:any )?doubt)|unlike|except|instead of|rather than|other than)\b"
)
_DENIED_AFTER = re.compile(r" (?:is|are|was|were)(?:n't| not) (?:correct|right|true|answer|it)\b")
_CLAUSE_END = re.compile(r"[,;:!?.]{1,9}(?=\s)|\n|\s-{1,3}\s|(?=\bbut\b)")
#: Endings that VQA writes with and without an apostrophe: dont, mcdonalds, its.
_ELIDED = re.compile(r"(?<=\w)(?:'?(s|t|d|m|re|ve|ll))$")


@lru_cache(4096)
def _clauses(text: str) -> str:
    """Return the normalised text with " |" where a clause ends: a "not" reaches no further."""
    parts = _CLAUSE_END.split(joined_initials(plain(text)))
    return " | ".join(filter(None, map(normalise, parts)))


@lru_cache(4096)
def _sought(gold: str) -> re.Pattern | None:
    """Return the pattern of a gold answer in normalised clauses, None where no word is left."""
    words = [
        _ELIDED.sub(r"'?\1", re.escape(word).replace("\\'", "'"))
        for word in normalise(gold).split()
    ]
    if not words:
        return None
    return re.compile(rf"(?<![\w.,:/^-]){'(?: [|])? '.join(words)}(?!\w|[.,:/^-]\d|[+#])")


def contains(response: str, gold: str) -> bool:
    """Whether a gold answer stands in a response as whole words and is not denied.

    "not red" and "blue rather than red" do not say red. A gold answer made of signs, such as "#",
    has to stand there as it is.

    Parameters
    ----------
    response, gold : str
        Any text; both are normalised here.
    """
    pattern = _sought(gold)
    if pattern is None:
        return is_sign(gold) and stands_in(plain(gold), plain(response))
    text = _clauses(response)
    for hit in pattern.finditer(text):
        before = text[max(0, hit.start() - 80) : hit.start()].rpartition("|")[2].split()[-3:]
        if _DENIED_BEFORE.search(" ".join(before)) or _DENIED_AFTER.match(text, hit.end()):
            continue
        return True
    return False


# --- yes and no -----------------------------------------------------------------------------------

_YES = r"(?:yes|yeah|yep|yup)"
_NO = r"(?:no|nope|nah)"
_BOTH = re.compile(
    rf"\b{_YES}\W{{0,3}}(?:and|or|/)?\W{{0,3}}{_NO}\b(?=\W*$)|\b{_YES} (?:and|or) {_NO}\b"
    rf"|\b{_NO} (?:and|or) {_YES}\b|\b{_YES}/{_NO}\b|\b{_NO}/{_YES}\b"
)
_NO_DOUBT = re.compile(r"\bno (?:doubt|question|matter|problem|idea)\b")
#: The word in a conclusion: "so yes", "therefore the answer is no".
_CONCLUDED = re.compile(
    r"\b(?:so|therefore|thus|hence|answer(?: \w+){0,5}? is|answer|i would say|would be|overall"
    r"|conclusion)"
    rf"(?: the answer is| it is| i would say)?(?: [|])?(?: [|])? (?P<word>{_YES}|{_NO})\b(?=$| [|])"
)
#: The word where it answers: as a clause of its own, or yes anywhere. "no hat" is none.
_ANSWERING = re.compile(
    rf"(?:\b(?P<yes>{_YES})\b|(?:^|[|] )(?P<no>no|nope|nah)(?=$| [|])|\b(?:nope|nah)\b|\bis no(?=$"
    rf"| [|]))"
)
_AFFIRMED = re.compile(r"^(?:definitely|absolutely|certainly|of course|indeed|correct|sure)$")
_DENIED = re.compile(
    r"\b(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)(?:n'?t| not)\b"
    r"|^(?:definitely|absolutely|certainly|of course|really|probably|obviously)? ?not(?: at all|"
    r" really"
    r"|\s[|].*| in .*)$|\bnot at all\b|^(?:definitely|absolutely|certainly|of course|probably)"
    r" not\b|^never\b"
)


def says(response: str) -> str:
    """Which of "yes" and "no" a response says.

    A concluding word wins ("..., so yes"), then the first that answers by itself, then a "no"
    before a noun or a denial ("There are no dogs", "It isn't").

    Returns
    -------
    str
        "yes", "no", or "" for neither or for both ("yes or no").
    """
    plainly = re.sub(
        rf"\b({_YES})\s?/\s?({_NO})\b|\b({_NO})\s?/\s?({_YES})\b", "", plain(response), flags=re.I
    )
    text = _NO_DOUBT.sub("", _clauses(plainly)).strip(" |")
    if _BOTH.search(text):
        return ""
    concluded = [found["word"] for found in _CONCLUDED.finditer(text)]
    if concluded:
        return "yes" if concluded[-1].startswith("y") else "no"
    if answering := _ANSWERING.search(text):
        return "yes" if answering["yes"] else "no"
    if _AFFIRMED.search(text):
        return "yes"
    return "no" if re.search(rf"\b{_NO}\b", text) or _DENIED.search(text) else ""


# --- the outcome ----------------------------------------------------------------------------------


def _right(text: str, golds: Sequence[str]) -> bool:
    """Whether a statement holds a gold answer, or says the gold yes or no."""
    wanted = {normalise(gold) for gold in golds}
    if wanted and wanted <= {"yes", "no"}:
        return says(text) in wanted
    return any(contains(text, gold) for gold in golds)


def string_match(
    response: str, answers: Sequence[str], choices: Sequence[str] = (), rule: str = "final"
) -> bool:
    """Whether a response is right by string alone.

    Parameters
    ----------
    response : str
        As the model wrote it.
    answers : sequence of str
        Gold answers; any of them is enough.
    choices : sequence of str
        The options of a multiple-choice question, of which the one chosen has to be a gold answer.
    rule : {"final", "paper"}
        Where an open answer is looked for: in the final statement of a long response (ours), or
        anywhere (paper, App. D.1).

    Raises
    ------
    ValueError
        For another rule.
    """
    if rule not in RULES:
        raise ValueError(f"rule is one of {RULES}, not {rule!r}")
    if choices:
        picked = chosen(response, choices, contains)
        return picked is not None and choices[picked] in answers
    text = shortened(unwrapped(response))
    if rule == "paper" or len(text.split()) <= LONG:
        return _right(text, answers)
    return any(_right(part, answers) for part in _statements(text))


def _statements(text: str) -> list[str]:
    """Where a long response answers: its final statement and its first, unless one is labelled."""
    final, labelled = final_statement(text)
    return [final] if labelled else [final, opening_statement(text)]


def matched(row: dict, response: str, rule: str = "final") -> str:
    """Return the outcome of a response by rules alone.

    Parameters
    ----------
    row : dict
        `answers` (gold answers; none for an unanswerable question) and `choices` (options or none).
    response : str
        As the model wrote it.
    rule : {"final", "paper"}
        See `string_match`.

    Returns
    -------
    str
        "refusal", "correct", "incorrect", "unjudged" for a long response that holds a gold answer
        but not where it answers, or "" where the rules can not tell: an open answer in other words,
        no option that could be read, or inability stated beside something like an answer. Who takes
        an option that itself declines, declines, unless that option is the right one. An
        unanswerable question is never answered right.
    """
    golds, choices = tuple(row["answers"]), tuple(row["choices"])
    if choices:
        return _of_options(response, golds, choices)
    what = stance(response)
    if what.declines and not (golds and _is_gold(response, golds)):
        return "refusal"
    if golds and string_match(response, golds, rule=rule):
        return "correct"
    if not golds:
        return "incorrect" if what.sure else ""
    if not unwrapped(response):
        return "incorrect"
    return "unjudged" if rule == "final" and string_match(response, golds, rule="paper") else ""


def _is_gold(response: str, golds: Sequence[str]) -> bool:
    """Whether a response is a gold answer and nothing else: a gold answer may itself decline."""
    return normalise(unwrapped(response)) in {normalise(gold) for gold in golds}


def _of_options(response: str, golds: Sequence[str], choices: Sequence[str]) -> str:
    """Return the outcome for a multiple-choice question, as in `matched`."""
    what, taken = stance(response), chosen(response, choices, contains)
    is_option = normalise(unwrapped(response)) in map(normalise, choices)
    if what.declines and not is_option and not _settles(response, choices):
        return "refusal"
    if taken is None:
        return "" if unwrapped(response) else "incorrect"
    if choices[taken] in golds:
        return "correct"
    return "refusal" if is_refusal(choices[taken]) else "incorrect"


def _settles(response: str, choices: Sequence[str]) -> bool:
    """Whether a response that states inability still ends on an option: "(C) None of the above"."""
    final, labelled = final_statement(shortened(unwrapped(response)))
    taken = chosen(final, choices, contains) if labelled else None
    return taken is not None and contains(final, choices[taken])
