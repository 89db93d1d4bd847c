"""The only maker of tables: from outcome tables to the paper's Tables 1 to 7, in percentage points with 95 % intervals."""

from collections.abc import Iterable
from itertools import product
from pathlib import Path

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from inbol_lib import metrics
from inbol_lib.intervals import difference, interval, same_items

NAMES = {
    "vqav2": "VQAv2", "oven": "OVEN", "scienceqa": "ScienceQA", "uavqa": "UaVQA", "aokvqa": "AOKVQA", "gqa": "GQA", "mmmu": "MMMU",
    "mmbench": "MMBench", "beyondvisqa": "BeyondVisQA", "vizwiz": "VizWiz(ua)", "vqav2_idk": "VQAv2-IDK(filter)",
}  # fmt: skip
OOD, OOD_AVERAGED = ("aokvqa", "gqa", "mmmu", "beyondvisqa", "mmbench"), ("AOKVQA", "GQA", "MMMU", "MMBench")
UNANSWERABLE = ("vizwiz", "vqav2_idk")
SCORES = ["acc", "refr", "s_trust"]
PAPER = "as in the paper"  # the design of the probe that is not a control
PAIRED = ["diff", "diff_lo", "diff_hi", "mark"]
MIXED_PAIRS = {"dpo_1": 1, "dpo_2": 2, "dpo_3": 3, "ca_dpo": 3}


def in_domain(outcomes: pd.DataFrame) -> pd.DataFrame:
    """The rows of the in-domain test set: whatever source is none of the out-of-domain sets."""
    return outcomes[~outcomes.source.isin((*OOD, *UNANSWERABLE))]


def _table(parts: Iterable[tuple[str, pd.DataFrame]], *columns: str, base: str | None = None) -> pd.DataFrame:
    """One row per model, method and data set (`parts`): metrics over all seeds, interval of the main one (RefR where nothing
    can be answered, else s_trust), its paired difference to the method above, or to the first, `base`. Empty without outcomes."""
    rows, parts = [], list(parts)
    order = list(dict.fromkeys([*([base] if base else []), *(method for _, outcomes in parts for method in outcomes.method)]))
    for dataset, outcomes in parts:
        above: dict[str, pd.DataFrame] = {}
        groups = outcomes.groupby(["model", "method"], sort=False)
        for (model, method), part in sorted(groups, key=lambda group: order.index(group[0][1])):
            main = "s_trust" if part.answerable.any() else "refr"
            score = {k: 100 * v for k, v in metrics.score(metrics.counts(part).sum()).items() if main == "s_trust" or k == main}
            lo, hi = interval(part, statistic=main)
            rows.append({"model": model, "method": method, "dataset": dataset, **score, "lo": 100 * lo, "hi": 100 * hi,
                         **_paired(above.get(model), part, main),
                         "n": part.id.nunique(), "n_seeds": part.seed.nunique(), "unjudged": sum(part.outcome == "unjudged")})  # fmt: skip
            if base in (None, method):
                above[model] = part
    rows.sort(key=lambda row: (row["model"], order.index(row["method"])))
    return pd.DataFrame(rows, columns=["model", "method", "dataset", *columns, "lo", "hi", *PAIRED, "n", "n_seeds", "unjudged"])


def _paired(above: pd.DataFrame | None, part: pd.DataFrame, metric: str) -> dict[str, float | str]:
    """The paired difference to the method above in points; nothing for the first, and where the questions are not the same."""
    if above is None or not same_items(above, part):
        return {"mark": ""}
    return {k: v if k == "mark" else 100 * v for k, v in difference(above, part, metric).items()}


def table1(outcomes: pd.DataFrame) -> pd.DataFrame:
    """In domain: every source and Overall (columns of the paper's Table 1)."""
    inside = in_domain(outcomes)
    parts = [(NAMES.get(source, source), part) for source, part in inside.groupby("source", sort=False)]
    return _table([*parts, ("Overall", inside)], *SCORES, "answered_acc")


