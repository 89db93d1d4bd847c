"""Ask a model every test question once, greedily, and write down what came of it: the outcome table."""

from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset, concatenate_datasets

from inbol_lib import models, questions, stages
from inbol_lib.judging import judge
from inbol_lib.params import Params
from inbol_lib.records import load_table, prompt_text, save_table
from inbol_lib.sampling import greedy
from inbol_lib.templates import REFUSAL_PROMPT

KEPT = ["id", "image_id", "group", "source", "split"]


def test_questions(p: Params, composition: Path, confidence: Path) -> Dataset:
    """The balanced in-domain test set and every out-of-domain set, as Question rows with the base model's `confidence`
    (NaN where it was not estimated) and `in_domain`."""
    columns = ["id", "image", "image_id", "group", "source", "split", "question", "answers", "choices", "accepted"]
    inside = load_table(composition / "in_domain_test.parquet")
    tables = [inside.select_columns([*columns, "confidence"]).add_column("in_domain", [True] * len(inside))]
    estimated = load_table(path) if (path := confidence / "records_aokvqa.parquet").is_file() else {"id": [], "confidence": []}
    known = dict(zip(estimated["id"], estimated["confidence"], strict=True))
    for source in questions.ood_sources(p):
        rows = questions.load(p, source, "test", p.ood_questions)
        values = [known.get(name, float("nan")) for name in rows["id"]]
        tables.append(rows.select_columns(columns).add_column("confidence", values).add_column("in_domain", [False] * len(rows)))
    return concatenate_datasets([t.cast(tables[0].features) for t in tables])


def user_text(row: dict, method: str, choice_answer: str) -> str:
    """What the user says; the refusal-prompt baseline adds the paper's sentence (Sec. 4.1.2)."""
    return prompt_text(row, choice_answer) + (f"\n{REFUSAL_PROMPT}" if method == "refusal_prompt" else "")


def outcomes(p: Params, method: str, rows: Dataset, adapter: Path | None) -> pd.DataFrame:
    """The outcome table of one method of `p.model` at `p.seed` (paper, App. F: hybrid evaluator in domain, string match
    out of domain)."""
    model, processor = models.load(p.model, adapter)
    frame = rows.remove_columns("image").to_list()
    texts = [user_text(r, method, p.choice_answer) for r in frame]
    said = greedy(model, processor, list(rows["image"]), texts, p.max_new_tokens, p.token_budget)
    verdicts = np.empty(len(frame), object)
    for inside, name in ((True, p.judge), (False, "string")):
        chosen = [i for i, r in enumerate(frame) if r["in_domain"] == inside]
        verdicts[chosen] = judge([frame[i] for i in chosen], [said[i] for i in chosen], name)
    table = pd.DataFrame([{k: r[k] for k in (*KEPT, "confidence")} for r in frame])
    return table.assign(model=p.model, method=method, seed=p.seed, response=[text or "" for text in said], outcome=verdicts,
                        answerable=[bool(r["answers"]) for r in frame])  # fmt: skip


def adapter_of(p: Params, method: str) -> Path | None:
    """The trained adapter of a method (its training runs first when missing); None for the prompted ones."""
    return None if method in stages.PROMPTED else stages.ensure(*stages.trained(p, method)) / "adapter"


def evaluate(p: Params, rows: Dataset, partial: Path) -> pd.DataFrame:
    """Outcomes of all `p.methods`; each finished method is kept in `partial` until the stage is saved."""
    tables = []
    for method in p.methods:
        kept = partial / f"{method}.parquet"
        if not kept.is_file():
            save_table(outcomes(p, method, rows, adapter_of(p, method)), kept)
        tables.append(pd.read_parquet(kept))
    return pd.concat(tables, ignore_index=True)


def headline(table: pd.DataFrame) -> dict[str, dict[str, float]]:
    """method -> in-domain and mean out-of-domain metrics in percentage points, for metrics.json."""
    from inbol_lib.tables import table4

    rows = table4(table).to_dict("records")
    return {r["method"]: {k: round(float(v), 4) for k, v in r.items()
                          if k != "mixed_pairs" and isinstance(v, int | float) and pd.notna(v)} for r in rows}  # fmt: skip
