"""From outcome tables to the paper's Tables 1 to 7, in percentage points with 95 % intervals."""

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
    averaged_sets,
    in_domain,
    mean_trust_interval,
    metric_table,
    points,
)

#: method -> pairs of responses that it learns from on a mixed question (Table 4)
MIXED_PAIRS = {"dpo_1": 1, "dpo_2": 2, "dpo_3": 3, "ca_dpo": 3}


def table1(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the in-domain metrics of every source and Overall, with the columns of Table 1."""
    inside = in_domain(outcomes)
    sources = inside.groupby("source", sort=False)
    parts = [(NAMES.get(source, source), part) for source, part in sources]
    return metric_table([*parts, ("Overall", inside)], *SCORES, "answered_acc")


def table2(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the out-of-domain metrics of every data set, with the columns of Table 2.

    MMBench is scored circularly, as the level of the paper's numbers suggests; its vanilla score
    has a row of its own.
    """
    parts = _out_of_domain(outcomes)
    parts["MMBench(vanilla)"] = metrics.vanilla(outcomes[outcomes.source == "mmbench"])
    return metric_table(parts.items(), *SCORES, "answered_acc")


def _out_of_domain(outcomes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return data set -> its outcomes, of MMBench one row for all rotations of a question."""
    parts = {NAMES[source]: outcomes[outcomes.source == source] for source in OOD}
    return parts | {"MMBench": metrics.circular(parts["MMBench"])}


def table3(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return the refusal rates on the two unanswerable data sets (Table 3)."""
    parts = [(NAMES[source], outcomes[outcomes.source == source]) for source in UNANSWERABLE]
    return metric_table(parts, "refr")


def table4(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return one row per model and method, in and out of domain (Table 4).

    Returns
    -------
    pd.DataFrame
        id_* are the in-domain metrics over all sources, with lo and hi. ood_* are the means over
        A-OKVQA, GQA, MMMU and MMBench, with ood_lo and ood_hi, where some of them were asked.
    """
    inside = metric_table([("Overall", in_domain(outcomes))], *SCORES)
    table = inside.drop(columns=["dataset", "unjudged"])
    table = table.rename(columns={score: f"id_{score}" for score in SCORES})
    outside = _out_of_domain_means(outcomes)
    if len(outside):
        table = table.join(outside.add_prefix("ood_"), on=["model", "method"])
    return table.assign(mixed_pairs=table.method.map(MIXED_PAIRS)).reset_index(drop=True)


def _out_of_domain_means(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return acc, refr, s_trust, lo and hi by model and method, without Table 2's intervals."""
    keys, rows, bounds = ["model", "method"], [], []
    for key, mine in outcomes.groupby(keys, sort=False):
        if sets := averaged_sets(mine):
            rows += [dict(zip(keys, key, strict=True)) | points(each) for each in sets]
            bounds.append(mean_trust_interval(sets))
    means = pd.DataFrame(rows, columns=[*keys, *SCORES]).groupby(keys, sort=False).mean()
    means[["lo", "hi"]] = bounds or np.empty((0, 2))
    return means


def probe(predicted: pd.DataFrame) -> pd.DataFrame:
    """Return the probe's accuracy in points for each model, method and control (Table 7).

    Parameters
    ----------
    predicted : pd.DataFrame
        Columns: model, method, control, seed, shuffle, id, label, said.

    Returns
    -------
    pd.DataFrame
        lo and hi are Wilson's 95 % interval for as many answers as there are questions, which
        the training seeds share; where labels were shuffled several times, 95 % of the shuffles lie
        between them.
    """
    keys, rows = ["model", "method", "control"], []
    judged = predicted.assign(right=predicted.said == predicted.label)
    for key, part in judged.groupby(keys, sort=False):
        each, n = part.groupby(["seed", "shuffle"]).right.mean(), part.id.nunique()
        if part.shuffle.nunique() > 1:
            lo, hi = each.quantile([0.025, 0.975])
        else:
            lo, hi = binomtest(round(n * each.mean()), n).proportion_ci(method="wilson")
        points = {"accuracy": 100 * each.mean(), "lo": 100 * lo, "hi": 100 * hi}
        sizes = {"n": n, "n_seeds": part.seed.nunique()}
        rows.append(dict(zip(keys, key, strict=True)) | points | sizes)
    return pd.DataFrame(rows, columns=[*keys, "accuracy", "lo", "hi", "n", "n_seeds"])


def generator_table(by_generator: dict[str, pd.DataFrame], number: int) -> pd.DataFrame:
    """Return the outcomes under each generator of unanswerable questions.

    Parameters
    ----------
    by_generator : dict
        Generator -> outcomes.
    number : {5, 6}
        Table 5 holds the refusal rates on unanswerable sets, Table 6 the out-of-domain metrics.
    """
    shown = ("BeyondVisQA",) if number == 5 else OOD_AVERAGED
    parts = []
    for name, outcomes in by_generator.items():
        sets = _out_of_domain(outcomes)
        outside = [(dataset, sets[dataset]) for dataset in sets if dataset in shown]
        made = metric_table(outside, *SCORES, "answered_acc")
        both = [table3(outcomes), made] if number == 5 else [made]
        parts.append(pd.concat(both).assign(generator=name))
    return pd.concat(parts, ignore_index=True)


def by_confidence(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return what Fig. 4 is drawn from: metrics by the original model's confidence.

    Returns
    -------
    pd.DataFrame
        One row per data ("in domain" or "A-OKVQA"), method and level (confidence rounded to
        tenths), with refr and answered_acc (shares in [0, 1]) and their intervals, _lo and _hi.
    """
    keys = ["data", "method", "level"]
    asked = outcomes[outcomes.confidence.notna() & outcomes.answerable]
    asked = asked.assign(
        data=np.where(asked.source == "aokvqa", "A-OKVQA", "in domain"),
        level=asked.confidence.round(1),
    )
    table = metrics.summary(asked, keys)
    for name in ("refr", "answered_acc"):
        bounds = [interval(part, statistic=name) for _, part in asked.groupby(keys, sort=False)]
        table[[f"{name}_lo", f"{name}_hi"]] = bounds
    return table.sort_values(keys)


def headline(outcomes: pd.DataFrame) -> dict[str, dict[str, float]]:
    """Return method -> metrics of Table 4 in points, rounded to four decimals, for metrics.json."""
    table = table4(outcomes).drop(columns="mixed_pairs")
    return {row["method"]: _numbers(row) for row in table.to_dict("records")}


def _numbers(row: dict) -> dict[str, float]:
    """Return the numbers in a row, without those that are missing."""
    return {
        name: round(float(value), 4)
        for name, value in row.items()
        if isinstance(value, int | float) and pd.notna(value)
    }
