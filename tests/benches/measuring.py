"""Seconds of all sides in turns, and the memory of each in a process of its own.

A cell runs in a process that is forked from one in which nothing has run yet. What is measured is
kept in runs/bench/, so that a kill loses one cell at most.
"""

import json
import multiprocessing
import os
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterable
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np

from benches import summary
from benches.cells import Sides, sides
from benches.summary import OURS, Cell, is_ours
from inbol_lib import paths

#: turns after which a setting drops out if it takes SLOW times the fastest setting's seconds
LOOK, SLOW = 2, 1.25
FORK = multiprocessing.get_context("fork")


def apart(call: Callable[[], Any]) -> Any:
    """Return what a call gives in a process of its own, forked from this one."""
    receiver, sender = FORK.Pipe(duplex=False)

    def run() -> None:
        try:
            sender.send((call(), ""))
        except Exception:
            sender.send((None, traceback.format_exc()))

    process = FORK.Process(target=run)
    process.start()
    sender.close()
    try:
        found, failure = receiver.recv()
    except EOFError:
        found, failure = None, "the process was killed"
    process.join()
    if failure:
        raise RuntimeError(failure)
    return found


def anonymous_mb() -> float:
    """MB of memory of this process that no file is behind: tensors, not libraries."""
    lines = Path("/proc/self/status").read_text().splitlines()
    (found,) = [line for line in lines if line.startswith("RssAnon")]
    return int(found.split()[1]) / 1024


def peak_mb(call: Callable[[], object]) -> float:
    """MB that a call needs at its peak above what is there before it."""
    before, seen, done = anonymous_mb(), [0.0], Event()

    def watch() -> None:
        while not done.wait(0.01):
            seen.append(anonymous_mb())

    thread = Thread(target=watch)
    thread.start()
    try:
        call()
    finally:
        done.set()
        thread.join()
    return max(seen) - before


def turns(timed: Sides, repeats: int) -> dict[str, list[float]]:
    """Seconds of all sides, which take turns; hopeless settings of the peer drop out early."""
    for name in list(timed)[:2]:  # ours and a peer: what is imported or built at first use
        timed[name]()
    times: dict[str, list[float]] = {name: [] for name in timed}
    going = list(timed)
    for turn in range(repeats):
        for name in going:
            times[name].append(timed[name]())
        if turn + 1 == LOOK:
            going = hopeful(times)
    return times


def hopeful(times: dict[str, list[float]]) -> list[str]:
    """Ours at its default, and the settings of the peer that may still be the fastest."""
    medians = {name: float(np.median(spent)) for name, spent in times.items()}
    best = min(spent for name, spent in medians.items() if not is_ours(name))
    return [
        name
        for name, spent in medians.items()
        if name == OURS or (spent <= SLOW * best and not is_ours(name))
    ]


def measured(cell: Cell, repeats: int) -> list[dict[str, Any]]:
    """Return the rows of a cell: each side's memory apart, then the seconds of all in turns."""
    timed, peaks = sides(cell), {}
    for name in list(timed):
        try:
            peaks[name] = apart(lambda call=timed[name]: peak_mb(call))
        except RuntimeError as failure:
            print(f"{cell} {name}: {str(failure).splitlines()[-1]}", file=sys.stderr, flush=True)
            del timed[name]
    return summary.rows_of(cell, turns(timed, repeats), peaks)


def in_scratch(cell: Cell, repeats: int) -> list[dict[str, Any]]:
    """Return the rows of a cell, measured in a process and a temporary folder of their own."""
    with tempfile.TemporaryDirectory() as scratch:

        def run() -> list[dict[str, Any]]:
            os.environ["TMPDIR"] = tempfile.tempdir = scratch
            return measured(cell, repeats)

        return apart(run)


def kept(file: Path) -> dict[Cell, list[dict[str, Any]]]:
    """Cells that were measured before, and their rows."""
    lines = file.read_text().splitlines() if file.is_file() else []
    found = [json.loads(line) for line in lines]
    return {Cell(**entry["cell"]): entry["rows"] for entry in found}


def all_measured(wanted: Iterable[Cell], repeats: int) -> dict[Cell, list[dict[str, Any]]]:
    """Return the rows of every cell; those in `partial_file` are not measured again."""
    file = partial_file(repeats)
    done = kept(file)
    for cell in wanted:
        if cell in done:
            print(f"{cell}: taken from {file}", file=sys.stderr, flush=True)
            continue
        done[cell] = in_scratch(cell, repeats)
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as stream:
            stream.write(line(cell, done[cell]))
        best = summary.best(done[cell])
        print(f"{cell}: {best['ratio']:.2f} ({best['best_setting']})", file=sys.stderr, flush=True)
    return done


def forget(cells: Iterable[Cell], repeats: int) -> None:
    """Take cells out of `partial_file`, so that they are measured again."""
    file, unwanted = partial_file(repeats), set(cells)
    left = {cell: rows for cell, rows in kept(file).items() if cell not in unwanted}
    if file.is_file():
        file.write_text("".join(line(cell, rows) for cell, rows in left.items()))


def line(cell: Cell, rows: list[dict[str, Any]]) -> str:
    return json.dumps({"cell": cell._asdict(), "rows": rows}) + "\n"


def partial_file(repeats: int) -> Path:
    return paths.runs() / "bench" / f"{repeats}_repeats.jsonl"
