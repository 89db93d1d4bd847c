"""TODO."""

import re
from itertools import pairwise

#: What stands before a question or its explanation: "Question:", "Q1.", '"explanation": ', and on a line of its own "Question 2 (premise)".
_LABEL = re.compile(r"""
    (?<![a-z]) (question|explanation|response) [_\s\#]*\d* \s*(?:\([^)\n]*\))? ["']?\s* [:：]
  | ^\W* (?:\d+[.)]\W*)? (question|explanation) (?![a-z]) [^:?\n]{0,80} (?:[:：]|$)
  | ^\W* (q|e|a|answer|reason) \s*\d* ["']?\s* (?:[:：]|(?<=\d)\.)
  """, re.I | re.M | re.X)  # fmt: skip
_MARKS = " \t\r,\"'`[]()“”„«»‹›「」『』"


def parse_pairs(text: str) -> list[tuple[str, str]]:
    """(question, explanation) pairs in a generator's answer, as models really write them: labels in many forms, Markdown, JSON,
    numbered lists, chatter around. A question without an explanation counts when its end is there, the question mark."""
    text = re.sub(r"[*{}]|^\s*#+", "", text.replace('\\"', '"'), flags=re.M)
    if not re.search(r"(?<![a-z])q(uestion)?(?![a-z])", text, re.I):  # a bare list: 1. What ...?
        text = re.sub(r"^\W*\d+[.)](?=[^\n]*[?？])", "Question:", text, flags=re.M)
    _, *parts = _LABEL.split(text)
    marks = [
        "".join(filter(None, labels))[0].lower()
        for labels in zip(parts[::4], parts[1::4], parts[2::4], strict=True)
    ]
    said = [
        [line.strip(_MARKS) for line in words.splitlines() if line.strip(_MARKS)]
        for words in parts[3::4]
    ]
    pairs = []
    for (first, words), (second, why) in pairwise([*zip(marks, said, strict=True), ("q", [])]):
        asked = next(
            (line for line in words if line.endswith(("?", "？", "؟"))), ""
        )  # behind a heading, for instance
        explained = why[0] if second != "q" and why else ""
        if first == "q" and words and (asked or explained):
            pairs.append((asked or words[0], explained))
    return pairs
