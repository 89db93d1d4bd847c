"""Reading the questions and explanations in a generator's free text.

The paper's prompt asks for a fixed format (App. D.2), but models keep to it loosely. This parser
accepts what they really write.
"""

import re
from itertools import pairwise
from typing import NamedTuple

from inbol_lib.judging.wording import after_reasoning

#: The label before a question or its explanation: `Question:`, `Q1.`, `"explanation": `, or, on a
#: line of its own, `Question 2 (premise)`. One of its three groups holds the label's word. Inside
#: a line it stands behind a mark alone, so that "what is the response: kind or rude" has none.
_LABEL = re.compile(
    r"""
    (?: ^[^\w\n]{0,20} (?:\d{1,3}[.)][^\w\n]{0,5})? | (?<=[?.!"'»”,;{}|>)\]：:])\s{0,5}["']? )
      (question|explanation|response) [_\s\#]{0,5}\d{0,3} \s{0,5}(?:\([^)\n]{0,80}\))? ["']?\s{0,5}
      [:：]
  | ^[^\w\n]{0,20} (?:\d{1,3}[.)][^\w\n]{0,5})? (question|explanation) (?![a-z]) [^:?\n]{0,80}
      (?:[:：]|$)
  | ^[^\w\n]{0,20} (q|e|a|answer|reason) \s{0,3}\d{0,3} ["']?\s{0,3} (?:[:：]|(?<=\d)\.)
    """,
    re.IGNORECASE | re.MULTILINE | re.VERBOSE,
)
_MARKS = " \t\r,`[]()「」『』"
#: Opening quotation mark -> the closing one.
_QUOTES = {'"': '"', "'": "'", "“": "”", "„": "“", "«": "»", "‹": "›"}
_QUESTION_MARKS = ("?", "？", "؟")
_EMPHASIS = re.compile(
    r"[*{}]|^\s{0,20}#{1,6}|(?<!\w)_{1,2}(?=\S)|(?<=\S)_{1,2}(?!\w)", re.MULTILINE
)
_BREAK = re.compile(r"<br\s{0,2}/?>", re.IGNORECASE)
_TABLE_HEAD = re.compile(r"^\s{0,20}\|[^\n]{0,40}\bquestions?\b[^\n]{0,80}\|\s{0,20}$", re.I | re.M)


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
        question = _joined(piece.lines)
        explained = following.label != "q" and following.lines
        if explained or question.endswith(_QUESTION_MARKS):
            pairs.append((question, following.lines[0] if explained else ""))
    return pairs


def _joined(lines: list[str]) -> str:
    """Return the question in some lines: the first complete one, with the lines that begin it.

    A line goes on in the next where it ends inside a sentence or with one ("The man holds a cup."),
    not where it is a heading.
    """
    started = ""
    for line in lines:
        goes_on = started.endswith((".", ",", ";")) or line[0].islower()
        started = f"{started} {line}" if started and goes_on else line
        if line.endswith(_QUESTION_MARKS):
            return started
    return lines[0]


def _plain(text: str) -> str:
    """Remove drafts and markup, and label the questions of a table or of a bare list."""
    text = _BREAK.sub("\n", after_reasoning(text)).replace('\\"', '"')
    if head := _TABLE_HEAD.search(text):
        text = text[: head.start()] + _labelled_rows(text[head.end() :])
    text = _EMPHASIS.sub("", text)
    if re.search(r"(?<![a-z])q(uestion)?(?![a-z])", text, re.IGNORECASE):
        return text
    numbered = r"^[^\w\n]{0,20}\d{1,3}[.)](?=[^\n]{0,500}[?？])"
    return re.sub(numbered, "Question:", text, flags=re.MULTILINE)


def _labelled_rows(text: str) -> str:
    """Return the rows of a Markdown table as labelled lines: question, then explanation."""
    lines = []
    for row in text.splitlines():
        cells = [cell.strip() for cell in row.strip().strip("|").split("|")]
        if row.strip().startswith("|") and set("".join(cells)) - set("-: "):
            labels = ("Question", "Explanation")
            lines += [f"{label}: {cell}" for label, cell in zip(labels, cells, strict=False)]
    return "\n".join(lines)


def _pieces(text: str) -> list[_Piece]:
    """Split a text at its labels; what stands before the first one is dropped."""
    _, *parts = _LABEL.split(text)
    pieces = []
    for start in range(0, len(parts), 4):  # three groups, of which one is set, and the text
        *groups, words = parts[start : start + 4]
        word = next(group for group in groups if group)
        lines = [_unquoted(line) for line in words.splitlines()]
        pieces.append(_Piece(word[0].lower(), [line for line in lines if line]))
    return pieces


def _unquoted(line: str) -> str:
    """Return a line without the marks around it; quotation marks inside a sentence stay."""
    line = line.strip(_MARKS)
    for opening, closing in _QUOTES.items():
        if len(line) > 1 and line[0] == opening and line[-1] == closing:
            return line[1:-1].strip(_MARKS)
        odd = (line.count(opening) + line.count(closing) * (opening != closing)) % 2
        if odd and line[:1] == opening:
            return line[1:].strip(_MARKS)
        if odd and line[-1:] == closing:
            return line[:-1].strip(_MARKS)
    return line
