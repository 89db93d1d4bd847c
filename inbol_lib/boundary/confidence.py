"""The intrinsic boundary: confidence = share of sampled responses judged right (paper, Sec. 3.2), and standard records."""

from collections.abc import Sequence

import numpy as np
from datasets import Dataset, concatenate_datasets

from inbol_lib.boundary.classes import confidence
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

PART = 1000  # questions whose loss a kill may cost


def pick(options: Sequence[str], rng: np.random.Generator) -> str:
    """A random element, or "" when there is none."""
    return str(options[int(rng.integers(len(options)))]) if len(options) else ""


def standard_records(
    questions: Dataset,
    responses: Sequence[Sequence[str]],
    verdicts: Sequence[Sequence[str]],
    seed: int,
) -> Dataset:
    """The paper's standard record (Fig. 2) for each question: one sampled correct and one sampled incorrect response, a
    refusal template, and the confidence. Draws depend on (seed, id) alone."""
    extra = []
    for name, said, found in zip(questions["id"], responses, verdicts, strict=True):
        rng = rng_for(seed, name)
        right, wrong = (
            [r for r, v in zip(said, found, strict=True) if v == word]
            for word in ("correct", "incorrect")
        )
        extra.append({
            "responses": list(said), "verdicts": list(found), "confidence": confidence(found),
            "correct": pick(right, rng), "incorrect": pick(wrong, rng), "refusal": pick(REFUSAL_TEMPLATES, rng),
            "origin": "answerable",
        })  # fmt: skip
    return concatenate_datasets([questions, Dataset.from_list(extra)], axis=1).cast(RECORD_FEATURES)


def first_samples(records: Dataset, k: int, seed: int) -> Dataset:
    """The records as if only the first `k` of their responses had been sampled (ours); `k` = 0 leaves them as they are."""
    if k == 0:
        return records
    said, found = ([row[:k] for row in records[name]] for name in ("responses", "verdicts"))
    return standard_records(records.select_columns(list(QUESTION_FEATURES)), said, found, seed)


def draw(p, model, processor, rows: Dataset) -> list[list[str | None]]:
    """`p.num_samples` responses to each question; None where an endpoint failed."""
    prompts = [prompt_text(r, p.choice_answer) for r in rows.remove_columns("image")]
    drawn = sample(model, processor, rows["image"], prompts, p.num_samples, p.temperature, p.top_p, p.max_new_tokens, p.token_budget,
                   p.data_seed, list(rows["id"]))  # fmt: skip
    return [[r.text for r in responses] for responses in drawn]


def estimate(p, model, processor, questions: Dataset, partial=None) -> Dataset:
    """Sample, judge and record all `questions`. With `partial` (a folder) each finished part is kept, so that a killed run
    goes on where it stopped; the result does not depend on it."""
    parts = []
    for start in range(0, len(questions), PART):
        chunk = questions.select(range(start, min(start + PART, len(questions))))
        kept = (
            partial / f"{chunk[0]['source']}-{chunk[0]['split']}-{start}.parquet"
            if partial
            else None
        )
        if kept and kept.is_file():
            parts.append(load_table(kept))
            continue
        texts = draw(p, model, processor, chunk)
        rows = [r for r in chunk.remove_columns("image") for _ in range(p.num_samples)]
        flat = judge(rows, [text for said in texts for text in said], p.judge)
        texts = [[text or "" for text in said] for said in texts]
        parts.append(
            standard_records(
                chunk, texts, np.reshape(flat, (-1, p.num_samples)).tolist(), p.data_seed
            )
        )
        if kept:
            save_table(parts[-1], kept)
    return concatenate_datasets(parts)


def estimate_all(
    p, model, processor, pools: dict[str, list[Dataset]], partial=None
) -> dict[str, Dataset]:
    """Pool name -> the records of all its tables. An endpoint is asked everything first, so that one count, one bar and one dry run
    hold it all; `estimate` then finds the answers in the journal."""
    if isinstance(model, Endpoint):
        draw(
            p,
            model,
            processor,
            concatenate_datasets([table for tables in pools.values() for table in tables]),
        )
    return {
        name: concatenate_datasets([estimate(p, model, processor, t, partial) for t in tables])
        for name, tables in pools.items()
    }
