"""The intrinsic boundary: how often the model answers a question correctly (paper, Sec. 3.2).

Every question is answered several times, each response is judged, and the result becomes a
standard record (paper, Fig. 2), the row format that all later stages read.
"""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from datasets import Dataset, concatenate_datasets
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.boundary import composition
from inbol_lib.boundary.classes import classify, confidence
from inbol_lib.data.records import (
    QUESTION_FEATURES,
    RECORD_FEATURES,
    load_table,
    prompt_text,
    rng_for,
    save_table,
)
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.judging.hybrid import judge
from inbol_lib.mllm.endpoints import Endpoint
from inbol_lib.mllm.sampling import sample
from inbol_lib.params import Params
from inbol_lib.progress import say

#: Questions in one part of an estimate, which is the most that a killed run has to repeat.
PART = 1000


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """Return a random element, or "" when there is none."""
    return str(options[int(rng.integers(len(options)))]) if len(options) else ""


def standard_records(
    questions: Dataset,
    responses: Sequence[Sequence[str]],
    verdicts: Sequence[Sequence[str]],
    seed: int,
) -> Dataset:
    """Turn questions and their judged responses into standard records (paper, Fig. 2).

    A record adds to its question one sampled correct response, one sampled incorrect response
    ("" when there is none), a refusal template, and the confidence.

    Parameters
    ----------
    questions : Dataset
        Rows with `QUESTION_FEATURES`.
    responses, verdicts : sequences of shape (questions, num_samples)
        The sampled texts and the word that each was judged with.
    seed : int
        The draws depend on this seed and the question's id alone.

    Raises
    ------
    ValueError
        When the three do not have the same length.
    """
    judged = zip(questions["id"], responses, verdicts, strict=True)
    rows = [_answered(texts, words, rng_for(seed, name)) for name, texts, words in judged]
    table = concatenate_datasets([questions, Dataset.from_list(rows)], axis=1)
    return table.cast(RECORD_FEATURES)


def _answered(texts: Sequence[str], verdicts: Sequence[str], rng: np.random.Generator) -> dict:
    """Return what a record adds to its question; the order of the draws is part of the result."""
    judged = list(zip(texts, verdicts, strict=True))
    right = [text for text, verdict in judged if verdict == "correct"]
    wrong = [text for text, verdict in judged if verdict == "incorrect"]
    return {
        "responses": list(texts),
        "verdicts": list(verdicts),
        "confidence": confidence(verdicts),
        "correct": pick(right, rng),
        "incorrect": pick(wrong, rng),
        "refusal": pick(REFUSAL_TEMPLATES, rng),
        "origin": "answerable",
    }


def first_samples(records: Dataset, count: int, seed: int) -> Dataset:
    """Return the records as if fewer responses had been sampled (ours).

    Parameters
    ----------
    records : Dataset
        Standard records.
    count : int
        How many of the first responses to keep; 0 returns the records unchanged.
    seed : int
        Seed of the draws in `standard_records`.
    """
    if count == 0:
        return records
    responses = [texts[:count] for texts in records["responses"]]
    verdicts = [words[:count] for words in records["verdicts"]]
    questions = records.select_columns(list(QUESTION_FEATURES))
    return standard_records(questions, responses, verdicts, seed)


def sample_texts(
    p: Params,
    model: PreTrainedModel | Endpoint,
    processor: ProcessorMixin | None,
    questions: Dataset,
) -> list[list[str | None]]:
    """Sample `p.num_samples` responses to each question; None where an endpoint failed."""
    rows = questions.remove_columns("image")
    prompts = [prompt_text(row, p.choice_answer) for row in rows]
    samples = sample(
        model,
        processor,
        questions["image"],
        prompts,
        p.num_samples,
        p.temperature,
        p.top_p,
        p.max_new_tokens,
        p.token_budget,
        p.data_seed,
        list(questions["id"]),
    )
    return [[response.text for response in responses] for responses in samples]


def estimate(
    p: Params,
    model: PreTrainedModel | Endpoint,
    processor: ProcessorMixin | None,
    questions: Dataset,
    partial: Path | None = None,
) -> Dataset:
    """Sample, judge and record all questions of a table.

    Parameters
    ----------
    p : Params
    model, processor
        The model under study, or an endpoint and None.
    questions : Dataset
        Rows with `QUESTION_FEATURES` of one source and split.
    partial : Path, optional
        Folder in which every finished part is kept, so that a killed run resumes where it
        stopped. The result does not depend on it.

    Returns
    -------
    Dataset
        Standard records in the order of the questions.
    """
    parts = []
    for start in range(0, len(questions), PART):
        chunk = questions.select(range(start, min(start + PART, len(questions))))
        if partial is None:
            parts.append(_estimate_part(p, model, processor, chunk))
            continue
        file = partial / f"{chunk[0]['source']}-{chunk[0]['split']}-{start}.parquet"
        if file.is_file():
            parts.append(load_table(file))
        else:
            parts.append(_estimate_part(p, model, processor, chunk))
            save_table(parts[-1], file)
    return concatenate_datasets(parts)


def _estimate_part(
    p: Params,
    model: PreTrainedModel | Endpoint,
    processor: ProcessorMixin | None,
    questions: Dataset,
) -> Dataset:
    texts = sample_texts(p, model, processor, questions)
    rows = [row for row in questions.remove_columns("image") for _ in range(p.num_samples)]
    flat = judge(rows, [text for responses in texts for text in responses], p.judge, p.match_rule)
    verdicts = np.reshape(flat, (-1, p.num_samples)).tolist()
    responses = [[text or "" for text in responses] for responses in texts]
    return standard_records(questions, responses, verdicts, p.data_seed)


def estimate_all(
    p: Params,
    model: PreTrainedModel | Endpoint,
    processor: ProcessorMixin | None,
    pools: dict[str, list[Dataset]],
    partial: Path | None = None,
) -> dict[str, Dataset]:
    """Run `estimate` on every table of every pool.

    An endpoint is asked about all tables at once beforehand, so that one count, one progress bar
    and one dry run cover them; `estimate` then finds the answers in the endpoint's journal.

    Parameters
    ----------
    p, model, processor, partial
        As in `estimate`.
    pools : dict
        Pool name -> its tables, one for each source.

    Returns
    -------
    dict
        Pool name -> the standard records of all its tables.
    """
    if isinstance(model, Endpoint):
        every = [table for tables in pools.values() for table in tables]
        sample_texts(p, model, processor, concatenate_datasets(every))
    records = {
        name: concatenate_datasets(
            [estimate(p, model, processor, table, partial) for table in tables]
        )
        for name, tables in pools.items()
    }
    for name, table in records.items():
        say(_classes_in_words(p, name, table["confidence"]))
    if "train" in records:
        composition.foretell(composition.describe(records["train"], p), p)
    return records


def _classes_in_words(p: Params, name: str, values: Sequence[float]) -> str:
    """Say how many questions of a pool are of each class."""
    kinds = Counter(classify(value, p.delta_known, p.delta_unknown) for value in values)
    listed = [f"{kinds[kind]:,} {kind}" for kind in ("known", "mixed", "unknown")]
    unjudged = f", {kinds['unjudged']:,} unjudged" if kinds["unjudged"] else ""
    return f"{len(values):,} {name} questions: {', '.join(listed)}{unjudged}"
