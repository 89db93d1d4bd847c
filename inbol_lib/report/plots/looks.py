"""TODO."""

from itertools import cycle

#: method -> (label, colour, mark): Okabe-Ito colours, told apart in grey by their marks (and lines, see DASHES).
METHODS = {
    "original": ("Original", "#7f7f7f", "o"),
    "refusal_prompt": ("Refusal prompt", "#E69F00", "v"),
    "sft": ("SFT", "#56B4E9", "s"),
    "idk_it": ("IDK-IT", "#D55E00", "^"),
    "ca_dpo": ("CA-DPO", "#0072B2", "D"),
    "dpo_1": ("DPO (1)", "#009E73", "<"),
    "dpo_2": ("DPO (2)", "#CC79A7", ">"),
    "dpo_3": ("DPO (3)", "#b8a800", "P"),
    "ca_dpo_half": ("conf = 1/2", "#004c75", "h"),
    "ca_dpo_shuffled": ("shuffled conf", "#5fa8d3", "*"),
    "ca_dpo_inside": ("weight inside", "#003049", "X"),
    "ca_dpo_base": ("from the base", "#8fb8d0", "d"),
}
#: score of selective prediction -> the same
SELECTIVE = {
    "self_consistency": ("Self-consistency", "#000000", "1"),
    "sequence_probability": ("Sequence probability", "#8c564b", "2"),
    "p_true": ("P(True)", "#aa4499", "3"),
}
DASHES = dict(zip(METHODS, cycle(("-", (0, (1, 1)), "-.", "--", "-", ":")), strict=False))
#: class of confidence -> colour, the darker the surer
KINDS = {"unknown": "#d4b13f", "mixed": "#3f9f8f", "known": "#332288"}
#: outcome -> (word, colour, hatch, sign)
OUTCOMES = {
    "correct": ("right", "#117733", "", "✓"),
    "refusal": ("refused", "#cccccc", "", "–"),
    "incorrect": ("wrong", "#d98695", "///", "✗"),
    "unjudged": ("not judged", "#ffffff", "...", "?"),
}


def label(method: str) -> str:
    return {**METHODS, **SELECTIVE}[method][0]
