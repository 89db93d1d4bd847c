"""Ask a model every test question once, greedily, and write down what came of it: the outcome table."""

from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset

from inbol_lib.data.records import prompt_text, save_table
from inbol_lib.data.templates import REFUSAL_PROMPT
from inbol_lib.judging.hybrid import judge
from inbol_lib.mllm import loading
from inbol_lib.mllm.sampling import greedy
from inbol_lib.params import Params

KEPT = ["id", "image_id", "group", "source", "split"]


def user_text(row: dict, method: str, choice_answer: str) -> str:
    """What the user says; the refusal-prompt baseline adds the paper's sentence (Sec. 4.1.2)."""
    return prompt_text(row, choice_answer) + (
        f"\n{REFUSAL_PROMPT}" if method == "refusal_prompt" else ""
    )


def outcomes(p: Params, method: str, rows: Dataset, adapter: Path | None) -> pd.DataFrame:
    """The outcome table of one method of `p.model` at `p.seed` (paper, App. F: hybrid evaluator in domain, string match
    out of domain)."""
    model, processor = loading.load(p.model, adapter)
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


def evaluate(
    p: Params, rows: Dataset, partial: Path, adapters: Mapping[str, Path | None]
) -> pd.DataFrame:
    """Outcomes of all `p.methods`, each with its adapter (None: the model as it is). A finished
    method is kept in `partial` until the stage is saved."""
    tables = []
    for method in p.methods:
        kept = partial / f"{method}.parquet"
        if not kept.is_file():
            save_table(outcomes(p, method, rows, adapters[method]), kept)
        tables.append(pd.read_parquet(kept))
    return pd.concat(tables, ignore_index=True)
