"""How far long work has come, and what a stage has to say: in its notebook, and to a terminal.

A stage runs in a kernel, whose output no terminal shows. So it also leaves word in its artefact's
folder, where whoever started it, or a cluster's job, finds it: `partial/progress.json` says how far
a loop has come, `notices.jsonl` what people should know about the result.
"""

import json
import os
import sys
import time
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any, NamedTuple

from tqdm import tqdm

PROGRESS, NOTICES = Path("partial", "progress.json"), "notices.jsonl"
#: seconds between two words about a loop
EVERY = 0.5


def progress() -> bool:
    """Return whether long loops show progress bars: not in CI, and not where INBOL_QUIET is set."""
    return not (os.environ.get("CI") or os.environ.get("INBOL_QUIET"))


class Notice(NamedTuple):
    """What a stage has to say about its result.

    Attributes
    ----------
    text
        A sentence or more.
    loud
        Whether something is probably not as it was meant.
    """

    text: str
    loud: bool = False


class _Place:
    """The artefact's folder of the stage at work in this process, if there is one."""

    folder: Path | None = None


def report_to(folder: Path | None) -> None:
    """Leave word in an artefact's folder from now on, and forget what was said; None: nowhere."""
    _Place.folder = folder
    if folder is not None:
        (folder / NOTICES).unlink(missing_ok=True)


def say(text: str, loud: bool = False) -> None:
    """Say something about the result of the stage at work; what is loud stands in its notebook too.

    Parameters
    ----------
    text
        For people: what is so, what follows from it, what to do.
    loud
        Whether something is probably not as it was meant.
    """
    if loud:
        print(f"WARNING: {text}", file=sys.stderr)
    if _Place.folder is not None:
        with (_Place.folder / NOTICES).open("a") as file:
            file.write(json.dumps(Notice(text, loud)._asdict()) + "\n")


def notices(folder: Path) -> list[Notice]:
    """Return what the stage that made an artefact, or failed to, had to say; whole lines alone."""
    try:
        lines = (folder / NOTICES).read_text().splitlines()
    except FileNotFoundError:
        return []
    return list(_whole(lines))


def _whole(lines: list[str]) -> Iterator[Notice]:
    for line in lines:
        try:
            yield Notice(**json.loads(line))
        except (ValueError, TypeError):  # a kill has cut it off
            return


class Bar(tqdm):
    """A progress bar that leaves word of itself in the artefact's folder as well."""

    _told = 0.0

    def display(self, *args: Any, **options: Any) -> None:
        """Show the bar, and leave word if there has been none for a while."""
        super().display(*args, **options)
        now = time.monotonic()
        if _Place.folder is not None and now - Bar._told >= EVERY:
            Bar._told = now
            told = self.format_dict
            leave(_Place.folder, {key: told[key] for key in ("prefix", "n", "total", "elapsed")})


def bar(desc: str, unit: str, total: int, over: Iterable | None = None, first: int = 0) -> Bar:
    """Return a progress bar that is hidden where `progress` says so.

    Parameters
    ----------
    desc, unit
        What is done, and to what.
    total
        Number of units.
    over
        What is done one after the other; without it, the bar is told with `update`.
    first
        Units that an earlier run has done.
    """
    hidden = not progress()
    return Bar(over, desc=desc, unit=unit, total=total, initial=first, disable=hidden)


def leave(folder: Path, word: dict[str, Any]) -> None:
    """Replace the word about an artefact's making; what reads it never sees half of one.

    Where it cannot be written, there is none: a result does not depend on it.
    """
    file = folder / PROGRESS
    unfinished = file.with_suffix(f".{os.getpid()}")
    with suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        unfinished.write_text(json.dumps(word))
        unfinished.replace(file)


def word_of(folder: Path) -> dict[str, Any]:
    """Return the last word about an artefact's making; empty where there is none."""
    try:
        return json.loads((folder / PROGRESS).read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return {}
