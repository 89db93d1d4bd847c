"""What made an artefact: versions, commit, weights and world; and which artefacts can be read.

`made_by.json` lies beside `metrics.json`. It holds no times and no machine, so that equal runs
write equal files.
"""

import hashlib
import json
import platform
import subprocess
from functools import lru_cache
from importlib import metadata
from pathlib import Path
from typing import Any

from inbol_lib import micro, paths
from inbol_lib.data.files import whole
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params

NAME = "made_by.json"
#: Of the files in artefacts. Raise it when older ones can no longer be read; those without
#: `made_by.json` are of the first.
SCHEMA = 1
PACKAGES = (
    *("accelerate", "datasets", "inbol-lib", "numpy", "pandas", "peft", "tokenizers", "torch"),
    *("transformers", "trl"),
)
#: parameters that name models
MODELS = ("model", "judge", "verifier", "unanswerable_generator")


def origin(p: Params) -> dict[str, Any]:
    """Return what makes an artefact of these parameters here and now.

    Returns
    -------
    dict
        - `schema`: of the artefact's files;
        - `versions`: of Python and the packages that compute;
        - `commit`: of the project, None without git; `changed`: whether the library differs;
        - `weights`: model -> SHA-256 of its weights, for packaged models and folders (the commits
          of models of the Hub stand in metrics.json);
        - `world`: the micro world's version, None for other data.
    """
    names = sorted({getattr(p, name) for name in MODELS})
    found = {name: _weights(name) for name in names}
    return {
        "schema": SCHEMA,
        "versions": {"python": platform.python_version()} | _versions(),
        **_commit(),
        "weights": {name: digest for name, digest in found.items() if digest},
        "world": micro.VERSION if p.dataset == "micro" else None,
    }


def write(folder: Path, p: Params) -> None:
    """Write `made_by.json` into an artefact's folder."""
    with whole(folder / NAME) as unfinished:
        unfinished.write_text(json.dumps(origin(p), indent=1, sort_keys=True) + "\n")


def check(folder: Path) -> None:
    """Refuse an artefact whose files this version of the library does not read.

    Raises
    ------
    ParameterError
        If it is of another schema, or if its `made_by.json` can not be read.
    """
    file = folder / NAME
    made: Any = {}
    if file.is_file():
        try:
            made = json.loads(file.read_bytes())
        except ValueError:
            made = None
    if not isinstance(made, dict):
        raise ParameterError(f"{file} can not be read; remove {folder}, and it is made anew")
    schema = made.get("schema", 1)
    if schema != SCHEMA:
        raise ParameterError(
            f"{folder} is of schema {schema}, written at commit {made.get('commit') or 'unknown'}; "
            f"this one reads schema {SCHEMA}. Use that one, or remove the folder: it is made anew"
        )


def _versions() -> dict[str, str]:
    return {name: metadata.version(name) for name in PACKAGES}


@lru_cache
def _commit() -> dict[str, Any]:
    """Return the project's commit, and whether the library differs from it."""
    head = _git("rev-parse", "HEAD")
    changed = bool(_git("status", "--porcelain", "--", "inbol_lib", "notebooks")) if head else None
    return {"commit": head, "changed": changed}


def _git(*words: str) -> str | None:
    """Return what git says about the project, None where there is none."""
    try:
        told = subprocess.run(
            ["git", "-C", str(paths.ROOT), *words], capture_output=True, text=True, timeout=60
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return told.stdout.strip() if told.returncode == 0 else None


def _weights(model: str) -> str | None:
    """Return the SHA-256 of a model's weights on this machine, None for any other model."""
    folder = paths.WEIGHTS / model
    folder = folder if folder.is_dir() else Path(model)
    files = sorted(folder.glob("*.safetensors")) if folder.is_dir() else []
    if not files:
        return None
    state = tuple((str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in files)
    return _digest(state)


@lru_cache
def _digest(state: tuple[tuple[str, int, int], ...]) -> str:
    """Return the hash of files, given with size and time, so that a changed one is read again."""
    digest = hashlib.sha256()
    for name, _, _ in state:
        with open(name, "rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    return digest.hexdigest()
