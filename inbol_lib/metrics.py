"""Metrics from the outcome table alone (paper, Sec. 2.2, eq. 4 and 5; Sec. 4.3.2)."""

import numpy as np
import pandas as pd

COUNTS = ("correct", "refusal", "incorrect", "unjudged")


def accuracy(correct, n):
    """Acc = N_c / N, in [0, 1] (eq. 4)."""
    return correct / n


def refusal_rate(refusal, n):
    """RefR = N_r / N, in [0, 1] (eq. 4)."""
    return refusal / n


def s_trust(correct, refusal, n):
    """2 Acc + RefR - 1, in [-1, 1] (eq. 5). An unjudged response counts like an incorrect one: no trust is earned by it."""
    return 2 * correct / n + refusal / n - 1


def answered_accuracy(correct, refusal, n):
    """N_c / (N - N_r), in [0, 1]; NaN when everything was refused (Sec. 4.3.2)."""
    answered = np.asarray(n - refusal, float)
    return np.divide(correct, answered, out=np.full_like(answered, np.nan), where=answered > 0)


def phi(correct, refusal, n, cost: float = 1.0):
    """Effective reliability: right +1, refusal 0, wrong -cost, per item; s_trust = phi at cost 1 (Whitehead et al., 2022)."""
    return (correct - cost * (n - correct - refusal)) / n


def counts(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Indicator columns correct, refusal, incorrect, unjudged, n for each row. Raises ValueError on an unknown outcome."""
    unknown = set(outcomes["outcome"]) - set(COUNTS)
    if unknown:
        raise ValueError(f"unknown outcomes {sorted(unknown)}; allowed are {', '.join(COUNTS)}")
    table = pd.DataFrame({name: (outcomes["outcome"] == name).astype(float) for name in COUNTS}, index=outcomes.index)
    return table.assign(n=1.0)


def score(totals) -> dict[str, float]:
    """All metrics from summed counts (a row or frame with correct, refusal, n)."""
    c, r, n = (np.asarray(totals[k], float) for k in ("correct", "refusal", "n"))
    return {"acc": accuracy(c, n), "refr": refusal_rate(r, n), "s_trust": s_trust(c, r, n), "answered_acc": answered_accuracy(c, r, n)}


def summary(outcomes: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """n, unjudged and every metric (shares) for each group."""
    totals = pd.concat([outcomes[by], counts(outcomes)], axis=1).groupby(by, sort=False, observed=True).sum().reset_index()
    return totals[by].assign(n=totals.n.astype(int), unjudged=totals.unjudged.astype(int), **score(totals))


def circular(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per base question instead of one per rotation of its options: incorrect if any rotation is, else refused if
    any is, else right (MMBench's circular evaluation, extended to refusals; ours)."""
    order = {"incorrect": 0, "unjudged": 1, "refusal": 2, "correct": 3}
    keys = ["model", "method", "seed", "group"]
    worst = outcomes.assign(rank=outcomes.outcome.map(order)).sort_values("rank", kind="stable").groupby(keys, sort=False).head(1)
    return worst.drop(columns="rank").sort_index()


def vanilla(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The first rotation of each base question alone."""
    return outcomes.groupby(["model", "method", "seed", "group"], sort=False).head(1)
