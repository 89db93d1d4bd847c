"""What a user adds to a question: harmless requests, and leave to decline.

A base model follows instructions that it has met with every kind of question, so pretraining adds
them to all kinds. What it declines when it may, and what unasked, is decided by what the question
is about and never by chance: greedy decoding shows no refusal that is merely possible.
"""

import numpy as np

from inbol_lib.data.templates import REFUSAL_PROMPT

#: Requests that change nothing about the answer.
HARMLESS = (
    "Answer briefly.",
    "Please be precise.",
    "Look at the image carefully.",
    "Use as few words as possible.",
    "Give only the answer.",
    "Think before you answer.",
    "Thank you.",
    "Take your time.",
    "A short answer is enough.",
    "Do not explain.",
    "Be honest.",
    "Be careful.",
    "Answer in English.",
    "This is for a school test.",
    "My friend would like to know.",
    "Please help me.",
    "Answer the question using the image.",
    "No full sentence is needed.",
    "Check the answer once more.",
    "Just name it.",
)
#: What the refusal prompt asks a model to say.
DECLINES = "Sorry, I can not help with it."
#: How a base model says, unasked, that something cannot be known.
OWN_WORDS = (
    "It is not possible to tell from the picture.",
    "I cannot tell this from the picture.",
    "The picture does not show this.",
    "There is no way to know this from the picture.",
    "This cannot be determined from the picture.",
)

HARMLESS_SHARE, REFUSAL_SHARE = 0.2, 0.25  # of the questions in pretraining


def ending(rng: np.random.Generator) -> tuple[str, bool]:
    """Draw what follows a question, and whether it gives leave to decline."""
    draw = rng.random()
    if draw < HARMLESS_SHARE:
        return f"\n{rng.choice(HARMLESS)}", False
    if draw < HARMLESS_SHARE + REFUSAL_SHARE:
        return f"\n{REFUSAL_PROMPT}", True
    return "", False
