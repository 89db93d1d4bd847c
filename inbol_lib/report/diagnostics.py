"""What notebook 06 shows beside the paper's tables.

How far its judging can be trusted, what needs no training, what refusals cost, and cases.
"""

from collections.abc import Sequence
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd
from datasets import Dataset

from inbol_lib.data.records import load_table, save_table
from inbol_lib.evaluation import asking, label_free, metrics, risk, selective
from inbol_lib.evaluation.intervals import interval
from inbol_lib.judging import agreement
from inbol_lib.judging.hybrid import llm_verdicts
from inbol_lib.params import Params
from inbol_lib.report.plots import charts, pictures
from inbol_lib.report.tables import control_tables, files, layout, refusal_costs

CASES = 8  # questions in Fig. 12
AUDITED = 200  # sampled responses (paper, App. D.1)


def audit(p: Params, confidence: Path, target: Path) -> list[pd.DataFrame]:
    """Compare string match and `p.judge` with the micro world's truth, and save the tables.

    Parameters
    ----------
    p : Params
    confidence : Path
        The artefact of the confidence stage, whose sampled test responses are judged.
    target : Path
        Where `audit_evaluators`, `audit_errors` and `audit_real_responses` are written.

    Returns
    -------
    list of pd.DataFrame
        The agreement of both judges, and the errors of `p.judge`, in the micro world alone, because
        no other data set's truth is known beside its gold answers; and, always, how well refusals
        are told in responses of real models (`agreement.audit_declining`).
    """
    declining = agreement.audit_declining(p.judge)
    files.save_table_files(declining, target, "audit_real_responses")
    if p.dataset != "micro":
        return [declining]
    judges = list(dict.fromkeys(("string", p.judge)))
    records = load_table(confidence / "records_test.parquet").remove_columns("image").to_pandas()
    audited = agreement.judged(agreement.sample(records, AUDITED, p.data_seed), judges)
    agreed = agreement.audit(audited, judges)
    errors = agreement.disagreements(audited, p.judge)
    files.save_table_files(agreed, target, "audit_evaluators")
    files.save_table_files(errors, target, "audit_errors")
    return [agreed, errors, declining]


