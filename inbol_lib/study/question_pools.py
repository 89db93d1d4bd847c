"""Questions of a source, wherever they come from: the micro world, the real benchmarks, or any folder in the documented format."""

from pathlib import Path

from datasets import Dataset, concatenate_datasets

from inbol_lib import paths
from inbol_lib.data.records import load_table
from inbol_lib.params import Params

POOLS = {"train": "train_questions", "validation": "validation_questions", "test": "test_questions"}


def load(p: Params, source: str, split: str, n: int) -> Dataset:
    """The first `n` questions of `source` in `split` under `p.data_seed` (fewer where a folder holds fewer)."""
    kind, _, place = p.dataset.partition(":")
    if kind == "micro":
        from inbol_lib.micro import world

        return world.questions(source, split, n, p.data_seed)
    if kind == "benchmarks":
        from inbol_lib.data import benchmarks

        return benchmarks.load(source, paths.ROOT / place, split, n, p.data_seed)
    from inbol_lib.data import folder

    return folder.load(paths.ROOT / place, split, n, p.data_seed)


def ood_sources(p: Params) -> list[str]:
    """The out-of-domain sets; a folder has none."""
    return [] if p.dataset.startswith("folder:") else p.ood_sources


def pool(p: Params, split: str) -> list[Dataset]:
    """Every source's pool of questions whose confidence is estimated (01)."""
    kind, _, place = p.dataset.partition(":")
    sources = [Path(place).name] if kind == "folder" else p.sources
    return [load(p, source, split, getattr(p, POOLS[split])) for source in sources]


def test_questions(p: Params, composition: Path, confidence: Path) -> Dataset:
    """The balanced in-domain test set and every out-of-domain set, as Question rows with the base model's `confidence`
    (NaN where it was not estimated) and `in_domain`."""
    columns = [
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
    inside = load_table(composition / "in_domain_test.parquet")
    tables = [
        inside.select_columns([*columns, "confidence"]).add_column(
            "in_domain", [True] * len(inside)
        )
    ]
    estimated = (
        load_table(path)
        if (path := confidence / "records_aokvqa.parquet").is_file()
        else {"id": [], "confidence": []}
    )
    known = dict(zip(estimated["id"], estimated["confidence"], strict=True))
    for source in ood_sources(p):
        rows = load(p, source, "test", p.ood_questions)
        values = [known.get(name, float("nan")) for name in rows["id"]]
        tables.append(
            rows.select_columns(columns)
            .add_column("confidence", values)
            .add_column("in_domain", [False] * len(rows))
        )
    return concatenate_datasets([t.cast(tables[0].features) for t in tables])