def table2(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Out of domain. MMBench is scored circularly, as the paper's level suggests; its vanilla score is a row of its own."""
    parts = {NAMES[source]: outcomes[outcomes.source == source] for source in OOD}
    parts |= {"MMBench": metrics.circular(parts["MMBench"]), "MMBench(vanilla)": metrics.vanilla(parts["MMBench"])}
    return _table(parts.items(), *SCORES, "answered_acc")


def table3(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Refusal rate on the two unanswerable sets."""
    return _table([(NAMES[source], outcomes[outcomes.source == source]) for source in UNANSWERABLE], "refr")


def table4(outcomes: pd.DataFrame) -> pd.DataFrame:
    """One line per model and method: in-domain overall, and the mean over A-OKVQA, GQA, MMMU and MMBench with its interval."""
    first, second = table1(outcomes), table2(outcomes)
    inside = first[first.dataset == "Overall"].drop(columns=["dataset", "answered_acc", "unjudged"])
    out = inside.rename(columns={score: f"id_{score}" for score in SCORES})
    if second.dataset.isin(OOD_AVERAGED).any():
        averaged = second[second.dataset.isin(OOD_AVERAGED)].groupby(["model", "method"], sort=False)[SCORES].mean()
        averaged[["lo", "hi"]] = [_mean_interval(outcomes[(outcomes[["model", "method"]] == key).all(axis=1)]) for key in averaged.index]
        out = out.join(averaged.add_prefix("ood_"), on=["model", "method"])
    return out.assign(mixed_pairs=out.method.map(MIXED_PAIRS)).reset_index(drop=True)


def _mean_interval(outcomes: pd.DataFrame) -> list[float]:
    """Interval of the mean s_trust, in points, over the data sets that are averaged; MMBench scored circularly."""
    of = dict(list(outcomes.groupby("source")))
    averaged = [source for source in OOD if NAMES[source] in OOD_AVERAGED and source in of]
    sets = [metrics.circular(of[source]) if source == "mmbench" else of[source] for source in averaged]
    return [100 * v for v in interval(*sets, statistic=lambda *totals: np.mean([metrics.score(t)["s_trust"] for t in totals], axis=0))]


def controls(outcomes: pd.DataFrame, base: str = "ca_dpo") -> pd.DataFrame:
    """Variants of eq. 6 in domain, each with its paired difference to `base` (ours): negative where what was taken away had helped."""
    return _table([("Overall", in_domain(outcomes))], *SCORES, "answered_acc", base=base)


def samples(by_count: dict[int, pd.DataFrame]) -> pd.DataFrame:
    """In domain, by the number of sampled responses that made the confidence of the training questions (ours)."""
    return pd.concat([controls(o, "idk_it").assign(samples=n) for n, o in by_count.items()], ignore_index=True).drop(columns="dataset")


def by_seen(outcomes: pd.DataFrame, seen: pd.Series, base: str = "idk_it") -> pd.DataFrame:
    """In-domain questions about an entity, apart by whether training asked about that entity (ours); differences are to `base`. `seen`:
    True, False, or None where there is no entity, for each row of `outcomes`."""
    parts = [controls(outcomes[seen == value], base).assign(entity=word) for value, word in ((True, "seen"), (False, "unseen"))]
    return pd.concat(parts, ignore_index=True).drop(columns="dataset")


def natural(outcomes: pd.DataFrame, levels: pd.DataFrame) -> pd.DataFrame:
    """Answerable in-domain questions as the balanced test set has them, and re-weighted to how often each confidence comes up when it is
    not balanced (ours; the paper reports the balanced set alone). `levels`: model, source, level, questions."""
    asked, rows = in_domain(outcomes[outcomes.answerable]), []
    asked = asked.assign(level=asked.confidence.round(1))
    for (model, method), part in asked.groupby(["model", "method"], sort=False):
        mine = levels[(levels.model == model) & levels.source.isin(part.source)]
        often = mine.groupby("source").questions.transform(lambda n: n / n.sum()).groupby(mine.level).sum() / mine.source.nunique()
        strata = dict(list(part.groupby("level")))
        known = often[often.index.isin(strata)]
        for name, weights in (("balanced", part.level.value_counts(normalize=True)), ("natural", known / known.sum())):
            held = [strata[level] for level in weights.index]

            def mean(*totals, metric="s_trust", weights=weights):
                with np.errstate(invalid="ignore"):  # a resample may hold none of a rare level
                    return sum(w * metrics.score(t)[metric] for w, t in zip(weights, totals, strict=True))

            found = {k: 100 * float(mean(*(metrics.counts(t).sum() for t in held), metric=k)) for k in SCORES}
            lo, hi = interval(*held, statistic=mean)
            rows.append({"model": model, "method": method, "distribution": name, **found, "lo": 100 * lo, "hi": 100 * hi,
                         "n": part.id.nunique(), "n_seeds": part.seed.nunique()})  # fmt: skip
    return pd.DataFrame(rows)


def equal_refusals(outcomes: pd.DataFrame, scores: pd.DataFrame) -> pd.DataFrame:
    """Is a trained method better than the original model that refuses as often, its least sure answers first (ours)? In domain, for each
    trained method and label-free score: s_trust of both and their paired difference. `scores`: model, id and a column for each score;
    no label and no threshold is chosen here, the refusal rate alone is the trained method's."""
    from inbol_lib import selective  # brings the language models' libraries

    inside, rows = in_domain(outcomes), []
    for model, mine in inside.groupby("model", sort=False):
        of = dict(list(mine.groupby("method", sort=False)))
        base = of.pop("original").merge(scores[scores.model == model][["id", *selective.SCORES]], on="id", validate="many_to_one")
        for (method, part), score in product(of.items(), selective.SCORES):
            share = (part.outcome == "refusal").mean()
            same = selective.refuse_share(base, score, share)
            trust = [100 * float(metrics.score(metrics.counts(t).sum())["s_trust"]) for t in (same, part)]
            gap = _paired(same, part, "s_trust")
            rows.append({"model": model, "method": method, "score": score, "refr": 100 * share,
                         "refr_score": 100 * (same.outcome == "refusal").mean(), "s_trust_score": trust[0], "s_trust": trust[1], **gap,
                         "n": part.id.nunique(), "n_seeds": part.seed.nunique()})  # fmt: skip
    return pd.DataFrame(rows)


def probe(predicted: pd.DataFrame) -> pd.DataFrame:
    """Accuracy (points) for each model, method and control, with Wilson's 95 % interval; of several shuffles, where 95 % of them lie."""
    rows = []
    for key, part in predicted.assign(right=predicted.said == predicted.label).groupby(["model", "method", "control"], sort=False):
        each = part.groupby("shuffle").right.mean()
        lo, hi = each.quantile([0.025, 0.975]) if len(each) > 1 else binomtest(part.right.sum(), len(part)).proportion_ci(method="wilson")
        rows.append((*key, 100 * each.mean(), 100 * lo, 100 * hi, part.id.nunique(), part.seed.nunique()))
    return pd.DataFrame(rows, columns=["model", "method", "control", "accuracy", "lo", "hi", "n", "n_seeds"])


def generator_table(by_generator: dict[str, pd.DataFrame], number: int) -> pd.DataFrame:
    """Table 5 (refusal rates on unanswerable sets) or 6 (out of domain) for each generator of unanswerable questions."""
    make = (lambda outcomes: pd.concat([table3(outcomes), table2(outcomes)])) if number == 5 else table2
    table = pd.concat([make(outcomes).assign(generator=name) for name, outcomes in by_generator.items()])
    keep = ("VizWiz(ua)", "VQAv2-IDK(filter)", "BeyondVisQA") if number == 5 else OOD_AVERAGED
    return table[table.dataset.isin(keep)].reset_index(drop=True)


def selective_prediction(validation: pd.DataFrame, test: pd.DataFrame, trained: pd.DataFrame | None = None) -> pd.DataFrame:
    """Training-free refusal beside the trained: in-domain lines of the original model (`test`, scored), of each score with the threshold
    that `validation` chose, and of `trained` outcomes. AURC, AUGRC and ECE (points, low is good) judge the score."""
    from inbol_lib import selective  # brings the language models' libraries

    test, rows = in_domain(test), []
    answered = test[test.outcome != "refusal"]
    for score in selective.SCORES:
        curve = metrics.risk_coverage(test, score)
        right = answered.outcome == "correct"
        areas = {"aurc": metrics.aurc(curve), "augrc": metrics.augrc(curve), "ece": metrics.ece(answered[score], right)}
        rows.append({"method": score, "threshold": selective.threshold(validation, score)} | {k: 100 * v for k, v in areas.items()})
    beside = pd.concat([test, selective.baselines(validation, test), trained])
    table = _table([("Overall", in_domain(beside))], *SCORES, "answered_acc")
    return table.merge(pd.DataFrame(rows), on="method", how="left")


def by_confidence(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Fig. 4: refusal rate and answered accuracy (shares) with intervals (_lo, _hi) against the base model's confidence, in domain and on
    A-OKVQA."""
    known, keys = outcomes[outcomes.confidence.notna() & outcomes.answerable], ["data", "method", "level"]
    known = known.assign(data=np.where(known.source == "aokvqa", "A-OKVQA", "in domain"), level=known.confidence.round(1))
    table = metrics.summary(known, keys)
    for name in ("refr", "answered_acc"):
        bounds = [interval(part, statistic=name) for _, part in known.groupby(keys, sort=False)]
        table[[f"{name}_lo", f"{name}_hi"]] = bounds
    return table.sort_values(keys)


def save_table_files(table: pd.DataFrame, folder: Path, name: str, note: str = "") -> None:
    """`name`.csv, .md and .tex in `folder`; the note (such as a reduced size) stands under the Markdown and LaTeX tables."""
    folder.mkdir(parents=True, exist_ok=True)
    shown = table.round(2)
    shown.to_csv(folder / f"{name}.csv", index=False)
    (folder / f"{name}.md").write_text(shown.to_markdown(index=False, floatfmt=".2f") + (f"\n\n{note}\n" if note else "\n"))
    tex = shown.style.hide(axis="index").format(precision=2, na_rep="--", escape="latex").to_latex(hrules=True)
    (folder / f"{name}.tex").write_text(tex + (f"% {note}\n" if note else ""))


def save_figure(figure, folder: Path, name: str, data: pd.DataFrame | None = None) -> None:
    """`name`.svg and .png in `folder`, and the data behind the figure as `name`.csv."""
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.svg", metadata={"Date": None})
    figure.savefig(folder / f"{name}.png")
    if data is not None:
        data.round(4).to_csv(folder / f"{name}.csv", index=False)
