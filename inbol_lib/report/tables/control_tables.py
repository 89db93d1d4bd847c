"""Tables that the paper does not have: what it leaves untested (ours)."""

from collections.abc import Mapping
from functools import partial
from itertools import product
from typing import Any

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics, risk, selective
from inbol_lib.evaluation.intervals import interval
from inbol_lib.report.tables.layout import SCORES, in_domain, metric_table, paired_difference

#: kinds of question, in a table's order
KINDS = ("known", "mixed", "unknown", "unanswerable", "not estimated")


def controls(outcomes: pd.DataFrame, base: str = "ca_dpo") -> pd.DataFrame:
    """Return variants of eq. 6 in domain, each with its paired difference to `base`.

    A difference is negative where the part that a variant leaves out had helped.
    """
    return metric_table([("Overall", in_domain(outcomes))], *SCORES, "answered_acc", base=base)


def samples(by_count: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """Return in-domain metrics by the number of samples behind the confidence.

    Parameters
    ----------
    by_count : dict
        Number of sampled responses per training question -> outcomes.
    """
    return _apart(by_count, "samples", "idk_it")


def by_seen(outcomes: pd.DataFrame, seen: pd.Series, base: str = "idk_it") -> pd.DataFrame:
    """Return in-domain metrics by whether training asked about a question's entity.

    Parameters
    ----------
    outcomes : pd.DataFrame
    seen : pd.Series
        For each row of `outcomes`: True, False, or None where the question is about no entity.
    base : str
        The method that differences are taken to.
    """
    parts = {"seen": outcomes[seen.eq(True)], "unseen": outcomes[seen.eq(False)]}
    return _apart(parts, "entity", base)


def by_kind(
    outcomes: pd.DataFrame,
    delta_known: float = 0.8,
    delta_unknown: float = 0.2,
    base: str = "idk_it",
) -> pd.DataFrame:
    """Return in-domain metrics by what the original model knows of a question.

    Parameters
    ----------
    outcomes : pd.DataFrame
    delta_known, delta_unknown : float
        The thresholds on the original's confidence (paper, Sec. 3.2).
    base : str
        The method that differences are taken to.

    Returns
    -------
    pd.DataFrame
        The rows of `controls` for each `kind` that occurs: known, mixed, unknown, unanswerable
        (whatever its confidence is) and "not estimated".
    """
    kind = metrics.kinds(outcomes.confidence, delta_known, delta_unknown)
    kind = np.where(outcomes.answerable, kind, "unanswerable")
    occurring = [name for name in KINDS if (kind == name).any()]
    return _apart({name: outcomes[kind == name] for name in occurring}, "kind", base)


def _apart(parts: Mapping[Any, pd.DataFrame], column: str, base: str) -> pd.DataFrame:
    """Return the rows of `controls` for each part, with its name in a column."""
    tables = [controls(part, base).assign(**{column: name}) for name, part in parts.items()]
    return pd.concat(tables, ignore_index=True).drop(columns="dataset")


def natural(outcomes: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Return in-domain metrics of answerable questions, balanced and as confidence occurs.

    The paper's test set is balanced by confidence. Here its questions are re-weighted, too, by
    how often each confidence occurs in the pool that the test set was drawn from; every source
    counts alike.

    Parameters
    ----------
    outcomes : pd.DataFrame
    levels : pd.DataFrame
        Columns: model, source, level (confidence in tenths), questions (how many there are).

    Returns
    -------
    pd.DataFrame
        One row per model, method and distribution ("balanced" or "natural"), in points; lo and
        hi are the interval of s_trust.
    """
    asked = in_domain(outcomes[outcomes.answerable])
    asked = asked.assign(level=asked.confidence.round(1))
    rows = []
    for (model, method), part in asked.groupby(["model", "method"], sort=False):
        pool = levels[(levels.model == model) & levels.source.isin(part.source)]
        weights = {
            "balanced": part.level.value_counts(normalize=True),
            "natural": _natural_weights(pool, part),
        }
        for name, weight in weights.items():
            keys = {"model": model, "method": method, "distribution": name}
            rows.append(keys | _weighted_scores(part, weight) | _sizes(part))
    return pd.DataFrame(rows)


def _natural_weights(pool: pd.DataFrame, part: pd.DataFrame) -> pd.Series:
    """Return level -> its share of the pool, of the levels that `part` holds; they sum to 1."""
    share = pool.groupby("source").questions.transform(lambda counts: counts / counts.sum())
    often = share.groupby(pool.level).sum() / pool.source.nunique()
    held = often[often.index.isin(part.level)]
    return held / held.sum()


def _weighted_scores(part: pd.DataFrame, weights: pd.Series) -> dict[str, float]:
    """Return the metrics in points, each level of confidence weighted, and s_trust's interval."""
    by_level = dict(list(part.groupby("level")))
    strata = [by_level[level] for level in weights.index]
    totals = [metrics.counts(stratum).sum() for stratum in strata]
    scores = {name: _weighted_mean(*totals, weights=weights, metric=name) for name in SCORES}
    lo, hi = interval(*strata, statistic=partial(_weighted_mean, weights=weights))
    return {name: 100 * float(v) for name, v in (scores | {"lo": lo, "hi": hi}).items()}


def _weighted_mean(*totals, weights: pd.Series, metric: str = "s_trust") -> np.ndarray:
    """Return the weighted mean of a metric; `totals` are the summed counts of each level."""
    with np.errstate(invalid="ignore"):  # a resample may hold no question of a rare level
        return sum(
            weight * metrics.score(each)[metric]
            for weight, each in zip(weights, totals, strict=True)
        )


def _sizes(part: pd.DataFrame) -> dict[str, int]:
    return {"n": part.id.nunique(), "n_seeds": part.seed.nunique()}


def equal_refusals(outcomes: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Compare trained methods with the original model that refuses as often.

    The original model refuses the answers that it is least sure of, by a label-free score, until
    it refuses as many questions as the trained method. Neither a label nor a threshold is used.

    Parameters
    ----------
    outcomes : pd.DataFrame
    scores : pd.DataFrame
        Columns: model, id, and one for each of `selective.SCORES`.

    Returns
    -------
    pd.DataFrame
        One row per model, trained method and score, in domain and in points: RefR and s_trust of
        the method and of the original (_score), and the paired difference.
    """
    rows = []
    for model, mine in in_domain(outcomes).groupby("model", sort=False):
        by_method = dict(list(mine.groupby("method", sort=False)))
        known = scores[scores.model == model][["id", *selective.SCORES]]
        original = by_method.pop("original").merge(known, on="id", validate="many_to_one")
        for (method, part), score in product(by_method.items(), selective.SCORES):
            same = selective.refuse_share(original, score, (part.outcome == "refusal").mean())
            rows.append(
                {
                    "model": model,
                    "method": method,
                    "score": score,
                    "refr": 100 * (part.outcome == "refusal").mean(),
                    "refr_score": 100 * (same.outcome == "refusal").mean(),
                    "s_trust_score": _trust(same),
                    "s_trust": _trust(part),
                    **paired_difference(same, part, "s_trust"),
                    **_sizes(part),
                }
            )
    return pd.DataFrame(rows)


def _trust(part: pd.DataFrame) -> float:
    return 100 * float(metrics.score(metrics.counts(part).sum())["s_trust"])


def selective_prediction(outcomes: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return refusal without training beside trained methods, in domain.

    Parameters
    ----------
    outcomes : pd.DataFrame
        Of one or more models: the original and what else shall stand in the table.
    scores : pd.DataFrame
        Outcomes of the original models on the splits "validation" and "test", with a column for
        each of `selective.SCORES`; thresholds are chosen on the former.

    Returns
    -------
    pd.DataFrame
        For each model rows of the original, of each score with its threshold, and of the other
        methods. aurc, augrc and ece (points, lower is better) judge the scores themselves.
    """
    inside = in_domain(outcomes)
    tables = [
        _selective(mine, scores[scores.model == model])
        for model, mine in inside.groupby("model", sort=False)
    ]
    return pd.concat(tables, ignore_index=True)


def _selective(outcomes: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Return `selective_prediction` of one model."""
    validation, test = (scores[scores.split == split] for split in ("validation", "test"))
    test = in_domain(test)
    judged = pd.DataFrame(_score_quality(validation, test, score) for score in selective.SCORES)
    # the original is the same under every training seed; differences are paired by both
    original = pd.concat([test.assign(seed=seed) for seed in outcomes.seed.unique()])
    others = outcomes[outcomes.method != "original"]
    beside = pd.concat([original, selective.baselines(validation, original), others])
    table = metric_table([("Overall", beside)], *SCORES, "answered_acc")
    return table.merge(judged, on="method", how="left")


def _score_quality(
    validation: pd.DataFrame, test: pd.DataFrame, score: str
) -> dict[str, str | float]:
    """Return a score's threshold, areas under its curve and calibration error."""
    curve, answered = risk.risk_coverage(test, score), test[test.outcome != "refusal"]
    return {
        "method": score,
        "threshold": selective.threshold(validation, score),
        "aurc": 100 * risk.aurc(curve),
        "augrc": 100 * risk.augrc(curve),
        "ece": 100 * risk.ece(answered[score], answered.outcome == "correct"),
    }
