"""Models and data of the Hugging Face Hub at a known commit: "owner/name@<commit>" names a model wherever a parameter does, and so in an
artefact's identity. A plain id takes what is newest; which commit that was is written down with the artefact."""

from pathlib import Path

from inbol_lib import paths
from inbol_lib.data.hub_copies import commits
from inbol_lib.params import pinned

#: Of a snapshot: weights in other formats are pickles.
FILES = ["*.json", "*.jinja", "*.txt", "*.model", "*.safetensors"]
COMMITS: dict[str, str] = {}  # model -> the commit that this process loads


def source(name: str) -> str:
    """What `from_pretrained` is to load: the folder of exactly the pinned commit (fetched where it is not in the cache), else `name`.
    Raises ValueError where the commit is not to be had."""
    from transformers.utils.hub import resolve_revision

    repo, commit = pinned(name)
    if Path(name).is_dir():
        return name
    if found := commit or getattr(resolve_revision(repo), "resolved", None):
        COMMITS[name] = found
    return _snapshot(repo, commit) if commit else name


def _snapshot(repo: str, commit: str) -> str:
    from huggingface_hub import constants, snapshot_download

    try:
        return snapshot_download(repo, revision=commit, allow_patterns=FILES)
    except OSError as error:
        folders = Path(
            constants.HF_HUB_CACHE, f"models--{repo.replace('/', '--')}", "snapshots"
        ).glob("*")
        there = ", ".join(sorted(f.name for f in folders)) or "none"
        why = str(error).splitlines()[0]
        raise ValueError(f"{repo} at commit {commit} can not be had ({why}). Commits in the cache: {there}. To fetch it: "
                         f"`HF_HUB_OFFLINE=0 hf download {repo} --revision {commit}`") from None  # fmt: skip


def loaded(dataset: str, sources: list[str]) -> dict[str, dict[str, str]]:
    """`commits`: model or source -> commit, of what this process loaded and what lies in a folder of benchmarks; {} where there is none."""
    kind, _, place = dataset.partition(":")
    data = (
        {name: commits(paths.ROOT / place / name) for name in sources}
        if kind == "benchmarks"
        else {}
    )
    found = COMMITS | {name: commit for name, commit in data.items() if commit}
    return {"commits": found} if found else {}
