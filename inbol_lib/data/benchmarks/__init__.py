"""Readers of real data sets, one file each, from their official files or the Hub to Question rows.

inbol benchmarks --root DIR                                   # what there is, and what DIR holds
inbol benchmarks scienceqa --root DIR --export out.jsonl      # its Question records
inbol run 06_evaluation -p dataset=benchmarks:DIR ...         # the study on them
"""

from collections.abc import Iterable
from pathlib import Path

from datasets import Dataset

from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.in_domain import oven, scienceqa, vqav2
from inbol_lib.data.benchmarks.out_of_domain import (
    aokvqa,
    beyondvisqa,
    gqa,
    mmbench,
    mmmu,
    vizwiz,
    vqav2_idk,
)
from inbol_lib.errors import ParameterError

_MODULES = (vqav2, oven, scienceqa, aokvqa, gqa, mmmu, mmbench, beyondvisqa, vizwiz, vqav2_idk)
ALL: dict[str, Benchmark] = {module.BENCHMARK.name: module.BENCHMARK for module in _MODULES}


def get(name: str) -> Benchmark:
    """Return a benchmark by its name.

    Raises
    ------
    ParameterError
        Listing the names that exist, when `name` is none of them.
    """
    if name not in ALL:
        raise ParameterError(f"no benchmark {name!r}; there are {', '.join(ALL)}")
    return ALL[name]


def load(
    name: str,
    root: Path | None,
    split: str,
    n: int | None,
    seed: int = 0,
    revision: str | None = None,
) -> Dataset:
    """Return the first `n` questions of a benchmark, as `Benchmark.load` does.

    They come from <root>/<name>/, or from the Hub at `revision` where `root` is None.
    """
    return get(name).load(root, split, n, seed, revision)


def check(root: Path, sources: Iterable[str], ood_sources: Iterable[str]) -> None:
    """Check that a study of these sources has all its files.

    Parameters
    ----------
    root : Path
        Folder that holds one folder for each benchmark.
    sources : iterable of str
        Benchmarks of which all three splits are needed.
    ood_sources : iterable of str
        Benchmarks of which only the test split is needed.

    Raises
    ------
    ParameterError
        Naming everything that is missing under `root`, and where to get it.
    """
    needed = [(name, split) for name in sources for split in ("train", "validation", "test")]
    needed += [(name, "test") for name in ood_sources]
    missing = []
    for name, split in needed:
        try:
            get(name).form(root, split)
        except ParameterError as error:
            missing.append(str(error))
    if missing:
        raise ParameterError("\n".join(dict.fromkeys(missing)))