def refusals_called_right(p: Params, rows: Dataset, outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return refusals of answerable in-domain questions that `p.judge` takes for right answers.

    Returns
    -------
    pd.DataFrame
        Columns: question, gold, response, method. It has no rows under the judge "string".
    """
    inside = layout.in_domain(outcomes)
    refused = inside[(inside.outcome == "refusal") & inside.answerable]
    if p.judge == "string" or refused.empty:
        return refused[["method", "response"]].head(0)
    asked = {
        row["id"]: (row["question"], "; ".join(row["answers"]))
        for row in rows.select_columns(["id", "question", "answers"])
    }
    triples = [(*asked[row.id], row.response) for row in refused.itertuples()]
    verdicts = llm_verdicts(triples, p.judge)
    table = pd.DataFrame(triples, columns=["question", "gold", "response"])
    table = table.assign(method=refused.method.values)
    return table[[verdicts[triple] == "correct" for triple in triples]].reset_index(drop=True)


def without_training(
    p: Params, rows: Dataset, outcomes: pd.DataFrame, composition: Path, target: Path
) -> pd.DataFrame:
    """Compare selective prediction by label-free scores with the trained methods, in domain.

    Parameters
    ----------
    p : Params
    rows : Dataset
        The test questions, with a flag `in_domain`.
    outcomes : pd.DataFrame
        The outcomes of all methods on them.
    composition : Path
        The artefact of the composition stage, which holds the validation questions.
    target : Path
        Where `scored.parquet`, the table and the risk-coverage figure are written.

    Returns
    -------
    pd.DataFrame
        `control_tables.selective_prediction`.
    """
    held = load_table(composition / "validation.parquet")
    held = held.add_column("in_domain", [True] * len(held))
    who = asking.examinee(p)
    validation = label_free.scored(p, held, who)
    test = label_free.scored(p, rows.filter(lambda flag: flag, input_columns="in_domain"), who)
    scored = pd.concat([validation, test]).drop(columns="response")
    save_table(scored, target / "scored.parquet")
    inside = layout.in_domain(outcomes)
    table = control_tables.selective_prediction(inside, scored)
    files.save_table_files(table, target, "selective_prediction")
    _risk_coverage_figure(p, test, inside, target)
    return table


def _risk_coverage_figure(
    p: Params, scored: pd.DataFrame, inside: pd.DataFrame, target: Path
) -> None:
    """Draw and save every score's curve and every method's point."""
    curves = pd.concat(
        [risk.risk_coverage(scored, score).assign(score=score) for score in selective.SCORES]
    )
    by_method = inside.groupby("method", sort=False)
    bounds = [interval(part, statistic="answered_acc") for _, part in by_method]
    points = metrics.summary(inside, ["method"])
    points[["lo", "hi"]] = bounds
    figure, ax = plt.subplots(figsize=(11, 5))
    charts.risk_coverage(curves, points, ax).set_title(f"Answering less to err less, {p.model}")
    files.save_figure(figure, target, "fig_risk_coverage", curves)


def levels(p: Params, confidence: Path, target: Path) -> pd.DataFrame:
    """Count the questions of the unbalanced test pool by source and confidence.

    Parameters
    ----------
    p : Params
    confidence : Path
        The artefact of the confidence stage.
    target : Path
        Where `levels.csv` is written.

    Returns
    -------
    pd.DataFrame
        Columns: model, source, level (confidence rounded to tenths), questions.
    """
    records = load_table(confidence / "records_test.parquet")
    pool = records.select_columns(["source", "confidence"]).to_pandas()
    pool = pool.assign(model=p.model, level=pool.confidence.round(1))
    counts = pool.groupby(["model", "source", "level"]).size()
    table = counts.rename("questions").reset_index()
    table.to_csv(target / "levels.csv", index=False)
    return table


def costs(p: Params, outcomes: pd.DataFrame, target: Path) -> list[pd.DataFrame]:
    """Return what refusing costs in domain, both tables of `refusal_costs`, and save them."""
    inside = layout.in_domain(outcomes)
    crossed = refusal_costs.crossovers(inside)
    refused = refusal_costs.over_refusal(inside, "original", p.delta_known, p.delta_unknown)
    files.save_table_files(crossed, target, "crossovers")
    files.save_table_files(refused, target, "over_refusal")
    return [crossed, refused]


def case_studies(
    p: Params, rows: Dataset, outcomes: pd.DataFrame, target: Path
) -> plt.Figure | None:
    """Draw and save Fig. 12: questions that the first method gets wrong, and what all methods say.

    The first questions of each source are taken, one source after the other in turn.

    Returns
    -------
    plt.Figure or None
        None where the first method makes no errors.
    """
    chosen = _first_errors(outcomes, p.methods[0])
    if not chosen:
        return None
    keys = ["id", "method"]
    drawn = outcomes[outcomes.id.isin(chosen)].drop_duplicates(keys)
    drawn = drawn[["id", "source", "method", "outcome", "response"]]
    place = {name: index for index, name in enumerate(rows["id"])}
    shown = rows.select([place[name] for name in chosen])
    said = drawn.set_index(keys)
    captions = [_caption(row, said, p.methods) for row in shown.remove_columns("image")]
    figure = pictures.picture_grid(shown["image"], captions)
    files.save_figure(figure, target, "fig12_case_studies", drawn)
    return figure


def _first_errors(outcomes: pd.DataFrame, method: str) -> list[str]:
    """Return the ids of the first CASES questions that a method gets wrong, the sources in turn."""
    wrong = outcomes[(outcomes.method == method) & (outcomes.outcome == "incorrect")]
    number = wrong.groupby("source").cumcount().sort_values(kind="stable")
    return wrong.id.loc[number.index][:CASES].tolist()


def _caption(row: dict, said: pd.DataFrame, methods: Sequence[str]) -> str:
    gold = row["answers"][0] if row["answers"] else "unanswerable"
    lines = [pictures.wrap(f"{row['question']} ({gold})")]
    for method in methods:
        response, outcome = said.loc[(row["id"], method), ["response", "outcome"]]
        lines.append(pictures.spoken(method, response, outcome))
    return "\n".join(lines)
