"""How a run of the Snakefile goes on where a killed one has stopped.

Snakemake keeps files in .snakemake/ that say what is locked and what is unfinished. A killed run
leaves them behind, and the next one would refuse to start. So each run holds a lock of its own that
ends with its process: where nobody holds one, those files are stale.
"""

import base64
import binascii
import contextlib
import os
import shutil
from pathlib import Path

from filelock import FileLock, Timeout


def begin(state: Path) -> FileLock:
    """Clear what killed runs have left, unless another run is alive.

    Parameters
    ----------
    state : Path
        Snakemake's folder, .snakemake; it is made where there is none.

    Returns
    -------
    FileLock
        Says that this run is alive, as long as somebody keeps it.
    """
    alive = state / "alive"
    alive.mkdir(parents=True, exist_ok=True)
    with FileLock(state / "begin.lock"):
        if not _others(alive):
            shutil.rmtree(state / "locks", ignore_errors=True)
            _finish(state / "incomplete")
        mine = FileLock(alive / f"{os.uname().nodename}-{os.getpid()}")
        mine.acquire()
    return mine


def _others(alive: Path) -> bool:
    """Return whether another run is alive, and forget those that have ended."""
    found = False
    for file in alive.iterdir():
        try:
            with FileLock(file, timeout=0):
                file.unlink(missing_ok=True)
        except Timeout:
            found = True
    return found


def _finish(incomplete: Path) -> None:
    """Drop the marks of unfinished outputs that are there: metrics.json is written whole, and last.

    A mark is named after its output, in base64; a long name is divided among folders (@...).
    """
    for mark in [path for path in incomplete.rglob("*") if path.is_file()]:
        name = "".join(part.removeprefix("@") for part in mark.relative_to(incomplete).parts)
        with contextlib.suppress(binascii.Error, ValueError, OSError):
            if Path(base64.urlsafe_b64decode(name).decode()).is_file():
                mark.unlink()
