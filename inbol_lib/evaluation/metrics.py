"""Metrics from the outcome table alone (paper, Sec. 2.2, eq. 4 and 5; Sec. 4.3.2).

An outcome table has one row per question, method and training seed; its column `outcome` is one of
`COUNTS`. Metrics are computed from sums of these four counts, so that `intervals` can resample the
sums instead of the rows. Curves and areas over a score are in `risk`.
"""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from inbol_lib.boundary.classes import classify

COUNTS = ("correct", "refusal", "incorrect", "unjudged")

Totals = Mapping[str, float] | pd.Series | pd.DataFrame
Numbers = float | np.ndarray | pd.Series

#: what a refusal does to a question, by the outcome it had before
EFFECTS = {
    "correct": "answer lost",
    "incorrect": "error averted",
    "unjudged": "error averted",
    "refusal": "refused before",
}


def accuracy(correct: Numbers, n: Numbers) -> Numbers:
    """Return Acc = N_c / N, in [0, 1] (eq. 4)."""
    return correct / n


def refusal_rate(refusal: Numbers, n: Numbers) -> Numbers:
    """Return RefR = N_r / N, in [0, 1] (eq. 4)."""
    return refusal / n


def s_trust(correct: Numbers, refusal: Numbers, n: Numbers) -> Numbers:
    """Return 2 Acc + RefR - 1, in [-1, 1] (eq. 5).

    An unjudged response counts like an incorrect one: it earns no trust.
    """
    return 2 * correct / n + refusal / n - 1


def answered_accuracy(correct: Numbers, refusal: Numbers, n: Numbers) -> np.ndarray:
    """Return N_c / (N - N_r), in [0, 1]; NaN where everything was refused (Sec. 4.3.2)."""
    answered = np.asarray(n - refusal, float)
    return np.divide(correct, answered, out=np.full_like(answered, np.nan), where=answered > 0)


def phi(correct: Numbers, refusal: Numbers, n: Numbers, cost: float = 1.0) -> Numbers:
    """Return the user's gain per question at a cost of errors (Whitehead et al., 2022).

    Notes
    -----
    Phi_c = (N_c - c N_w) / N with the `cost` c and N_w = N - N_c - N_r: a right answer is worth 1,
    a refusal 0 and a wrong answer -c. At c = 1 this is 2 Acc + RefR - 1, so s_trust = Phi_1. An
    unanswerable question has no right answer: refusing it (0) is best, and any answer to it is
    worth -c. Answering pays when P(right) > c / (1 + c).
    """
    return (correct - cost * (n - correct - refusal)) / n


def crossover(bold: Totals, cautious: Totals) -> np.ndarray:
    """Return the cost of a wrong answer above which `cautious` has the higher phi (ours).

    Parameters
    ----------
    bold, cautious : row or frame with correct, refusal and n
        Summed counts of two methods on the same questions; `cautious` is the method that gives
        fewer wrong answers.

    Returns
    -------
    np.ndarray
        Answers lost / errors averted, both as shares of all questions. 0 where `cautious` is at
        least as good at every cost, infinite where it never becomes better.
    """
    lost = accuracy(bold["correct"], bold["n"]) - accuracy(cautious["correct"], cautious["n"])
    averted = _wrong_share(bold) - _wrong_share(cautious)
    never = np.where((averted == 0) & (lost <= 0), 0.0, np.inf)
    return np.divide(np.maximum(lost, 0), averted, out=never, where=averted > 0)


def _wrong_share(totals: Totals) -> Numbers:
    return (totals["n"] - totals["correct"] - totals["refusal"]) / totals["n"]


def outcome_codes(outcomes: pd.DataFrame) -> np.ndarray:
    """Return the place of each row's outcome in `COUNTS`.

    Raises
    ------
    ValueError
        When a row has an outcome that is not one of `COUNTS`.
    """
    codes, found = outcomes["outcome"].factorize(use_na_sentinel=False)
    unknown = set(found) - set(COUNTS)
    if unknown:
        raise ValueError(
            f"unknown outcomes {sorted(map(str, unknown))}; allowed are {', '.join(COUNTS)}"
        )
    return np.array([COUNTS.index(word) for word in found], int)[codes]


