"""Questions of a source, wherever they come from: the micro world, or any folder in the documented format."""

from pathlib import Path

from datasets import Dataset

from inbol_lib.params import Params

POOLS = {"train": "train_questions", "validation": "validation_questions", "test": "test_questions"}


def load(p: Params, source: str, split: str, n: int) -> Dataset:
    """The first `n` questions of `source` in `split` under `p.data_seed` (fewer where a folder holds fewer)."""
    if p.dataset == "micro":
        from inbol_lib.micro import world

        return world.questions(source, split, n, p.data_seed)
    from inbol_lib import folder

    return folder.load(Path(p.dataset.removeprefix("folder:")), split, n, p.data_seed)


def pool(p: Params, split: str) -> list[Dataset]:
    """Every source's pool of questions whose confidence is estimated (01)."""
    sources = p.sources if p.dataset == "micro" else [Path(p.dataset.removeprefix("folder:")).name]
    return [load(p, source, split, getattr(p, POOLS[split])) for source in sources]
