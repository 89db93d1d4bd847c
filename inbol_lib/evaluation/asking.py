"""Ask a model every test question once, greedily, and judge the answers: the outcome table."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from datasets import Dataset
from PIL import Image
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.data.records import prompt_text, save_table
from inbol_lib.data.templates import REFUSAL_PROMPT
from inbol_lib.judging.hybrid import judge
from inbol_lib.mllm import loading
from inbol_lib.mllm.adapters import worn
from inbol_lib.mllm.endpoints import Endpoint
from inbol_lib.mllm.picture_features import Features
from inbol_lib.mllm.sampling import Response, sample
from inbol_lib.params import Params
from inbol_lib.progress import say

#: trainings that start from the model as it is; the others go on from IDK-IT
FROM_BASE = ("sft", "idk_it", "ca_dpo_base")
#: questions with which it tells something that a training changes no answer
TELLING = 50
#: columns of a question that its outcome keeps
KEPT = ("id", "image_id", "group", "source", "split", "confidence")


def user_text(row: dict, method: str, choice_answer: str) -> str:
    """Return the user's message for a question.

    The refusal-prompt baseline adds the paper's sentence (Sec. 4.1.2). `choice_answer` says how to
    answer multiple choice, as in `records.prompt_text`.
    """
    text = prompt_text(row, choice_answer)
    return f"{text}\n{REFUSAL_PROMPT}" if method == "refusal_prompt" else text


@dataclass
class Examinee:
    """The model under test, loaded once for all methods, and the features of the test's pictures.

    `processor` is None for an endpoint.
    """

    model: PreTrainedModel | Endpoint
    processor: ProcessorMixin | None
    features: Features = field(default_factory=Features)
    _shown: tuple[str, list[Image.Image]] = ("", [])

    def images(self, rows: Dataset) -> list[Image.Image]:
        """Return the decoded pictures of a table, which are kept until another one is asked for."""
        name = rows._fingerprint  # of its content, as `datasets` counts it
        if self._shown[0] != name:
            self._shown = (name, list(rows["image"]))
        return self._shown[1]


def examinee(p: Params) -> Examinee:
    """Load `p.model` for a test."""
    return Examinee(*loading.load(p.model, precision=p.precision))


def responses(
    p: Params, method: str, rows: Dataset, adapter: Path | None, who: Examinee
) -> list[Response]:
    """Return the greedy response of a method to each question.

    Parameters
    ----------
    p : Params
        Lengths and batch size.
    method : str
        Name of the method; "refusal_prompt" changes the user's message.
    rows : Dataset
        Question rows.
    adapter : Path or None
        The method's LoRA adapter; None for the model as it is.
    who : Examinee
        The model under test; it wears the adapter meanwhile.
    """
    texts = [user_text(row, method, p.choice_answer) for row in rows.remove_columns("image")]
    lengths = (p.max_new_tokens, p.token_budget)
    with worn(who.model, adapter) as model:
        said = sample(
            model,
            who.processor,
            who.images(rows),
            texts,
            1,
            0.0,
            1.0,
            *lengths,
            features=who.features,
        )
    return [only for (only,) in said]


def outcomes(
    p: Params, method: str, rows: Dataset, adapter: Path | None, who: Examinee | None = None
) -> pd.DataFrame:
    """Return the outcome table of one method of `p.model` at `p.seed`.

    Parameters
    ----------
    p : Params
        Model, judge, lengths and seed.
    method, adapter
        As in `responses`.
    rows : Dataset
        Questions with `confidence` and `in_domain`, as `question_pools.test_questions` gives them.
    who : Examinee, optional
        By default the model is loaded.
    """
    said = responses(p, method, rows, adapter, who or examinee(p))
    return outcome_table(p, method, rows, said)


def outcome_table(p: Params, method: str, rows: Dataset, said: list[Response]) -> pd.DataFrame:
    """Judge a method's responses to the questions `rows`, as `outcomes` does."""
    questions = rows.remove_columns("image").to_list()
    texts = [response.text for response in said]
    table = pd.DataFrame([{name: row[name] for name in KEPT} for row in questions])
    return table.assign(
        model=p.model,
        method=method,
        seed=p.seed,
        response=[text or "" for text in texts],
        outcome=_judged(p, questions, texts),
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
    files = {method: partial / f"{method}.parquet" for method in p.methods}
    missing = [method for method, file in files.items() if not file.is_file()]
    who = examinee(p) if missing else None
    for method in missing:
        save_table(outcomes(p, method, rows, adapters[method], who), files[method])
    joined = pd.concat([pd.read_parquet(file) for file in files.values()], ignore_index=True)
    if len(rows) >= TELLING:
        for method, start in unchanged(joined):
            rate = "learning_rate" if start == "original" else "dpo_learning_rate"
            say(
                f"{method} is right, wrong and refuses on the same of all {len(rows):,} questions "
                f"as {start}, from which it was trained: its training shows nowhere. What helps: "
                f"more questions to train on, or a larger {rate} (now {getattr(p, rate)})",
                loud=True,
            )
    return joined


def unchanged(outcomes: pd.DataFrame) -> list[tuple[str, str]]:
    """Return (trained method, what it was trained from) where both have the same outcomes."""
    said = outcomes.groupby("method", sort=False).outcome.agg(list)
    trained = said.index.difference(["original", "refusal_prompt"], sort=False)
    pairs = [(method, "original" if method in FROM_BASE else "idk_it") for method in trained]
    return [(one, start) for one, start in pairs if start in said and said[one] == said[start]]
