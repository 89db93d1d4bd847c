"""How a run of the Snakefile goes on where a killed one has stopped.

Snakemake keeps files in .snakemake/ that say what is locked and what is unfinished. A killed run
leaves them behind, and the next one would refuse to start. So each run holds a lock of its own that
ends with its process, and writes down which of Snakemake's locks are its: what no living run claims
is stale. A run that has begun, but has not claimed its locks yet, might own any of them.
"""

import base64
import binascii
import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from filelock import FileLock, Timeout

from inbol_lib.data import files


def begin(state: Path) -> FileLock:
    """Clear what killed runs have left, and nothing of those that are alive.

    Parameters
    ----------
    state : Path
        Snakemake's folder, .snakemake; it is made where there is none.

    Returns
    -------
    FileLock
        Says that this run is alive, as long as somebody keeps it.
    """
    alive, claims = state / "alive", state / "claims"
    for folder in (alive, claims):
        folder.mkdir(parents=True, exist_ok=True)
    with FileLock(state / "begin.lock"):
        others = _others(alive)
        for claim in claims.iterdir():
            if claim.name not in others:
                claim.unlink()
        claimed = [claims / name for name in others]
        if all(claim.is_file() for claim in claimed):
            theirs = {name for claim in claimed for name in claim.read_text().split()}
            for lock in (state / "locks").glob("*.lock"):
                if lock.name not in theirs:
                    lock.unlink()
        _finish(state / "incomplete")
        mine = FileLock(alive / f"{os.uname().nodename}-{os.getpid()}")
        mine.acquire()
    return mine


def claim(mine: FileLock, locks: Iterable[str]) -> None:
    """Write down which of Snakemake's locks are this run's, once it has them.

    Parameters
    ----------
    mine : FileLock
        What `begin` returned.
    locks : iterable of str
        Paths of the locks.
    """
    alive = Path(mine.lock_file)
    with files.whole(alive.parent.parent / "claims" / alive.name) as unfinished:
        unfinished.write_text("\n".join(Path(lock).name for lock in locks))


def _others(alive: Path) -> list[str]:
    """Return the names of other runs that are alive, and forget those that have ended."""
    found = []
    for file in alive.iterdir():
        try:
            with FileLock(file, timeout=0):
                file.unlink(missing_ok=True)
        except Timeout:
            found.append(file.name)
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
