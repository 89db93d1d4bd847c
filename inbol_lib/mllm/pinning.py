"""Models and data of the Hugging Face Hub at a known commit.

"owner/name@<commit>" names a model wherever a parameter does, and so becomes part of an artefact's
identity. A plain id takes the newest commit; which one that was is recorded with the artefact.
"""

from pathlib import Path

from huggingface_hub import constants, snapshot_download

from inbol_lib import paths
from inbol_lib.data.hub_copies import commits
from inbol_lib.errors import ParameterError
from inbol_lib.params import pinned

#: The files of a snapshot that are fetched; weights in other formats are pickles.
FILES = ["*.json", "*.jinja", "*.txt", "*.model", "*.safetensors"]
#: model -> the commit that this process loads
COMMITS: dict[str, str] = {}


def source(name: str) -> str:
    """Return what `from_pretrained` loads, and note its commit in `COMMITS`.

    Parameters
    ----------
    name : str
        A folder, an id of the Hub, or an id pinned to a commit.

    Returns
    -------
    str
        The folder of exactly the pinned commit, fetched if the cache lacks it; else `name`.

    Raises
    ------
    ParameterError
        If the pinned commit is neither in the cache nor can be fetched.
    """
    # Stages import this module: they need not wait for transformers to look up a folder.
    from transformers.utils.hub import resolve_revision

    repo, commit = pinned(name)
    if Path(name).is_dir():
        return name
    found = commit or getattr(resolve_revision(repo), "resolved", None)
    if found:
        COMMITS[name] = found
    return _snapshot(repo, commit) if commit else name


def _snapshot(repo: str, commit: str) -> str:
    """Return the folder of a commit; raise ParameterError if it is unavailable."""
    try:
        return snapshot_download(repo, revision=commit, allow_patterns=FILES)
    except OSError as error:
        reason = str(error).splitlines()[0]
        raise ParameterError(
            f"{repo} at commit {commit} is unavailable ({reason}). "
            f"Commits in the cache: {_cached(repo)}. To fetch it: "
            f"`HF_HUB_OFFLINE=0 hf download {repo} --revision {commit}`"
        ) from None


def _cached(repo: str) -> str:
    """Return the commits of a model that the cache holds, as one text."""
    snapshots = Path(constants.HF_HUB_CACHE, f"models--{repo.replace('/', '--')}", "snapshots")
    return ", ".join(sorted(folder.name for folder in snapshots.glob("*"))) or "none"


def loaded(dataset: str, sources: list[str]) -> dict[str, dict[str, str]]:
    """Return the commits of what this process loaded and of the benchmarks it reads.

    Parameters
    ----------
    dataset : str
        The parameter `dataset`; of "benchmarks:DIR" the folder is looked at.
    sources : list[str]
        Names of the data sets, each a folder in DIR.

    Returns
    -------
    dict
        {"commits": {model or source: commit}}, or {} where no commit is known.
    """
    kind, _, place = dataset.partition(":")
    found = dict(COMMITS)
    if kind == "benchmarks":
        data = {name: commits(paths.ROOT / place / name) for name in sources}
        found |= {name: commit for name, commit in data.items() if commit}
    return {"commits": found} if found else {}
