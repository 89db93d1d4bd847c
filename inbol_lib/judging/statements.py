"""Where a longer response answers: its final statement, and its first (ours)."""

import re

from inbol_lib.judging.refusals import opens_on_scene
from inbol_lib.judging.wording import sentences

_LABELLED = re.compile(
    r"(?:\b(?:final |correct |best |right )?(?:answer|solution|result)\b(?:\s(?:to|for)\s(?:the"
    r"|this)\s"
    r"\w+(?:\s\w+){0,3}?)?\s{0,2}(?:is|are|would be|:|=)|\\boxed|\b(?:answer|conclusion)\s?:)",
    re.I,
)
_CONCLUDING = re.compile(
    r"\W*(?:(?:and|so)\W+)?(?:therefore|thus|hence|so|consequently|in conclusion|in summary|overall"
    r"|to (?:conclude|summari[sz]e)|accordingly)\b",
    re.I,
)


def final_statement(text: str) -> tuple[str, bool]:
    """Return what a response says in the end.

    Parameters
    ----------
    text : str
        An unwrapped response.

    Returns
    -------
    (str, bool)
        What follows the last answer label, else the last sentence that concludes ("therefore"),
        else the last sentence; and whether it was labelled or concluding.
    """
    labels = list(_LABELLED.finditer(text))
    if labels:
        behind = text[labels[-1].end() :].strip()
        first = next(iter(sentences(behind)), "")
        if re.search(r"\w|\S", first):
            return text[labels[-1].start() : labels[-1].end()] + " " + first, True
    parts = sentences(text) or [""]
    concluding = [part for part in parts if _CONCLUDING.match(part)]
    return (concluding[-1], True) if concluding else (parts[-1], False)


def opening_statement(text: str) -> str:
    """Return the first sentence, "" where it only sets the scene ("The image shows ...")."""
    first = next(iter(sentences(text)), "")
    return "" if opens_on_scene(first) else first
