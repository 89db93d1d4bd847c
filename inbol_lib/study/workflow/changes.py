"""Code whose change the times of files do not show, because the clock was behind.

Snakemake makes an artefact again where its code is newer. Code that was edited while the clock was
set back, or put back with its old times, is not. So each run remembers what the code was, and makes
artefacts older than code that has changed since, although its time says otherwise.
"""

import hashlib
import json
import os
import time
from collections.abc import Collection, Mapping
from pathlib import Path

from filelock import FileLock

from inbol_lib.data import files

Seen = dict[str, str]  # file -> SHA-256 of what it holds


def age(
    state: Path,
    runs: Path,
    code: Mapping[str, Collection[str]],
    reads: Mapping[str, Collection[str]],
) -> list[str]:
    """Make artefacts older than code that has changed where the times of files hide it.

    Parameters
    ----------
    state : Path
        Snakemake's folder, which keeps what the code was.
    runs : Path
        The folder of artefacts.
    code : mapping
        Stage -> the files on which it depends.
    reads : mapping
        Stage -> the stages that it reads; what is read is made again first.

    Returns
    -------
    list of str
        The artefacts that are made again, as "stage/folder".
    """
    file = state / "code.json"
    state.mkdir(parents=True, exist_ok=True)
    with FileLock(state / "begin.lock"):
        known = _read(file)
        until, before = known.get(str(runs), (0.0, {}))
        now = {name: _digest(name) for name in set().union(*code.values())}
        hidden = _hidden(until, before, now)
        known[str(runs)] = max(until, time.time()), before | now
        aged = []
        for stage in code:
            since = _since(stage, code, reads, hidden)
            aged += _aged(runs / stage, since) if since is not None else []
        with files.whole(file) as unfinished:
            unfinished.write_text(json.dumps(known))
    return aged


def _read(file: Path) -> dict[str, tuple[float, Seen]]:
    """Return what earlier runs have seen, nothing where that can not be read."""
    try:
        return {runs: (float(until), dict(seen)) for runs, (until, seen) in _items(file)}
    except (AttributeError, OSError, TypeError, ValueError):
        return {}


def _items(file: Path) -> list[tuple[str, tuple[float, Seen]]]:
    return list(json.loads(file.read_bytes()).items()) if file.is_file() else []


def _digest(name: str) -> str:
    return hashlib.sha256(Path(name).read_bytes()).hexdigest()


def _hidden(until: float, before: Seen, now: Seen) -> dict[str, float]:
    """Return file -> its time, where it has changed and is no newer than what was last seen."""
    changed = [name for name, seen in now.items() if before.get(name, seen) != seen]
    times = {name: os.stat(name).st_mtime for name in changed}
    return {name: at for name, at in times.items() if at <= until}


def _since(
    stage: str,
    code: Mapping[str, Collection[str]],
    reads: Mapping[str, Collection[str]],
    hidden: Mapping[str, float],
) -> float | None:
    """Return the time of the oldest hidden change on which a stage depends, None without one."""
    needed, new = {stage}, {stage}
    while new:
        new = {other for one in new for other in reads.get(one, ())} - needed
        needed |= new
    times = [hidden[name] for one in needed for name in code.get(one, ()) if name in hidden]
    return min(times, default=None)


def _aged(folder: Path, since: float) -> list[str]:
    """Give a stage's artefacts a time before `since`, and return those that had a later one."""
    found = []
    for metrics in sorted(folder.glob("*/metrics.json")):
        if metrics.stat().st_mtime >= since:
            os.utime(metrics, (since - 1, since - 1))
            found.append(f"{folder.name}/{metrics.parent.name}")
    return found