def counts(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return columns of 0 and 1 for each row: correct, refusal, incorrect, unjudged; n is always 1.

    Raises
    ------
    ValueError
        When a row has an outcome that is not one of `COUNTS`.
    """
    indicators = np.eye(len(COUNTS))[outcome_codes(outcomes)]
    return pd.DataFrame(indicators, index=outcomes.index, columns=list(COUNTS)).assign(n=1.0)


def score(totals: Totals) -> dict[str, np.ndarray]:
    """Return Acc, RefR, s_trust and answered accuracy (shares) from summed counts.

    `totals` is a row, or a frame with one row per group, that holds correct, refusal and n.
    """
    correct, refusal, n = (np.asarray(totals[name], float) for name in ("correct", "refusal", "n"))
    return {
        "acc": accuracy(correct, n),
        "refr": refusal_rate(refusal, n),
        "s_trust": s_trust(correct, refusal, n),
        "answered_acc": answered_accuracy(correct, refusal, n),
    }


def summary(outcomes: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """Return n, unjudged (both numbers of rows) and every metric (shares) for each group."""
    counted = pd.concat([outcomes[by], counts(outcomes)], axis=1)
    totals = counted.groupby(by, sort=False, observed=True).sum().reset_index()
    sizes = {"n": totals.n.astype(int), "unjudged": totals.unjudged.astype(int)}
    return totals[by].assign(**sizes, **score(totals))


def circular(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per base question instead of one per rotation; its id is the group's.

    Notes
    -----
    Incorrect if any rotation is, otherwise refused if any is, otherwise right: MMBench's circular
    evaluation, extended to refusals (ours).
    """
    order = {"incorrect": 0, "unjudged": 1, "refusal": 2, "correct": 3}
    keys = ["model", "method", "seed", "group"]
    ranked = outcomes.assign(rank=outcomes.outcome.map(order)).reset_index(drop=True)
    worst = ranked.sort_values("rank", kind="stable").groupby(keys, sort=False).head(1)
    return worst.drop(columns="rank").assign(id=worst.group).sort_index()


def vanilla(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Keep the first rotation of each base question alone."""
    return outcomes.groupby(["model", "method", "seed", "group"], sort=False).head(1)


def against(
    outcomes: pd.DataFrame,
    base: str = "original",
    delta_known: float = 0.8,
    delta_unknown: float = 0.2,
) -> pd.DataFrame:
    """Return what refusing each question costs or spares, compared with method `base` (ours).

    Parameters
    ----------
    outcomes : pd.DataFrame
        Outcome table with `confidence` in [0, 1], NaN where it was not estimated.
    base : str
        The method whose outcome counts as the one before refusing.
    delta_known, delta_unknown : float
        Thresholds on confidence (paper, Sec. 3.2).

    Returns
    -------
    pd.DataFrame
        The other methods' rows with `kind` (known, mixed, unknown; "not estimated" without a
        confidence) and `effect`, the effect that refusing has: "answer lost" where `base` was
        right, "error averted" where it was wrong, "refused before" where it had refused.

    Raises
    ------
    ValueError
        When `base` did not answer the same questions.
    """
    keys = ["model", "seed", "id"]
    before = outcomes[outcomes.method == base].set_index(keys).outcome.map(EFFECTS)
    rows = outcomes[outcomes.method != base].join(before.rename("effect"), on=keys)
    missing = int(rows.effect.isna().sum())
    if missing:
        raise ValueError(
            f"{missing} of {len(rows)} outcomes have no outcome of {base!r} for the same model, "
            "seed and id; evaluate it too"
        )
    return rows.assign(kind=kinds(rows.confidence, delta_known, delta_unknown))


def kinds(
    confidence: pd.Series,
    delta_known: float = 0.8,
    delta_unknown: float = 0.2,
    without: str | np.ndarray = "not estimated",
) -> np.ndarray:
    """Return the class of every confidence, as `classes.classify` gives it (paper, Sec. 3.2).

    Parameters
    ----------
    confidence : pd.Series
        Values in [0, 1], or NaN.
    delta_known, delta_unknown : float
        Thresholds, as in `against`.
    without : str or array of str
        What stands where there is no confidence.

    Returns
    -------
    np.ndarray of str
    """
    codes, levels = pd.factorize(confidence, use_na_sentinel=True)
    words = [classify(level, delta_known, delta_unknown) for level in levels]
    found = np.array([*words, ""], dtype=object)[codes]
    return np.where(codes < 0, without, found)
