"""Models and data of the Hugging Face Hub at a known commit: "owner/name@<commit>" names a model wherever a parameter does, and so in an
artefact's identity. A plain id takes what is newest; which commit that was is written down with the artefact."""

import re
from pathlib import Path

from inbol_lib import paths

#: Of a snapshot: weights in other formats are pickles.
FILES = ["*.json", "*.jinja", "*.txt", "*.model", "*.safetensors"]
COMMITS: dict[str, str] = {}  # model -> the commit that this process loads


def pinned(name: str) -> tuple[str, str]:
    """Id and commit of "owner/name@<commit>"; any other model (plain id, folder, endpoint:<model>) as it is, and "".
    Raises ValueError where what stands behind the @ is no commit."""
    found = re.fullmatch(r"([\w.-]+(?:/[\w.-]+)?)@(.*)", name)
    if not found or Path(name).exists():
        return name, ""
    if not re.fullmatch(r"[0-9a-f]{40}", found[2]):
        raise ValueError(f"behind the @ belongs a commit, 40 hex digits, because branches and tags move; or name {found[1]} alone")
    return found[1], found[2]


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
        folders = Path(constants.HF_HUB_CACHE, f"models--{repo.replace('/', '--')}", "snapshots").glob("*")
        there = ", ".join(sorted(f.name for f in folders)) or "none"
        why = str(error).splitlines()[0]
        raise ValueError(f"{repo} at commit {commit} can not be had ({why}). Commits in the cache: {there}. To fetch it: "
                         f"`HF_HUB_OFFLINE=0 hf download {repo} --revision {commit}`") from None  # fmt: skip


def commits(folder: Path) -> str:
    """The commit that `hf download --local-dir` noted in a folder ("" where it noted none; several where the files are of several)."""
    notes = (folder / ".cache" / "huggingface" / "download").rglob("*.metadata")
    return ", ".join(sorted({file.read_text().split("\n")[0] for file in notes}))


def loaded(dataset: str, sources: list[str]) -> dict[str, dict[str, str]]:
    """`commits`: model or source -> commit, of what this process loaded and what lies in a folder of benchmarks; {} where there is none."""
    kind, _, place = dataset.partition(":")
    data = {name: commits(paths.ROOT / place / name) for name in sources} if kind == "benchmarks" else {}
    found = COMMITS | {name: commit for name, commit in data.items() if commit}
    return {"commits": found} if found else {}
