"""Reading the questions and explanations in a generator's free text.

The paper's prompt asks for a fixed format (App. D.2), but models keep to it loosely. This parser
accepts what they really write.
"""

import re
from itertools import pairwise
from typing import NamedTuple

#: The label before a question or its explanation: `Question:`, `Q1.`, `"explanation": `, or, on a
#: line of its own, `Question 2 (premise)`. One of its three groups holds the label's word.
_LABEL = re.compile(
    r"""
    (?<![a-z]) (question|explanation|response) [_\s\#]*\d* \s*(?:\([^)\n]*\))? ["']?\s* [:：]
  | ^\W* (?:\d+[.)]\W*)? (question|explanation) (?![a-z]) [^:?\n]{0,80} (?:[:：]|$)
  | ^\W* (q|e|a|answer|reason) \s*\d* ["']?\s* (?:[:：]|(?<=\d)\.)
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_MARKS = " \t\r,\"'`[]()“”„«»‹›「」『』"
_QUESTION_MARKS = ("?", "？", "؟")


class _Piece(NamedTuple):
    """A label and the text up to the next one."""

    label: str  # first letter of the label's word, in lower case; "q" starts a question
    lines: list[str]  # those that are not empty, without quotation marks and brackets


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """Return the (question, explanation) pairs in a generator's answer.

    Labels may have many forms; Markdown, JSON, numbered lists and chatter around the pairs are
    allowed. A question without an explanation (then "") counts only if it is complete, which
    means that it ends with a question mark.
    """
    pairs = []
    for piece, following in pairwise([*_pieces(_plain(text)), _Piece("q", [])]):
        if piece.label != "q" or not piece.lines:
            continue
        # A heading may stand on the first line, so the line with a question mark is preferred.
        complete = [line for line in piece.lines if line.endswith(_QUESTION_MARKS)]
        explained = following.label != "q" and following.lines
        if complete or explained:
            question = (complete or piece.lines)[0]
            pairs.append((question, following.lines[0] if explained else ""))
    return pairs


def _plain(text: str) -> str:
    """Remove markup, and label the questions of a bare list ("1. What ...?")."""
    text = re.sub(r"[*{}]|^\s*#+", "", text.replace('\\"', '"'), flags=re.MULTILINE)
    if re.search(r"(?<![a-z])q(uestion)?(?![a-z])", text, re.IGNORECASE):
        return text
    return re.sub(r"^\W*\d+[.)](?=[^\n]*[?？])", "Question:", text, flags=re.MULTILINE)


def _pieces(text: str) -> list[_Piece]:
    """Split a text at its labels; what stands before the first one is dropped."""
    _, *parts = _LABEL.split(text)
    pieces = []
    for start in range(0, len(parts), 4):  # three groups, of which one is set, and the text
        *groups, words = parts[start : start + 4]
        word = next(group for group in groups if group)
        lines = [line.strip(_MARKS) for line in words.splitlines()]
        pieces.append(_Piece(word[0].lower(), [line for line in lines if line]))
    return pieces
