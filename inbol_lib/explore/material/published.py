"""The published outcomes (figures/outcomes.parquet), which need no run at all.

They hold no words. In the micro world a question's words and picture follow from its id, so they
are made again; this is done only if the world is the one that was published.
"""

import json
from functools import cache
from pathlib import Path

import pandas as pd
from datasets import Dataset, concatenate_datasets

from inbol_lib import micro, paths
from inbol_lib.errors import ParameterError
from inbol_lib.explore.material import artefacts, books
from inbol_lib.explore.material.pictures import Loader, Pictures
from inbol_lib.params import Params
from inbol_lib.study import experiments, published_outcomes, question_pools

#: version of the micro world in manifests that do not name it
UNNAMED_WORLD = 2
#: what a swapped question's id begins with; the id of the question itself follows
SWAPPED = "swap-"


def folder() -> Path:
    """Return the folder of the published outcomes."""
    return paths.ROOT / "figures"


def there() -> bool:
    """Return whether published outcomes are there."""
    return all((folder() / name).is_file() for name in (published_outcomes.NAME, "manifest.json"))


def parameters(p: Params) -> Params:
    """Return the published parameters of the model and seed of `p`.

    Raises
    ------
    ParameterError
        If nothing is published, or nothing of this model and seed.
    """
    if not there():
        raise ParameterError(
            f"{folder()} holds no published outcomes ({published_outcomes.NAME} and "
            f"manifest.json). Make artefacts instead: `{artefacts.command('evaluation', p)}`"
        )
    whole = published_outcomes.parameters(json.loads((folder() / "manifest.json").read_text()))
    cells = experiments.main_cells(whole)
    for cell in cells:
        if (cell.model, cell.seed) == (p.model, p.seed):
            return cell
    listed = "; ".join(
        f"{model}: {', '.join(str(cell.seed) for cell in cells if cell.model == model)}"
        for model in whole.models
    )
    raise ParameterError(
        f"model {p.model!r} with seed {p.seed} is not published; models and their seeds that are: "
        f"{listed}. Choose one, as in p.replace(model={whole.model!r}, seed={whole.seed})"
    )


def outcomes(cell: Params) -> pd.DataFrame:
    """Return the published outcome table of a main cell, as `parameters` gives it."""
    whole = published_outcomes.parameters(json.loads((folder() / "manifest.json").read_text()))
    name = published_outcomes.name(whole, cell)
    file = folder() / published_outcomes.NAME
    table = pd.read_parquet(file, filters=[("cell", "==", name)]).drop(columns="cell")
    return published_outcomes.in_words(table).reset_index(drop=True)


def same_world(cell: Params) -> bool:
    """Return whether pictures and words of the published questions can be made again."""
    manifest = json.loads((folder() / "manifest.json").read_text())
    return cell.dataset == "micro" and manifest.get("world", UNNAMED_WORLD) == micro.VERSION


def opened(p: Params) -> books.Book:
    """Return the published outcomes of the model and seed of `p` as a book.

    Raises
    ------
    ParameterError
        As in `parameters`.
    """
    cell = parameters(p)
    table = outcomes(cell)
    asked = table.drop_duplicates(["split", "source", "id"], ignore_index=True)
    moved = cell.replace(delta_known=p.delta_known, delta_unknown=p.delta_unknown)
    note = f"published outcomes of {cell.profile}, {cell.model}, seed {cell.seed}"
    if not same_world(cell):
        questions = artefacts.from_outcomes(asked)
        note += "; words and pictures are not stored, and the world has changed since"
        return books.made(moved, questions, table, Pictures(), note)
    load = _loader(cell)
    pictures = Pictures(load=load)
    note += "; responses are not stored, words and pictures are made again from the ids"

    def later(source: str) -> pd.DataFrame:
        return _words(asked[asked.source == source], load(source))

    return books.made(moved, artefacts.from_outcomes(asked), table, pictures, note, later)


def _loader(cell: Params) -> Loader:
    """Return what makes the test questions of a source again, each source once.

    Unanswerable questions ("uavqa") are about the pictures of the in-domain sources.
    """

    @cache
    def load(source: str) -> Dataset:
        if source == "uavqa":
            return concatenate_datasets([load(inside) for inside in cell.sources])
        many = cell.test_questions if source in cell.sources else cell.ood_questions
        return question_pools.load(cell, source, "test", many)

    return load


def _words(asked: pd.DataFrame, rows: Dataset) -> pd.DataFrame:
    """Return question, answers and choices for published questions of a source, with their index.

    A question whose picture has another name now is another question, and gets no words.
    """
    columns = ["id", "image_id", "question", "answers", "choices"]
    every = rows.select_columns(columns).to_pandas().drop_duplicates("id").set_index("id")
    found = every.reindex(asked.id.str.removeprefix(SWAPPED)).set_index(asked.index)
    swapped = asked.id.str.startswith(SWAPPED)
    found.loc[~swapped & (found.image_id != asked.image_id)] = None
    found.loc[swapped, ["answers", "choices"]] = None
    return found.assign(question=found.question.fillna(""))
