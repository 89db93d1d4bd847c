"""Questions, records and outcomes from the folders under `paths.runs()`."""

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from datasets import Dataset

from inbol_lib import params, values
from inbol_lib.errors import ParameterError
from inbol_lib.explore.material import books
from inbol_lib.explore.material.pictures import Pictures
from inbol_lib.params import Params
from inbol_lib.study import graph, question_pools

_READ = ["id", "source", "split", "image_id", "question", "confidence", *books.DETAILS]


def command(stage: str, p: Params) -> str:
    """Return the command that makes a stage's artefact for `p`."""
    words = ["inbol run", graph.NOTEBOOKS[stage], "-f", p.profile]
    try:
        usual = params.load(p.profile)
    except ParameterError:  # a profile of somebody's own, whose file is not known here
        usual, words = params.load("smoke"), words[:2]
    for key, value in p:
        if value != getattr(usual, key) and key != "profile":
            words.append(f'-p "{key}={values.written(value)}"')
    return " ".join(words)


def missing(view: str, stage: str, p: Params) -> ParameterError:
    """Return the error for an artefact that is not there: what is, and what makes it."""
    return ParameterError(
        f"explore.{view}: profile {p.profile!r} with model {p.model!r} and seed {p.seed} has no "
        f"artefact of {graph.NOTEBOOKS[stage]} yet ({graph.path(stage, p)}). Make it with "
        f"`{command(stage, p)}`, or look at the published outcomes: "
        f"`explore.{view}(p, published=True)`"
    )


def complete(stage: str, p: Params) -> Path | None:
    """Return the folder of a complete artefact, None where there is none."""
    return graph.path(stage, p) if graph.complete(stage, p) else None


def record_files(p: Params, split: str = "") -> list[Path]:
    """Return the files of standard records that are there, answerable ones first.

    Parameters
    ----------
    p : Params
    split : str
        One split alone; "" takes all, and the out-of-domain questions that were sampled.
    """
    folders = [complete(stage, p) for stage in ("confidence", "unanswerable")]
    files = [file for folder in folders if folder for file in sorted(folder.glob("records_*"))]
    return [file for file in files if not split or file.stem == f"records_{split}"]


def outcomes(p: Params) -> pd.DataFrame | None:
    """Return the outcome table of the evaluation of `p`, None where it is not there."""
    folder = complete("evaluation", p)
    return None if folder is None else pd.read_parquet(folder / "outcomes.parquet")


def opened(p: Params) -> books.Book | None:
    """Return the records and outcomes of `p` as a book; None where nothing is there."""
    files, table = record_files(p), outcomes(p)
    with_responses = table is not None and "response" in table
    if not files and not with_responses:
        return None
    if table is None:
        table = pd.DataFrame()
    parts, places = [], {}
    for file in files:
        part = _questions(pq.read_table(file, columns=_READ))
        keys = zip(part["source"].to_pylist(), part["id"].to_pylist(), strict=True)
        places |= {key: (file, row) for row, key in enumerate(keys)}
        parts.append(part)
    parts += list(_others(p, table, set(places)))
    pictures = Pictures(places, lambda source: _out_of_domain(p, source))
    return books.made(p, pa.concat_tables(parts), table, pictures, _note(p, table))


def _out_of_domain(p: Params, source: str) -> Dataset | None:
    """Return the questions of an out-of-domain set, None for other sources."""
    if source not in question_pools.ood_sources(p):
        return None
    return question_pools.load(p, source, "test", p.ood_questions)


def _note(p: Params, table: pd.DataFrame) -> str:
    where = f"artefacts of {p.profile}, {p.model}, seed {p.seed}"
    if table.empty:
        return f"{where}; no method has answered yet: {command('evaluation', p)}"
    return where


def _questions(table: pa.Table) -> pa.Table:
    """Return records with `answerable`, and `DETAILS` in their types."""
    answerable = pc.greater(pc.list_value_length(table["answers"]), 0)
    schema = pa.schema([(name, books.DETAILS.get(name, pa.string())) for name in _READ])
    typed = schema.set(_READ.index("confidence"), pa.field("confidence", pa.float64()))
    return table.select(_READ).cast(typed).append_column("answerable", answerable)


def _others(p: Params, outcomes: pd.DataFrame, there: set) -> Iterator[pa.Table]:
    """Yield the questions that were asked but lie in no file: those out of domain, mostly."""
    for source in outcomes.source.unique() if len(outcomes) else ():
        mine = outcomes[outcomes.source == source].drop_duplicates("id")
        left = mine[[(source, name) not in there for name in mine.id]]
        if len(left):
            loaded = _out_of_domain(p, source)
            rows = loaded and loaded.remove_columns("image").to_pandas().set_index("id")
            yield from_outcomes(left, None if rows is None else rows.reindex(left.id))


def from_outcomes(asked: pd.DataFrame, rows: pd.DataFrame | None = None) -> pa.Table:
    """Return questions that are known from their outcomes, with their words where there are any.

    Parameters
    ----------
    asked : pd.DataFrame
        One outcome of each question.
    rows : pd.DataFrame, optional
        question, answers and choices in the same order; missing where they are not known.
    """
    columns = {name: asked[name].astype("str").tolist() for name in ("id", "source", "split")}
    columns["image_id"] = asked.image_id.astype("str").tolist()
    columns["question"] = [""] * len(asked)
    columns["confidence"] = asked.confidence.astype(float).tolist()
    lists: dict[str, list] = {name: [None] * len(asked) for name in books.DETAILS}
    if rows is not None:
        columns["question"] = rows.question.fillna("").tolist()
        for name in ("answers", "choices"):
            lists[name] = [_listed(value) for value in rows[name]]
    made = {name: pa.array(texts, books.DETAILS[name]) for name, texts in lists.items()}
    answerable = pa.array(asked.answerable.astype(bool).tolist(), pa.bool_())
    return pa.table({**columns, **made, "answerable": answerable})


def _listed(value: object) -> list | None:
    return list(value) if isinstance(value, list | tuple | np.ndarray) else None
