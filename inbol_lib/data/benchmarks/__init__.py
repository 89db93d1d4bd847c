"""Readers of real data sets, one file each: into Question rows, from their official files or the Hub's.

inbol benchmarks --root DIR                                   # what there is, and what of it lies in DIR
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
    """A benchmark by its name. Raises ParameterError with the names there are."""
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
    """The first `n` questions of a benchmark in an order drawn by `seed`; from the Hub at `revision` where `root` is None."""
    return get(name).load(root, split, n, seed, revision)


def check(root: Path, sources: Iterable[str], ood_sources: Iterable[str]) -> None:
    """Raises ParameterError that names everything that a study of these sources lacks under `root`, and where it is to be had."""
    lacking = []
    for name, splits in [
        *((s, ("train", "validation", "test")) for s in sources),
        *((s, ("test",)) for s in ood_sources),
    ]:
        for split in splits:
            try:
                get(name).form(root, split)
            except ParameterError as error:
                lacking.append(str(error))
    if lacking:
        raise ParameterError("\n".join(dict.fromkeys(lacking)))
