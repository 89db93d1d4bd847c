"""TODO."""

from collections.abc import Sequence

import numpy as np

_SLACK = 1e-9  # 0.8 must count as >= 0.8 whatever the arithmetic


def confidence(verdicts: Sequence[str]) -> float:
    """Share of correct among the judged responses, in [0, 1]; NaN when none could be judged."""
    judged = [v for v in verdicts if v != "unjudged"]
    return sum(v == "correct" for v in judged) / len(judged) if judged else float("nan")


def classify(value: float, delta_known: float, delta_unknown: float) -> str:
    """The class "known", "mixed" or "unknown" (paper, Sec. 3.2; both thresholds inclusive), "unjudged" for NaN."""
    if np.isnan(value):
        return "unjudged"
    if value >= delta_known - _SLACK:
        return "known"
    return "unknown" if value <= delta_unknown + _SLACK else "mixed"
