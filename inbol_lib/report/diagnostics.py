"""What notebook 06 shows beside the paper's tables: how far its judging goes, what needs no training, what refusing costs, and cases."""

from itertools import combinations
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from datasets import Dataset

from inbol_lib.data.records import load_table, save_table
from inbol_lib.evaluation import label_free, metrics, selective
from inbol_lib.evaluation.intervals import interval, same_items
from inbol_lib.judging import agreement
from inbol_lib.judging.hybrid import llm_verdicts
from inbol_lib.params import Params
from inbol_lib.report.plots import charts, pictures
from inbol_lib.report.tables import control_tables, files, layout

CASES = 8
AUDITED = 200  # sampled responses (paper, App. D.1)


def audit(p: Params, confidence: Path, target: Path) -> list[pd.DataFrame]:
    """Agreement of string match and of `p.judge` with the micro world's truth on sampled test responses of the original model, and the
    latter's errors; both are saved. Empty on a folder data set, whose truth nobody but its gold answers knows."""
    if p.dataset != "micro":
        return []
    judges = list(dict.fromkeys(("string", p.judge)))
    records = load_table(confidence / "records_test.parquet").remove_columns("image").to_pandas()
    audited = agreement.judged(agreement.sample(records, AUDITED, p.data_seed), judges)
    found = agreement.audit(audited, judges), agreement.disagreements(audited, p.judge)
    for table, name in zip(found, ("audit_evaluators", "audit_errors"), strict=True):
        files.save_table_files(table, target, name)
    return list(found)


def refusals_called_right(p: Params, rows: Dataset, outcomes: pd.DataFrame) -> pd.DataFrame:
    """In-domain responses to answerable questions that the detector calls refusals and the language model `p.judge` right answers."""
    inside = layout.in_domain(outcomes)
    refused = inside[(inside.outcome == "refusal") & inside.answerable]
    if p.judge == "string" or refused.empty:
        return refused[["method", "response"]].head(0)
    asked = {
        r["id"]: (r["question"], "; ".join(r["answers"]))
        for r in rows.select_columns(["id", "question", "answers"])
    }
    triples = [(*asked[r.id], r.response) for r in refused.itertuples()]
    verdicts = llm_verdicts(triples, p.judge)
    table = pd.DataFrame(triples, columns=["question", "gold", "response"]).assign(
        method=refused.method.values
    )
    return table[[verdicts[t] == "correct" for t in triples]].reset_index(drop=True)


def without_training(
    p: Params, rows: Dataset, outcomes: pd.DataFrame, composition: Path, target: Path
) -> pd.DataFrame:
    """Selective prediction by label-free scores beside the trained methods, in domain, and the risk-coverage figure; both are saved."""
    held = load_table(composition / "validation.parquet")
    inside = rows.filter(lambda flag: flag, input_columns="in_domain")
    validation, test = (
        label_free.scored(p, part)
        for part in (held.add_column("in_domain", [True] * len(held)), inside)
    )
    others = layout.in_domain(outcomes[outcomes.method != "original"])
    save_table(pd.concat([validation, test]).drop(columns="response"), target / "scored.parquet")
    table = control_tables.selective_prediction(validation, test, others)
    files.save_table_files(table, target, "selective_prediction")
    curves = pd.concat(
        [metrics.risk_coverage(test, score).assign(score=score) for score in selective.SCORES]
    )
    figure, ax = plt.subplots(figsize=(11, 5))
    answered = layout.in_domain(outcomes)
    bounds = [
        interval(part, statistic="answered_acc")
        for _, part in answered.groupby("method", sort=False)
    ]
    points = metrics.summary(answered, ["method"]).assign(
        lo=[lo for lo, _ in bounds], hi=[hi for _, hi in bounds]
    )
    charts.risk_coverage(curves, points, ax).set_title(f"Answering less to err less, {p.model}")
    files.save_figure(figure, target, "fig_risk_coverage", curves)
    return table


def levels(p: Params, confidence: Path, target: Path) -> pd.DataFrame:
    """How many questions of the unbalanced test pool have each confidence, by source; saved as levels.csv."""
    pool = (
        load_table(confidence / "records_test.parquet")
        .select_columns(["source", "confidence"])
        .to_pandas()
    )
    table = (
        pool.assign(model=p.model, level=pool.confidence.round(1))
        .groupby(["model", "source", "level"])
        .size()
    )
    table = table.rename("questions").reset_index()
    table.to_csv(target / "levels.csv", index=False)
    return table


