"""Confidence, the classes it leads to (paper, Sec. 3.2), and words on classes that are short.

The two rules stand apart from `confidence.py` so that they can be used without a model.
"""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

from inbol_lib.params import Params
from inbol_lib.progress import say

#: Keeps the thresholds inclusive in spite of rounding: 0.1 * 8 must count as 0.8.
_SLACK = 1e-9
#: what is composed -> the parameter that says how much of it is wanted
_ASKED_BY = {"instructions": "num_instructions", "preference questions": "num_pairs"}


def confidence(verdicts: Sequence[str]) -> float:
    """Return the share of correct responses among those that were judged (paper, Sec. 3.2).

    Parameters
    ----------
    verdicts : sequence of str
        One word per sampled response: "correct", "incorrect", "refusal" or "unjudged".

    Returns
    -------
    float
        A share in [0, 1], or NaN when no response could be judged.
    """
    judged = [verdict for verdict in verdicts if verdict != "unjudged"]
    if not judged:
        return float("nan")
    return judged.count("correct") / len(judged)


def classify(value: float, delta_known: float, delta_unknown: float) -> str:
    """Return the class of a question with a given confidence (paper, Sec. 3.2).

    Parameters
    ----------
    value : float
        Confidence in [0, 1], or NaN.
    delta_known, delta_unknown : float
        Thresholds in [0, 1], both inclusive.

    Returns
    -------
    str
        "known", "mixed" or "unknown"; "unjudged" for NaN.
    """
    if np.isnan(value):
        return "unjudged"
    if value >= delta_known - _SLACK:
        return "known"
    if value <= delta_unknown + _SLACK:
        return "unknown"
    return "mixed"


def leaves_mixed(p: Params) -> bool:
    """Return whether a confidence of that many samples can lie between the thresholds.

    Ten samples have no level between 0.7 and 0.6: with such thresholds no question is mixed (ours).
    """
    samples = p.confidence_samples or p.num_samples
    levels = np.arange(samples + 1) / samples
    return any(classify(level, p.delta_known, p.delta_unknown) == "mixed" for level in levels)


def tell_sizes(
    what: str, counts: dict[str, Any], sizes: dict[str, int], p: Params, held: int
) -> None:
    """Say how large each class is and, aloud, what helps where one is short by more than half.

    Parameters
    ----------
    what, counts, sizes, p, held
        As in `shortage`.
    """
    wanted, there, total = counts["wanted"], counts["there"], sum(sizes.values())
    listed = [
        f"{kind} {sizes[kind]:,} of {wanted[kind]:,} ({there.get(kind, 0):,} there)"
        for kind in wanted
    ]
    say(f"{what}: {total:,} of {sum(wanted.values()):,} wanted: {', '.join(listed)}")
    if word := shortage(what, counts, sizes, p, held):
        say(word, loud=True)


def shortage(what: str, counts: dict[str, Any], sizes: dict[str, int], p: Params, held: int) -> str:
    """Return a word on the class that is short by more than half, and what helps; or "".

    Parameters
    ----------
    what : str
        "instructions" or "preference questions".
    counts : dict
        `wanted` and `there`: class -> questions; `pairs` too, where pairs are asked for.
    sizes : dict
        Class -> questions that are taken.
    p : Params
    held : int
        Answerable records.
    """
    wanted, there, total = counts["wanted"], counts["there"], sum(sizes.values())
    short = {k: there.get(k, 0) for k in wanted if 2 * there.get(k, 0) < wanted[k]}
    if not short:
        return ""
    scarcest = min(short, key=lambda kind: short[kind] / wanted[kind])
    factor = wanted[scarcest] / max(1, short[scarcest])
    asked = _ASKED_BY[what]
    enough = counts.get("pairs", total) if p.short_class == "shrink" else 0
    remedies = [
        _more_questions(factor, p, held),
        "short_class: repeat, which takes questions of a short class more than once",
        f"{asked}: {f'{enough:,} or fewer' if enough else 'fewer'} (now {getattr(p, asked):,})",
    ]
    if p.short_class == "repeat":
        remedies.pop(1)
    more = ", and num_unanswerable for more unknown ones" if scarcest == "unknown" else ""
    return (
        f"{scarcest} questions are short by more than half: {short[scarcest]:,} are there, "
        f"{wanted[scarcest]:,} are wanted, so that {what} are {_consequence(p, total, sizes)}. "
        f"What helps: {'; '.join(remedies)}{more}."
    )


def _consequence(p: Params, total: int, sizes: dict[str, int]) -> str:
    if p.short_class == "repeat":
        return "partly the same ones again and again"
    return f"only {total:,} in all ({', '.join(f'{n:,} {kind}' for kind, n in sizes.items())})"


def _more_questions(factor: float, p: Params, held: int) -> str:
    """Return how many times as many training questions would be asked for."""
    if p.dataset.startswith("folder:") and held < p.train_questions:
        enough = math.ceil(held * factor)
        return f"more training questions in the folder: about {enough:,} (now {held:,})"
    needed = math.ceil(p.train_questions * factor)
    return (
        f"train_questions: about {needed:,} (now {p.train_questions:,}), if the data hold as many"
    )
