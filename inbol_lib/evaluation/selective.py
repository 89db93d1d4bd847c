"""Refusing without training: answer only where a label-free score of the untrained model is high enough (ours; El-Yaniv & Wiener, 2010).

The threshold is chosen on validation questions. What comes out is an outcome table, so that every metric and table applies to it."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.judging.matching import normalise

SCORES = ("self_consistency", "sequence_probability", "p_true")


def self_consistency(response: str, samples: Sequence[str]) -> float:
    """Share of the samples that say the same as the response, case, articles and punctuation aside, in [0, 1] (Wang et al., 2023)."""
    return float(np.mean([normalise(s) == normalise(response) for s in samples]))


def threshold(validation: pd.DataFrame, score: str, cost: float = 1.0) -> float:
    """The least score to answer at that gives the highest phi (s_trust at cost 1) on validation outcomes; infinite when refusing
    everything is best. Of equally good thresholds the one that answers most. Raises ValueError when given test outcomes."""
    if "test" in set(validation.split):
        raise ValueError(
            "a threshold is chosen on validation questions, never on the test split; give the validation outcomes"
        )
    curve = metrics.risk_coverage(validation, score)
    gain = np.append(0.0, curve.coverage - (1 + cost) * curve.generalised_risk)
    best = np.flatnonzero(gain >= gain.max() - 1e-12)[-1]
    return float(np.append(np.inf, curve.threshold)[best])


def refuse_below(outcomes: pd.DataFrame, score: str, least: float) -> pd.DataFrame:
    """The outcome table in which answers scored below `least` are refused; its method is the score's name. Raises ValueError when an
    answer has no score."""
    metrics.risk_coverage(
        outcomes, score
    )  # refuses missing scores, which would count as high enough or too low unseen
    return outcomes.assign(
        method=score, outcome=outcomes.outcome.where(outcomes[score] >= least, "refusal")
    )


def refuse_share(outcomes: pd.DataFrame, score: str, share: float) -> pd.DataFrame:
    """The outcome table in which the answers with the lowest scores are refused until `share` of all items is (in [0, 1]; ours). Ties are
    broken by the item's id, never by its outcome."""
    wanted = round(share * len(outcomes)) - int((outcomes.outcome == "refusal").sum())
    answered = (
        outcomes[outcomes.outcome != "refusal"].sort_values([score, "id"]).index[: max(wanted, 0)]
    )
    return outcomes.assign(
        method=score, outcome=outcomes.outcome.mask(outcomes.index.isin(answered), "refusal")
    )


def baselines(
    validation: pd.DataFrame, test: pd.DataFrame, scores: Sequence[str] = SCORES, cost: float = 1.0
) -> pd.DataFrame:
    """Selective prediction by each score: outcomes on `test` under the threshold that is best on `validation`."""
    return pd.concat(
        [refuse_below(test, s, threshold(validation, s, cost)) for s in scores], ignore_index=True
    ).drop(columns=[*scores])
