"""Confidence and the classes it leads to (paper, Sec. 3.2).

These two rules stand apart from `confidence.py` so that they can be used without a model.
"""

from collections.abc import Sequence

import numpy as np

#: Keeps the thresholds inclusive in spite of rounding: 0.1 * 8 must count as 0.8.
_SLACK = 1e-9


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
