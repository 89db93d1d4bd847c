"""A live table of a run's stages: what is done, what runs and how far, what failed."""

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.live import Live
from rich.table import Table
from rich.text import Text

from inbol_lib.progress import progress
from inbol_lib.study.graph import NOTEBOOKS
from inbol_lib.study.terminal.jobs import DONE, FAILED, REUSED, RUNNING, WAITING, Seen

#: state -> its mark and colour
LOOKS = {
    WAITING: ("·", "dim"),
    RUNNING: ("▶", "bold cyan"),
    DONE: ("✔", "green"),
    REUSED: ("✔", "dim green"),
    FAILED: ("✘", "bold red"),
}
#: column -> characters that it has at least, so that the others stay where they are
WIDTHS = {"now": 32, "took": 6, "left": 6}
#: times a second that the table is drawn
RATE = 2


def console() -> Console:
    """Return the terminal, which is standard error: standard output is for the result alone."""
    return Console(stderr=True, highlight=False)


def wanted() -> bool:
    """Return whether there is a terminal that a table may move on: not in CI, not when quiet."""
    return progress() and console().is_terminal


def say(line: str) -> None:
    """Print a line to standard error, on a terminal broken between words."""
    terminal = console()
    terminal.print(Text(line), soft_wrap=not terminal.is_terminal)


def spelled(seconds: float) -> str:
    """Return a duration for people, "" for NaN."""
    if math.isnan(seconds):
        return ""
    whole = int(seconds)
    if whole < 3600:
        return f"{whole // 60}:{whole % 60:02d}"
    return f"{whole // 3600} h {whole // 60 % 60:02d}"


def left_in(word: dict[str, Any]) -> float:
    """Return the seconds that a loop still takes at its pace so far, NaN where nothing says."""
    if not (word.get("n") and word.get("total")):
        return math.nan
    return word["elapsed"] / word["n"] * (word["total"] - word["n"])


def doing(word: dict[str, Any]) -> str:
    """Say what the inner loop of a job does, and how far it is."""
    loop = (word.get("prefix") or "").removesuffix(": ")
    if not word.get("total"):
        return loop
    filled = round(10 * word["n"] / word["total"])
    return f"{loop} {'━' * filled}{'─' * (10 - filled)} {word['n']:,} of {word['total']:,}"


def state_of(jobs: list[Seen]) -> str:
    """Return the state of several jobs of one stage as one word."""
    states = [job.state for job in jobs]
    for state in (FAILED, RUNNING):
        if state in states:
            return state
    if set(states) <= {DONE, REUSED}:
        return REUSED if set(states) == {REUSED} else DONE
    return RUNNING if DONE in states else WAITING


def left_of(jobs: list[Seen]) -> float:
    """Return the seconds that waiting jobs of one stage take, as others of it did; NaN if none."""
    known = [job.minutes for job in jobs if not math.isnan(job.minutes)]
    waiting = sum(job.state == WAITING for job in jobs)
    if not waiting:
        return 0.0
    return 60 * waiting * sum(known) / len(known) if known else math.nan


class StageTable:
    """The stages of a run, drawn anew whenever it is asked for.

    Parameters
    ----------
    jobs
        The artefacts' names -> the run's jobs.
    title
        What runs.
    """

    def __init__(self, jobs: dict[str, Seen], title: str):
        self.jobs, self.title, self.begun = jobs, title, time.monotonic()
        self._first: dict[str, float] = {}  # folder -> when it was first seen running

    def __rich__(self) -> Table:
        """Return the table as it is now."""
        title = Text(f"{self.title}: {spelled(time.monotonic() - self.begun)} so far")
        table = Table(title=title, title_justify="left", box=None, pad_edge=False)
        for name in ("", "stage", "artefacts", "now", "took", "left"):
            justify = "right" if name in ("took", "left") else "left"
            table.add_column(name, justify=justify, min_width=WIDTHS.get(name))
        for stage in NOTEBOOKS:
            mine = [job for job in self.jobs.values() if job.stage == stage]
            if mine:
                self._add(table, stage, mine)
        return table

    def _add(self, table: Table, stage: str, jobs: list[Seen]) -> None:
        """Add the row of a stage, and one for each of its jobs that is at work or has failed."""
        state = state_of(jobs)
        mark, style = LOOKS[state]
        ready = sum(job.state in (DONE, REUSED) for job in jobs)
        mine = [job.minutes for job in jobs if job.state == DONE and not math.isnan(job.minutes)]
        took = spelled(60 * sum(mine)) if mine else ""
        count = f"{ready} of {len(jobs)}" if len(jobs) > 1 else ""
        active = [job for job in jobs if job.state in (RUNNING, FAILED)]
        cells = [mark, NOTEBOOKS[stage].replace("_", " "), count, state, took]
        rest = spelled(left_of(jobs)) if len(jobs) > 1 and state == RUNNING else ""
        if len(jobs) == 1 and active:
            cells[3:], rest = self._now(active[0])
        table.add_row(*(Text(cell) for cell in [*cells, rest]), style=style)
        if len(jobs) > 1:
            for job in active:
                (said, took), rest = self._now(job)
                cells = ["", f"  {job.folder.name}", "", said, took, rest]
                table.add_row(*(Text(cell) for cell in cells), style=LOOKS[job.state][1])

    def _now(self, job: Seen) -> tuple[tuple[str, str], str]:
        """Return what a job does, how long it has run, and how long its inner loop still takes."""
        if job.state == FAILED:
            return ("failed", ""), ""
        word = job.word
        first = self._first.setdefault(str(job.folder), time.monotonic())
        running = spelled(time.monotonic() - first)
        return (doing(word) or RUNNING, running), spelled(left_in(word))


@contextmanager
def shown(table: StageTable) -> Iterator[Console | None]:
    """Keep a table on the terminal while something runs; what is printed meanwhile stands above it.

    Yields
    ------
    Console or None
        The terminal; None where no table is wanted.
    """
    if not wanted():
        yield None
        return
    terminal = console()
    with Live(
        get_renderable=table.__rich__,
        console=terminal,
        refresh_per_second=RATE,
        redirect_stdout=False,
        vertical_overflow="visible",
    ):
        yield terminal
