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
    """The user's gain per item when a wrong answer costs `cost`: Phi_c = (N_c - c N_w) / N, N_w = N - N_c - N_r (Whitehead et al., 2022).

    Right +1, refused 0, wrong -c. At c = 1: (N_c - (N - N_c - N_r)) / N = 2 Acc + RefR - 1, so s_trust = Phi_1. An unanswerable
    question has no right answer: refusing it (0) is the best there is, any answer is worth -c. Answering pays when P(right) > c / (1 + c).
    """
    return (correct - cost * (n - correct - refusal)) / n


def crossover(bold, cautious) -> np.ndarray:
    """The cost c >= 0 of a wrong answer from which the method that answers less wrongly, `cautious`, has the higher phi (ours).

    Both phi are equal at c = answers lost / errors averted, as shares. 0 where `cautious` is at least as good at every cost, infinite
    where it never becomes better. Both are summed counts of the same items (rows or frames with correct, refusal, n)."""
    lost = accuracy(bold["correct"], bold["n"]) - accuracy(cautious["correct"], cautious["n"])
    averted = np.subtract(
        *((t["n"] - t["correct"] - t["refusal"]) / t["n"] for t in (bold, cautious))
    )
    never = np.where((averted == 0) & (lost <= 0), 0.0, np.inf)
    return np.divide(np.maximum(lost, 0), averted, out=never, where=averted > 0)


def counts(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Indicator columns correct, refusal, incorrect, unjudged, n for each row. Raises ValueError on an unknown outcome."""
    unknown = set(outcomes["outcome"]) - set(COUNTS)
    if unknown:
        raise ValueError(f"unknown outcomes {sorted(unknown)}; allowed are {', '.join(COUNTS)}")
    table = pd.DataFrame(
        {name: (outcomes["outcome"] == name).astype(float) for name in COUNTS}, index=outcomes.index
    )
    return table.assign(n=1.0)


def score(totals) -> dict[str, float]:
    """All metrics from summed counts (a row or frame with correct, refusal, n)."""
    c, r, n = (np.asarray(totals[k], float) for k in ("correct", "refusal", "n"))
    return {
        "acc": accuracy(c, n),
        "refr": refusal_rate(r, n),
        "s_trust": s_trust(c, r, n),
        "answered_acc": answered_accuracy(c, r, n),
    }


def summary(outcomes: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """n, unjudged and every metric (shares) for each group."""
    totals = (
        pd.concat([outcomes[by], counts(outcomes)], axis=1)
        .groupby(by, sort=False, observed=True)
        .sum()
        .reset_index()
    )
    return totals[by].assign(
        n=totals.n.astype(int), unjudged=totals.unjudged.astype(int), **score(totals)
    )


def circular(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One row per base question (its `id` the group's) instead of one per rotation of its options: incorrect if any rotation is, else
    refused if any is, else right (MMBench's circular evaluation, extended to refusals; ours)."""
    order = {"incorrect": 0, "unjudged": 1, "refusal": 2, "correct": 3}
    keys = ["model", "method", "seed", "group"]
    ranked = outcomes.assign(rank=outcomes.outcome.map(order)).reset_index(drop=True)
    worst = ranked.sort_values("rank", kind="stable").groupby(keys, sort=False).head(1)
    return worst.drop(columns="rank").assign(id=worst.group).sort_index()


def vanilla(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The first rotation of each base question alone."""
    return outcomes.groupby(["model", "method", "seed", "group"], sort=False).head(1)


def against(
    outcomes: pd.DataFrame,
    base: str = "original",
    delta_known: float = 0.8,
    delta_unknown: float = 0.2,
) -> pd.DataFrame:
    """What refusals cost and spare: the other methods' rows with `kind` (known, mixed, unknown; "not estimated" without a confidence)
    and `effect` a refusal has: "answer lost" where `base` was right, "error averted" where it was wrong, "refused before" (ours).
    Raises ValueError where `base` did not answer the same questions."""
    from inbol_lib.boundary.classes import classify

    keys = ["model", "seed", "id"]
    effects = {
        "correct": "answer lost",
        "incorrect": "error averted",
        "unjudged": "error averted",
        "refusal": "refused before",
    }
    before = outcomes[outcomes.method == base].set_index(keys).outcome.map(effects).rename("effect")
    rows = outcomes[outcomes.method != base].join(before, on=keys)
    if missing := int(rows.effect.isna().sum()):
        raise ValueError(
            f"{missing} of {len(rows)} outcomes have none of {base!r} beside them (same model, seed and id); evaluate it too"
        )
    kind = rows.confidence.map(lambda value: classify(value, delta_known, delta_unknown))
    return rows.assign(kind=kind.where(rows.confidence.notna(), "not estimated"))


def risk_coverage(outcomes: pd.DataFrame, score: str) -> pd.DataFrame:
    """If only answers with a `score` (a column) of at least `threshold` were given: coverage (share answered), risk (share wrong of the
    answered) and generalised risk (share wrong of all). One row per distinct score, falling, so that ties have no order; the model's own
    refusals stay unanswered. Raises ValueError when an answer has no score."""
    answered = outcomes[outcomes.outcome != "refusal"]
    if missing := int(answered[score].isna().sum()):
        raise ValueError(
            f"{missing} of {len(answered)} answers have no {score}; score every item, or leave them out and say so"
        )
    table = (
        pd.DataFrame({"threshold": answered[score], "wrong": answered.outcome != "correct", "n": 1})
        .groupby("threshold")
        .sum()
    )
    table = table[::-1].cumsum().reset_index()
    n = max(len(outcomes), 1)
    return table[["threshold"]].assign(
        coverage=table.n / n, risk=table.wrong / table.n, generalised_risk=table.wrong / n
    )


def aurc(curve: pd.DataFrame) -> float:
    """Area under risk against coverage: the mean, over answers, of the risk at the answer's own score (Geifman et al., 2019)."""
    return float((curve.risk * np.diff(curve.coverage, prepend=0)).sum())


def augrc(curve: pd.DataFrame) -> float:
    """Area under generalised risk against coverage, tied scores in a straight line (Traub et al., 2024). Of n answers with error
    rate e: e^2 / 2 when the score ranks perfectly, e / 2 when it says nothing."""
    return float(np.trapezoid([0, *curve.generalised_risk], [0, *curve.coverage]))


def ece(confidence, right, bins: int = 10) -> float:
    """Expected calibration error, in [0, 1]: |share right - mean confidence| averaged over the answers, which are grouped by confidence
    rounded to 1 / `bins` (ten samples know eleven levels; Guo et al., 2017). Raises ValueError on a confidence outside [0, 1] or NaN."""
    confidence, right = np.asarray(confidence, float), np.asarray(right, float)
    if not ((confidence >= 0) & (confidence <= 1)).all():
        raise ValueError(
            "confidence must lie in [0, 1] for every item; leave out items without one, and say how many"
        )
    gaps = pd.Series(right - confidence).groupby(np.rint(confidence * bins)).sum()
    return float(gaps.abs().sum() / len(confidence))
