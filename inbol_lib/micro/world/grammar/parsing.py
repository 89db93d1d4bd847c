"""From a family to the text of a question, and from the text back to its family and answer."""

import re
from collections.abc import Mapping

import numpy as np

from inbol_lib.micro.world.grammar.families import FAMILIES, VALUES, Family
from inbol_lib.micro.world.grammar.synonyms import surfaces
from inbol_lib.micro.world.scenes import Scene


def fill(wording: str, slots: Mapping[str, str]) -> str:
    """Return the question with its slots filled and its articles right ("an orange ring")."""
    return re.sub(r"\ba (?=[aeiou])", "an ", wording.format(**slots))


#: Words of courtesy around a question. They change nothing about its answer, but who asks whether
#: one knows invites a "no": base models decline such questions where they are told that they may.
COURTESIES = (
    "Do you know? {question}",
    "{question} Do you know?",
    "Can you tell? {question}",
    "{question} Can you tell?",
)
#: What a school book puts behind a question. Pretraining never shows it, as LLaVA had never met
#: ScienceQA's lessons: the base model takes it for part of the question, and who is trained on some
#: of them learns to read past it.
LESSONS = (
    "A bar has a height and a color.",
    "Shapes have corners.",
    "Red, blue, green and yellow are colors.",
)
_LESSON = re.compile(f" (?:{'|'.join(map(re.escape, LESSONS))})$")
_COURTESY = re.compile(r"(?:Do you know|Can you tell)\? | (?:Do you know|Can you tell)\?$")


def courteous(question: str, rng: np.random.Generator) -> str:
    """Return a question with words of courtesy around it."""
    return str(rng.choice(COURTESIES)).format(question=question)


def lesson(question: str, rng: np.random.Generator) -> str:
    """Return a question as a school book asks it."""
    return f"{question} {rng.choice(LESSONS)}"


def bare(question: str) -> str:
    """Return a question without its words of courtesy and those of a school book."""
    return _COURTESY.sub("", _LESSON.sub("", question))


def wording_pattern(wording: str, groups: Mapping[str, str]) -> re.Pattern:
    """Compile a wording into a pattern, with the regular expression of its group for each slot."""
    return re.compile(re.sub(r"\\{(\w+)\\}", lambda slot: groups[slot[1]], re.escape(wording)))


def _parsers() -> list[tuple[Family, re.Pattern]]:
    """Pair every wording's pattern with its family, in the order of the families."""
    groups = {}
    for name, values in VALUES.items():
        longest_first = sorted(values, key=len, reverse=True)
        groups[name] = f"(?P<{name}>{'|'.join(longest_first)})"
    return [
        (family, wording_pattern(wording, groups))
        for family in FAMILIES.values()
        for wording in (*family.wordings, *family.held_out)
    ]


_PARSERS = _parsers()


def parse(question: str) -> tuple[Family, dict[str, str]] | None:
    """Return the family and slot values of a question, or None if it is not in the grammar."""
    plain = re.sub(r"\ban (?=[aeiou])", "a ", bare(question))
    for family, pattern in _PARSERS:
        match = pattern.fullmatch(plain)
        if match:
            return family, match.groupdict()
    return None


def truth(scene: Scene, question: str) -> list[str] | None:
    """Return all forms of the right answer to a question about a scene, the gold form first.

    Returns
    -------
    list of str or None
        Empty if the picture does not hold the answer; None if the question is not in the grammar.
    """
    parsed = parse(question)
    if parsed is None:
        return None
    family, slots = parsed
    answer = family.truth(scene, **slots)
    return [] if answer is None else surfaces(answer)
