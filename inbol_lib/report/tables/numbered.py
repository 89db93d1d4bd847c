"""The only maker of tables: from outcome tables to the paper's Tables 1 to 7, in percentage points with 95 % intervals."""

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval
from inbol_lib.report.tables.layout import (
    NAMES,
    OOD,
    OOD_AVERAGED,
    SCORES,
    UNANSWERABLE,
    _mean_interval,
    _table,
    in_domain,
)

MIXED_PAIRS = {"dpo_1": 1, "dpo_2": 2, "dpo_3": 3, "ca_dpo": 3}


def table1(outcomes: pd.DataFrame) -> pd.DataFrame:
    """In domain: every source and Overall (columns of the paper's Table 1)."""
    inside = in_domain(outcomes)
    parts = [
        (NAMES.get(source, source), part) for source, part in inside.groupby("source", sort=False)
    ]
    return _table([*parts, ("Overall", inside)], *SCORES, "answered_acc")


def table2(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Out of domain. MMBench is scored circularly, as the paper's level suggests; its vanilla score is a row of its own."""
    parts = {NAMES[source]: outcomes[outcomes.source == source] for source in OOD}
    parts |= {
        "MMBench": metrics.circular(parts["MMBench"]),
        "MMBench(vanilla)": metrics.vanilla(parts["MMBench"]),
    }
    return _table(parts.items(), *SCORES, "answered_acc")


def table3(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Refusal rate on the two unanswerable sets."""
    return _table(
        [(NAMES[source], outcomes[outcomes.source == source]) for source in UNANSWERABLE], "refr"
    )


def table4(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One line per model and method: in-domain overall, and the mean over A-OKVQA, GQA, MMMU and MMBench with its interval."""
    first, second = table1(outcomes), table2(outcomes)
    inside = first[first.dataset == "Overall"].drop(columns=["dataset", "answered_acc", "unjudged"])
    out = inside.rename(columns={score: f"id_{score}" for score in SCORES})
    if second.dataset.isin(OOD_AVERAGED).any():
        averaged = (
            second[second.dataset.isin(OOD_AVERAGED)]
            .groupby(["model", "method"], sort=False)[SCORES]
            .mean()
        )
        averaged[["lo", "hi"]] = [
            _mean_interval(outcomes[(outcomes[["model", "method"]] == key).all(axis=1)])
            for key in averaged.index
        ]
        out = out.join(averaged.add_prefix("ood_"), on=["model", "method"])
    return out.assign(mixed_pairs=out.method.map(MIXED_PAIRS)).reset_index(drop=True)


def probe(predicted: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (points) for each model, method and control, with Wilson's 95 % interval; of several shuffles, where 95 % of them lie."""
    rows = []
    for key, part in predicted.assign(right=predicted.said == predicted.label).groupby(
        ["model", "method", "control"], sort=False
    ):
        each = part.groupby("shuffle").right.mean()
        lo, hi = (
            each.quantile([0.025, 0.975])
            if len(each) > 1
            else binomtest(part.right.sum(), len(part)).proportion_ci(method="wilson")
        )
        rows.append(
            (*key, 100 * each.mean(), 100 * lo, 100 * hi, part.id.nunique(), part.seed.nunique())
        )
    return pd.DataFrame(
        rows, columns=["model", "method", "control", "accuracy", "lo", "hi", "n", "n_seeds"]
    )


def generator_table(by_generator: dict[str, pd.DataFrame], number: int) -> pd.DataFrame:
    """Table 5 (refusal rates on unanswerable sets) or 6 (out of domain) for each generator of unanswerable questions."""
    make = (
        (lambda outcomes: pd.concat([table3(outcomes), table2(outcomes)]))
        if number == 5
        else table2
    )
    table = pd.concat(
        [make(outcomes).assign(generator=name) for name, outcomes in by_generator.items()]
    )
    keep = ("VizWiz(ua)", "VQAv2-IDK(filter)", "BeyondVisQA") if number == 5 else OOD_AVERAGED
    return table[table.dataset.isin(keep)].reset_index(drop=True)


def by_confidence(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Fig. 4: refusal rate and answered accuracy (shares) with intervals (_lo, _hi) against the base model's confidence, in domain and on
    A-OKVQA."""
    known, keys = (
        outcomes[outcomes.confidence.notna() & outcomes.answerable],
        ["data", "method", "level"],
    )
    known = known.assign(
        data=np.where(known.source == "aokvqa", "A-OKVQA", "in domain"),
        level=known.confidence.round(1),
    )
    table = metrics.summary(known, keys)
    for name in ("refr", "answered_acc"):
        bounds = [interval(part, statistic=name) for _, part in known.groupby(keys, sort=False)]
        table[[f"{name}_lo", f"{name}_hi"]] = bounds
    return table.sort_values(keys)


def headline(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """method -> in-domain and mean out-of-domain metrics in percentage points, for metrics.json."""

    rows = table4(table).to_dict("records")
    return {r["method"]: {k: round(float(v), 4) for k, v in r.items()
                          if k != "mixed_pairs" and isinstance(v, int | float) and pd.notna(v)} for r in rows}  # fmt: skip
