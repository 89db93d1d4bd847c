"""Refusing without training (ours): the untrained model answers only where a score is high.

The threshold is chosen on validation questions (selective prediction; El-Yaniv & Wiener, 2010). The
result is an outcome table, so that every metric and table applies to it.
"""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from inbol_lib.evaluation.risk import risk_coverage
from inbol_lib.judging.matching import normalise

SCORES = ("self_consistency", "sequence_probability", "p_true")


def self_consistency(response: str, samples: Sequence[str]) -> float:
    """Return the share of the samples that say the same as the response, in [0, 1].

    Wang et al. (2023). Case, articles and punctuation are ignored.
    """
    return float(np.mean([normalise(sample) == normalise(response) for sample in samples]))


def threshold(validation: pd.DataFrame, score: str, cost: float = 1.0) -> float:
    """Return the lowest score to answer at that gives the highest phi on validation outcomes.

    Parameters
    ----------
    validation : pd.DataFrame
        Outcome table of validation questions, with the column `score`.
    score : str
        Name of that column; higher means surer.
    cost : float
        What a wrong answer costs, a right one being worth 1. At cost 1, phi is s_trust.

    Returns
    -------
    float
        Infinite when refusing everything is best. Of equally good thresholds, the one that
        answers most.

    Raises
    ------
    ValueError
        When given test outcomes, or when an answer has no score.
    """
    if "test" in set(validation.split):
        raise ValueError(
            "a threshold is chosen on validation questions, never on the test split; "
            "give the validation outcomes"
        )
    curve = risk_coverage(validation, score)
    gain = np.append(0.0, curve.coverage - (1 + cost) * curve.generalised_risk)
    best = np.flatnonzero(gain >= gain.max() - 1e-12)[-1]
    return float(np.append(np.inf, curve.threshold)[best])


def refuse_below(outcomes: pd.DataFrame, score: str, least: float) -> pd.DataFrame:
    """Refuse the answers scored below `least`; the method becomes the score's name.

    Raises
    ------
    ValueError
        When an answer has no score.
    """
    risk_coverage(outcomes, score)  # raises on missing scores, which the comparison would hide
    refused = outcomes.outcome.where(outcomes[score] >= least, "refusal")
    return outcomes.assign(method=score, outcome=refused)


def refuse_share(outcomes: pd.DataFrame, score: str, share: float) -> pd.DataFrame:
    """Refuse the least sure answers until `share` of all rows is refused (ours).

    `share` lies in [0, 1]; the model's own refusals count towards it and stay. Ties in the score
    are broken by the question's id, never by its outcome.
    """
    refused_before = int((outcomes.outcome == "refusal").sum())
    wanted = max(round(share * len(outcomes)) - refused_before, 0)
    answered = outcomes[outcomes.outcome != "refusal"]
    least_sure = answered.sort_values([score, "id"]).index[:wanted]
    refused = outcomes.outcome.mask(outcomes.index.isin(least_sure), "refusal")
    return outcomes.assign(method=score, outcome=refused)


def baselines(
    validation: pd.DataFrame, test: pd.DataFrame, scores: Sequence[str] = SCORES, cost: float = 1.0
) -> pd.DataFrame:
    """Predict selectively on `test` by each score's best threshold on `validation`.

    Both are outcome tables with a column for each score; `cost` is as in `threshold`.
    """
    tables = [refuse_below(test, score, threshold(validation, score, cost)) for score in scores]
    return pd.concat(tables, ignore_index=True).drop(columns=[*scores])
