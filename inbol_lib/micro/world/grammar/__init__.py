"""The grammar of the micro world: what it asks, in which words, and what the right answers are.

`families` holds the kinds of questions and their wordings, `answers` what each of them comes to on
a scene, `synonyms` the other words for an answer. `parsing` reads a question back, so the truth of
any question in the grammar can be looked up, and `asking` draws new ones.
"""

from inbol_lib.micro.world.grammar.asking import Asked, ask, distractors, guess
from inbol_lib.micro.world.grammar.families import FAMILIES, VALUES, Family
from inbol_lib.micro.world.grammar.parsing import bare, courteous, fill, lesson, parse, truth
from inbol_lib.micro.world.grammar.synonyms import speak, surfaces

__all__ = [
    "FAMILIES",
    "VALUES",
    "Asked",
    "Family",
    "ask",
    "bare",
    "courteous",
    "distractors",
    "fill",
    "guess",
    "lesson",
    "parse",
    "speak",
    "surfaces",
    "truth",
]
