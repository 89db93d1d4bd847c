"""Questions of a source, wherever they come from: the micro world, the real benchmarks, or any folder in the documented format."""

from pathlib import Path

from datasets import Dataset

from inbol_lib import paths
from inbol_lib.params import Params

POOLS = {"train": "train_questions", "validation": "validation_questions", "test": "test_questions"}


def load(p: Params, source: str, split: str, n: int) -> Dataset:
    """The first `n` questions of `source` in `split` under `p.data_seed` (fewer where a folder holds fewer)."""
    kind, _, place = p.dataset.partition(":")
    if kind == "micro":
        from inbol_lib.micro import world

        return world.questions(source, split, n, p.data_seed)
    if kind == "benchmarks":
        from inbol_lib import benchmarks

        return benchmarks.load(source, paths.ROOT / place, split, n, p.data_seed)
    from inbol_lib import folder

    return folder.load(paths.ROOT / place, split, n, p.data_seed)


def ood_sources(p: Params) -> list[str]:
    """The out-of-domain sets; a folder has none."""
    return [] if p.dataset.startswith("folder:") else p.ood_sources


def pool(p: Params, split: str) -> list[Dataset]:
    """Every source's pool of questions whose confidence is estimated (01)."""
    kind, _, place = p.dataset.partition(":")
    sources = [Path(place).name] if kind == "folder" else p.sources
    return [load(p, source, split, getattr(p, POOLS[split])) for source in sources]