def crossovers(outcomes: pd.DataFrame) -> pd.DataFrame:
    """For every two methods the cost of a wrong answer from which the more cautious one serves the user better, with its interval
    (`metrics.crossover`): below `cost` choose `bold`, above it `cautious`. Raises ValueError unless they answered the same questions."""
    rows = []
    for model, mine in outcomes.groupby("model", sort=False):
        for pair in combinations([part for _, part in mine.groupby("method", sort=False)], 2):
            if not same_items(*pair):
                raise ValueError(
                    f"{model}: {' and '.join(part.method.iloc[0] for part in pair)} did not answer the same questions"
                )
            bold, cautious = sorted(
                pair, key=lambda part: -part.outcome.isin(["incorrect", "unjudged"]).sum()
            )
            lo, hi = interval(bold, cautious, statistic=metrics.crossover)
            cost = float(
                metrics.crossover(*(metrics.counts(part).sum() for part in (bold, cautious)))
            )
            names = {
                "model": model,
                "bold": bold.method.iloc[0],
                "cautious": cautious.method.iloc[0],
            }
            rows.append({**names, "cost": cost, "lo": lo, "hi": hi})
    return pd.DataFrame(rows, columns=["model", "bold", "cautious", "cost", "lo", "hi"])


def over_refusal(
    outcomes: pd.DataFrame,
    base: str = "original",
    delta_known: float = 0.8,
    delta_unknown: float = 0.2,
) -> pd.DataFrame:
    """Who is refused: for known, mixed and unknown questions the share (%) of `base`'s right answers lost to refusals and of its errors
    averted by them, of `n` such answers (all seeds)."""
    rows = metrics.against(outcomes, base, delta_known, delta_unknown)
    keys, table = ["model", "method", "kind", "effect"], []
    for key, part in rows.groupby(keys, sort=False):
        lo, hi = interval(part, statistic="refr")
        refused = int((part.outcome == "refusal").sum())
        table.append({**dict(zip(keys, key, strict=True)), "n": len(part), "refused": refused, "refr": 100 * refused / len(part),
                      "lo": 100 * lo, "hi": 100 * hi})  # fmt: skip
    return pd.DataFrame(table, columns=[*keys, "n", "refused", "refr", "lo", "hi"]).sort_values(
        keys, ignore_index=True
    )


def costs(p: Params, outcomes: pd.DataFrame, target: Path) -> list[pd.DataFrame]:
    """In domain: from which cost of a wrong answer the cautious method is the better one, and whom refusals hit; both are saved."""
    inside = layout.in_domain(outcomes)
    found = crossovers(inside), over_refusal(inside, "original", p.delta_known, p.delta_unknown)
    for table, name in zip(found, ("crossovers", "over_refusal"), strict=True):
        files.save_table_files(table, target, name)
    return list(found)


def case_studies(
    p: Params, rows: Dataset, outcomes: pd.DataFrame, target: Path
) -> plt.Figure | None:
    """Fig. 12: the first questions of each source that the first method answers wrongly, and what every method says; saved. None
    where it errs nowhere."""
    wrong = outcomes[(outcomes.method == p.methods[0]) & (outcomes.outcome == "incorrect")]
    chosen = wrong.loc[wrong.groupby("source").cumcount().sort_values(kind="stable").index].id[
        :CASES
    ]  # the sources in turn
    if chosen.empty:
        return None
    drawn = outcomes[outcomes.id.isin(chosen)].drop_duplicates(["id", "method"])[
        ["id", "source", "method", "outcome", "response"]
    ]
    said = drawn.set_index(["id", "method"])
    place = {name: i for i, name in enumerate(rows["id"])}
    shown = rows.select([place[name] for name in chosen])
    captions = []
    for row in shown.remove_columns("image"):
        lines = [
            pictures.spoken(m, *said.loc[(row["id"], m), ["response", "outcome"]])
            for m in p.methods
        ]
        gold = row["answers"][0] if row["answers"] else "unanswerable"
        captions.append("\n".join([pictures.wrap(f"{row['question']} ({gold})"), *lines]))
    figure = pictures.picture_grid(shown["image"], captions)
    files.save_figure(figure, target, "fig12_case_studies", drawn)
    return figure
