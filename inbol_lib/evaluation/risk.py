"""How well a score tells right answers from wrong ones: risk, coverage, areas, calibration.

A score is a column of the outcome table; an answer would be given only where its score reaches a
threshold. Used by `selective` to choose thresholds and by the report to judge the scores.
"""

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike


def risk_coverage(outcomes: pd.DataFrame, score: str) -> pd.DataFrame:
    """Return the risk-coverage curve of a score: one row per distinct value, falling.

    Parameters
    ----------
    outcomes : pd.DataFrame
        Outcome table. The model's own refusals stay unanswered at every threshold.
    score : str
        Column that says how sure the model is of each answer; higher is surer.

    Returns
    -------
    pd.DataFrame
        threshold; coverage (share of all items answered when only scores of at least `threshold`
        are), risk (share wrong of the answered) and generalised_risk (share wrong of all items).
        Answers with tied scores enter together, so that their order does not matter.

    Raises
    ------
    ValueError
        When an answer has no score.
    """
    answered = outcomes[outcomes.outcome != "refusal"]
    missing = int(answered[score].isna().sum())
    if missing:
        raise ValueError(
            f"{missing} of {len(answered)} answers have no {score}; score every item, "
            "or leave those without a score out and say so"
        )
    wrong = answered.outcome != "correct"
    scored = pd.DataFrame({"threshold": answered[score], "wrong": wrong, "n": 1})
    rising = scored.groupby("threshold").sum()
    table = rising[::-1].cumsum().reset_index()
    n = max(len(outcomes), 1)
    return table[["threshold"]].assign(
        coverage=table.n / n, risk=table.wrong / table.n, generalised_risk=table.wrong / n
    )


def aurc(curve: pd.DataFrame) -> float:
    """Return the area under risk against coverage, in [0, 1]; low is good (Geifman et al., 2019).

    It is the mean, over answers, of the risk at the answer's own score.
    """
    return float((curve.risk * np.diff(curve.coverage, prepend=0)).sum())


def augrc(curve: pd.DataFrame) -> float:
    """Return the area under generalised risk against coverage; low is good (Traub et al., 2024).

    Notes
    -----
    Tied scores are joined by a straight line. For answers with error rate e the area is e^2 / 2
    when the score ranks them perfectly and e / 2 when it says nothing.
    """
    return float(np.trapezoid([0, *curve.generalised_risk], [0, *curve.coverage]))


def ece(confidence: ArrayLike, right: ArrayLike, bins: int = 10) -> float:
    """Return the expected calibration error, in [0, 1] (Guo et al., 2017).

    Parameters
    ----------
    confidence : array_like
        One value in [0, 1] for each answer.
    right : array_like of bool
        Whether each answer is right.
    bins : int
        Confidences are grouped by their value rounded to 1 / `bins`: ten samples can only give
        eleven levels.

    Returns
    -------
    float
        `|share right - mean confidence|` of the groups, averaged over the answers.

    Raises
    ------
    ValueError
        When a confidence lies outside [0, 1] or is NaN.
    """
    confidence, right = np.asarray(confidence, float), np.asarray(right, float)
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError(
            "confidence must lie in [0, 1] for every item; leave out items without one, "
            "and say how many"
        )
    gaps = pd.Series(right - confidence).groupby(np.rint(confidence * bins)).sum()
    return float(gaps.abs().sum() / len(confidence))
