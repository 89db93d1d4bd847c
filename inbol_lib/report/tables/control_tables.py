"""TODO."""

from itertools import product

import numpy as np
import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval
from inbol_lib.report.tables.layout import SCORES, _paired, _table, in_domain


def controls(outcomes: pd.DataFrame, base: str = "ca_dpo") -> pd.DataFrame:
    """Variants of eq. 6 in domain, each with its paired difference to `base` (ours): negative where what was taken away had helped."""
    return _table([("Overall", in_domain(outcomes))], *SCORES, "answered_acc", base=base)


def samples(by_count: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """In domain, by the number of sampled responses that made the confidence of the training questions (ours)."""
    return pd.concat(
        [controls(o, "idk_it").assign(samples=n) for n, o in by_count.items()], ignore_index=True
    ).drop(columns="dataset")


def by_seen(outcomes: pd.DataFrame, seen: pd.Series, base: str = "idk_it") -> pd.DataFrame:
    """In-domain questions about an entity, apart by whether training asked about that entity (ours); differences are to `base`. `seen`:
    True, False, or None where there is no entity, for each row of `outcomes`."""
    parts = [
        controls(outcomes[seen == value], base).assign(entity=word)
        for value, word in ((True, "seen"), (False, "unseen"))
    ]
    return pd.concat(parts, ignore_index=True).drop(columns="dataset")


def natural(outcomes: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Answerable in-domain questions as the balanced test set has them, and re-weighted to how often each confidence comes up when it is
    not balanced (ours; the paper reports the balanced set alone). `levels`: model, source, level, questions."""
    asked, rows = in_domain(outcomes[outcomes.answerable]), []
    asked = asked.assign(level=asked.confidence.round(1))
    for (model, method), part in asked.groupby(["model", "method"], sort=False):
        mine = levels[(levels.model == model) & levels.source.isin(part.source)]
        often = (
            mine.groupby("source")
            .questions.transform(lambda n: n / n.sum())
            .groupby(mine.level)
            .sum()
            / mine.source.nunique()
        )
        strata = dict(list(part.groupby("level")))
        known = often[often.index.isin(strata)]
        for name, weights in (
            ("balanced", part.level.value_counts(normalize=True)),
            ("natural", known / known.sum()),
        ):
            held = [strata[level] for level in weights.index]

            def mean(*totals, metric="s_trust", weights=weights):
                with np.errstate(invalid="ignore"):  # a resample may hold none of a rare level
                    return sum(
                        w * metrics.score(t)[metric] for w, t in zip(weights, totals, strict=True)
                    )

            found = {
                k: 100 * float(mean(*(metrics.counts(t).sum() for t in held), metric=k))
                for k in SCORES
            }
            lo, hi = interval(*held, statistic=mean)
            rows.append({"model": model, "method": method, "distribution": name, **found, "lo": 100 * lo, "hi": 100 * hi,
                         "n": part.id.nunique(), "n_seeds": part.seed.nunique()})  # fmt: skip
    return pd.DataFrame(rows)


def equal_refusals(outcomes: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Is a trained method better than the original model that refuses as often, its least sure answers first (ours)? In domain, for each
    trained method and label-free score: s_trust of both and their paired difference. `scores`: model, id and a column for each score;
    no label and no threshold is chosen here, the refusal rate alone is the trained method's."""
    from inbol_lib.evaluation import selective

    inside, rows = in_domain(outcomes), []
    for model, mine in inside.groupby("model", sort=False):
        of = dict(list(mine.groupby("method", sort=False)))
        base = of.pop("original").merge(
            scores[scores.model == model][["id", *selective.SCORES]],
            on="id",
            validate="many_to_one",
        )
        for (method, part), score in product(of.items(), selective.SCORES):
            share = (part.outcome == "refusal").mean()
            same = selective.refuse_share(base, score, share)
            trust = [
                100 * float(metrics.score(metrics.counts(t).sum())["s_trust"]) for t in (same, part)
            ]
            gap = _paired(same, part, "s_trust")
            rows.append({"model": model, "method": method, "score": score, "refr": 100 * share,
                         "refr_score": 100 * (same.outcome == "refusal").mean(), "s_trust_score": trust[0], "s_trust": trust[1], **gap,
                         "n": part.id.nunique(), "n_seeds": part.seed.nunique()})  # fmt: skip
    return pd.DataFrame(rows)


def selective_prediction(
    validation: pd.DataFrame, test: pd.DataFrame, trained: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Training-free refusal beside the trained: in-domain lines of the original model (`test`, scored), of each score with the threshold
    that `validation` chose, and of `trained` outcomes. AURC, AUGRC and ECE (points, low is good) judge the score."""
    from inbol_lib.evaluation import selective

    test, rows = in_domain(test), []
    answered = test[test.outcome != "refusal"]
    for score in selective.SCORES:
        curve = metrics.risk_coverage(test, score)
        right = answered.outcome == "correct"
        areas = {
            "aurc": metrics.aurc(curve),
            "augrc": metrics.augrc(curve),
            "ece": metrics.ece(answered[score], right),
        }
        rows.append(
            {"method": score, "threshold": selective.threshold(validation, score)}
            | {k: 100 * v for k, v in areas.items()}
        )
    beside = pd.concat([test, selective.baselines(validation, test), trained])
    table = _table([("Overall", in_domain(beside))], *SCORES, "answered_acc")
    return table.merge(pd.DataFrame(rows), on="method", how="left")
