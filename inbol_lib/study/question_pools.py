"""Questions of a source: from the micro world, a real benchmark, or a folder of your own data."""

from pathlib import Path

import numpy as np
from datasets import Dataset, concatenate_datasets

from inbol_lib import paths
from inbol_lib.data import benchmarks, blind_pictures, folder
from inbol_lib.data.records import load_table, rng_for
from inbol_lib.micro import world
from inbol_lib.micro.world import minimal_pairs
from inbol_lib.params import Params

#: split -> the parameter that says how many of its questions are wanted per source
POOLS = {"train": "train_questions", "validation": "validation_questions", "test": "test_questions"}
COLUMNS = [
    "id",
    "image",
    "image_id",
    "group",
    "source",
    "split",
    "question",
    "answers",
    "choices",
    "accepted",
]


def load(p: Params, source: str, split: str, n: int) -> Dataset:
    """Return the first `n` questions of `source` in `split`, in the order of `p.data_seed`.

    A folder or a benchmark may hold fewer.
    """
    kind, _, place = p.dataset.partition(":")
    if kind == "micro":
        return world.questions(source, split, n, p.data_seed)
    if kind == "benchmarks":
        return benchmarks.load(source, paths.ROOT / place, split, n, p.data_seed)
    return folder.load(Path(place), split, n, p.data_seed)


def ood_sources(p: Params) -> list[str]:
    """Return the out-of-domain sets; a folder has none."""
    return [] if p.dataset.startswith("folder:") else p.ood_sources


def pool(p: Params, split: str) -> list[Dataset]:
    """Return each source's questions whose confidence notebook 01 estimates."""
    kind, _, place = p.dataset.partition(":")
    sources = [Path(place).name] if kind == "folder" else p.sources
    return [load(p, source, split, getattr(p, POOLS[split])) for source in sources]


def test_questions(p: Params, composition: Path, confidence: Path) -> Dataset:
    """Return the balanced in-domain test set and every out-of-domain set in one table.

    Parameters
    ----------
    p
        The parameters of the evaluation.
    composition, confidence
        The folders of the artefacts of notebooks 03 and 01.

    Returns
    -------
    Dataset
        Question rows with two more columns: `confidence`, the base model's in [0, 1] or NaN where
        it was not estimated, and `in_domain`.
    """
    inside = load_table(composition / "in_domain_test.parquet")
    inside = inside.select_columns([*COLUMNS, "confidence"])
    tables = [inside.add_column("in_domain", [True] * len(inside))]
    known = _estimated(confidence / "records_aokvqa.parquet")
    for source in ood_sources(p):
        rows = load(p, source, "test", p.ood_questions).select_columns(COLUMNS)
        values = [known.get(name, float("nan")) for name in rows["id"]]
        rows = rows.add_column("confidence", values)
        tables.append(rows.add_column("in_domain", [False] * len(rows)))
    return concatenate_datasets([table.cast(tables[0].features) for table in tables])


def _estimated(file: Path) -> dict[str, float]:
    """Return question id -> confidence; empty where A-OKVQA was not sampled."""
    if not file.is_file():
        return {}
    table = load_table(file)
    return dict(zip(table["id"], table["confidence"], strict=True))


def pairs(p: Params, split: str, n: int) -> Dataset:
    """Return `n` minimal pairs (see `micro.world.minimal_pairs`), two rows each.

    Only the micro world can take the answer out of a picture; for other data there are none.
    """
    n = n if p.dataset == "micro" else 0
    return minimal_pairs.pairs(split, n, p.data_seed).select_columns(COLUMNS)


def picture_controls(p: Params, records: Dataset) -> Dataset:
    """Return the questions that show whether a method looks at the picture (ours).

    Parameters
    ----------
    p : Params
        `control_pairs` and `control_blind`, the numbers of minimal pairs and of known questions.
    records : Dataset
        Test records of the model under study. Known questions (confidence at least `delta_known`)
        are drawn from them, for each is then asked with its picture and without (see
        `data.blind_pictures`).

    Returns
    -------
    Dataset
        Rows as `test_questions` gives them; `source` says which control a row belongs to.
    """
    known = np.flatnonzero(np.array(records["confidence"]) >= p.delta_known)
    chosen = rng_for(p.data_seed, "blind").permutation(known)[: p.control_blind]
    shown = records.select(np.sort(chosen)).select_columns(COLUMNS)
    tables = [pairs(p, "test", p.control_pairs)]
    if len(shown):
        tables += [blind_pictures.blinded(shown, kind) for kind in blind_pictures.KINDS]
    rows = concatenate_datasets([table.cast(tables[0].features) for table in tables])
    rows = rows.add_column("confidence", [float("nan")] * len(rows))
    return rows.add_column("in_domain", [True] * len(rows))
