"""Ask a model every test question once, greedily, and judge the answers: the outcome table."""

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

#: columns of a question that its outcome keeps
KEPT = ("id", "image_id", "group", "source", "split", "confidence")


def user_text(row: dict, method: str, choice_answer: str) -> str:
    """Return the user's message for a question.

    The refusal-prompt baseline adds the paper's sentence (Sec. 4.1.2). `choice_answer` says how to
    answer multiple choice, as in `records.prompt_text`.
    """
    text = prompt_text(row, choice_answer)
    return f"{text}\n{REFUSAL_PROMPT}" if method == "refusal_prompt" else text


def outcomes(p: Params, method: str, rows: Dataset, adapter: Path | None) -> pd.DataFrame:
    """Return the outcome table of one method of `p.model` at `p.seed`.

    Parameters
    ----------
    p : Params
        Model, judge, lengths and seed.
    method : str
        Name of the method; "refusal_prompt" changes the user's message.
    rows : Dataset
        Questions with `confidence` and `in_domain`, as `question_pools.test_questions` gives them.
    adapter : Path or None
        The method's LoRA adapter; None for the model as it is.
    """
    model, processor = loading.load(p.model, adapter)
    questions = rows.remove_columns("image").to_list()
    texts = [user_text(row, method, p.choice_answer) for row in questions]
    responses = greedy(
        model, processor, list(rows["image"]), texts, p.max_new_tokens, p.token_budget
    )
    table = pd.DataFrame([{name: row[name] for name in KEPT} for row in questions])
    return table.assign(
        model=p.model,
        method=method,
        seed=p.seed,
        response=[text or "" for text in responses],
        outcome=_judged(p, questions, responses),
        answerable=[bool(row["answers"]) for row in questions],
    )


def _judged(p: Params, questions: list[dict], responses: list[str | None]) -> np.ndarray:
    """Judge by `p.judge` in domain and by string match out of domain (paper, App. F)."""
    verdicts = np.empty(len(questions), object)
    for in_domain, name in ((True, p.judge), (False, "string")):
        chosen = [i for i, row in enumerate(questions) if row["in_domain"] == in_domain]
        asked, said = [questions[i] for i in chosen], [responses[i] for i in chosen]
        verdicts[chosen] = judge(asked, said, name, p.match_rule)
    return verdicts


def evaluate(
    p: Params, rows: Dataset, partial: Path, adapters: Mapping[str, Path | None]
) -> pd.DataFrame:
    """Return the outcomes of all `p.methods` on the questions `rows`.

    Parameters
    ----------
    p, rows
        As in `outcomes`.
    partial : Path
        Folder that keeps each finished method until the stage is saved, so that an interrupted
        run continues where it stopped.
    adapters : mapping
        Adapter of each method; None for the model as it is.
    """
    tables = []
    for method in p.methods:
        kept = partial / f"{method}.parquet"
        if not kept.is_file():
            save_table(outcomes(p, method, rows, adapters[method]), kept)
        tables.append(pd.read_parquet(kept))
    return pd.concat(tables, ignore_index=True)
