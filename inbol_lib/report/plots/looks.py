"""What a method, an outcome or a class of confidence looks like, the same in every figure.

The colours of the methods are Okabe and Ito's. Nothing is told by colour alone: methods also differ
by marks and lines, outcomes by hatches and signs, and classes by how dark they are.
"""

from itertools import cycle
from typing import NamedTuple


class MethodLook(NamedTuple):
    """Label, colour and mark of a method or of a score."""

    label: str
    colour: str
    mark: str


class OutcomeLook(NamedTuple):
    """Word, colour, hatch and sign of an outcome."""

    word: str
    colour: str
    hatch: str
    sign: str


#: method -> its look
METHODS = {
    "original": MethodLook("Original", "#7f7f7f", "o"),
    "refusal_prompt": MethodLook("Refusal prompt", "#E69F00", "v"),
    "sft": MethodLook("SFT", "#56B4E9", "s"),
    "idk_it": MethodLook("IDK-IT", "#D55E00", "^"),
    "ca_dpo": MethodLook("CA-DPO", "#0072B2", "D"),
    "dpo_1": MethodLook("DPO (1)", "#009E73", "<"),
    "dpo_2": MethodLook("DPO (2)", "#CC79A7", ">"),
    "dpo_3": MethodLook("DPO (3)", "#b8a800", "P"),
    "ca_dpo_half": MethodLook("conf = 1/2", "#004c75", "h"),
    "ca_dpo_shuffled": MethodLook("shuffled conf", "#5fa8d3", "*"),
    "ca_dpo_inside": MethodLook("weight inside", "#003049", "X"),
    "ca_dpo_base": MethodLook("from the base", "#8fb8d0", "d"),
}
#: score of selective prediction -> its look
SELECTIVE = {
    "self_consistency": MethodLook("Self-consistency", "#000000", "1"),
    "sequence_probability": MethodLook("Sequence probability", "#8c564b", "2"),
    "p_true": MethodLook("P(True)", "#aa4499", "3"),
}
#: columns of tables that name a method or a score
NAMED = ("method", "bold", "cautious", "score")
#: method -> line style
DASHES = dict(zip(METHODS, cycle(("-", (0, (1, 1)), "-.", "--", "-", ":")), strict=False))
#: class of confidence -> colour; the more confident, the darker
KINDS = {"unknown": "#d4b13f", "mixed": "#3f9f8f", "known": "#332288"}
#: outcome -> its look
OUTCOMES = {
    "correct": OutcomeLook("right", "#117733", "", "✓"),
    "refusal": OutcomeLook("refused", "#cccccc", "", "–"),
    "incorrect": OutcomeLook("wrong", "#d98695", "///", "✗"),
    "unjudged": OutcomeLook("not judged", "#ffffff", "...", "?"),
}


def label(method: str) -> str:
    """Return how a method, or a score of selective prediction, is named in figures and claims."""
    return {**METHODS, **SELECTIVE}[method].label
