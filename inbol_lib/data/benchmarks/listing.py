"""The list of benchmarks: what each is, where to get it, and what of it lies in a folder."""

from pathlib import Path

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.published_counts import Count
from inbol_lib.data.hub_copies import commits
from inbol_lib.errors import ParameterError


def found(benchmark: Benchmark, root: Path, split: str) -> str:
    """Return "official" or "parquet", or "" where the split is not under `root`."""
    try:
        return benchmark.form(root, split)
    except ParameterError:
        return ""


def described(benchmark: Benchmark, root: Path) -> dict:
    """Return what a benchmark is and where it lies, in a form that JSON can hold."""
    places = [place for files in benchmark.files.values() for place in files.values()]
    return {
        "name": benchmark.name,
        "title": benchmark.title,
        "licence": benchmark.licence,
        "size": benchmark.size,
        "splits": benchmark.splits,
        "published": benchmark.published,
        "hub": [hub.repo for hub in benchmark.hub],
        "files": list(dict.fromkeys(places)),
        "images": benchmark.images,
        "note": benchmark.note,
        "found": {split: found(benchmark, root, split) for split in benchmark.splits},
        "commit": commits(root / benchmark.name),
    }


def listing(rows: list[dict], root: Path) -> str:
    """Return the descriptions as text for people."""
    return "\n".join(line for row in rows for line in _lines(row, root))


def _lines(row: dict, root: Path) -> list[str]:
    sources = [f"https://huggingface.co/datasets/{repo}" for repo in row["hub"]] + row["files"]
    return [
        f"{row['name']}: {row['title']}; {row['licence']}; {row['size']}",
        f"    questions: {_sizes(row)}. {row['note']}".rstrip(),
        *(f"    from {source}" for source in sources),
        f"    {row['images']}",
        f"    in {root / row['name']}: {_held(row)}",
    ]


def _sizes(row: dict) -> str:
    """Return the published numbers of questions."""
    sizes = []
    for release, versions in row["published"].items():
        sizes.append(f"{release} {' or '.join(map(_questions, versions))}")
    return ", ".join(sizes) or "not verified"


def _questions(count: Count) -> str:
    return f"some of {count.rows:,}" if count.questions is None else f"{count.questions:,}"


def _held(row: dict) -> str:
    """Return what lies in the benchmark's folder."""
    held = [f"{split} ({form})" for split, form in row["found"].items() if form]
    if row["commit"]:
        held.append(f"commit {row['commit']}")
    return ", ".join(held) or "nothing"
