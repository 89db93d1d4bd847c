"""A grid of runs through Snakemake, here or on a cluster, and one table of it (`--grid`)."""

import hashlib
import json
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from inbol_lib import paths
from inbol_lib.errors import ParameterError
from inbol_lib.evaluation import intervals, metrics
from inbol_lib.params import Params
from inbol_lib.report.comparing.runs import SCORES, outcomes_of
from inbol_lib.report.tables.files import save_table_files
from inbol_lib.study import graph, running, stages
from inbol_lib.study.terminal import page
from inbol_lib.study.terminal import table as live
from inbol_lib.study.terminal.jobs import needed
from inbol_lib.study.workflow import snake, sweep


def folder_of(goal: str, p: Params, grid: dict[str, list[Any]]) -> Path:
    """Return the folder of a grid's table, named after what is swept and its cells."""
    cells = [graph.fingerprint(goal, cell) for cell in sweep.cells(p, grid)]
    digest = hashlib.sha256(json.dumps([grid, cells], sort_keys=True).encode()).hexdigest()[:8]
    return paths.runs() / "grids" / "-".join([goal, *grid, digest])


def table(goal: str, p: Params, grid: dict[str, list[Any]]) -> pd.DataFrame:
    """Return a grid's results in one table, of the cells that are complete.

    Evaluations have a row for every method and combination of values: Acc, RefR and s_trust in
    points with the 95 % interval of the latter. Training seeds of the grid are joined, and
    resampled with the pictures. Any other stage has a row for every cell, with the numbers of its
    metrics.json.

    Parameters
    ----------
    goal, p, grid
        The stage, the profile, and what is swept.
    """
    swept = [key for key in grid if key != "seed" or goal != "evaluation"]
    rows: list[dict[str, Any]] = []
    joined: dict[str, list[pd.DataFrame]] = {}
    for cell in sweep.cells(p, grid):
        if not graph.complete(goal, cell):
            continue
        values = {key: getattr(cell, key) for key in swept}
        folder = graph.path(goal, cell)
        if goal == "evaluation":
            joined.setdefault(json.dumps(values), []).append(outcomes_of(folder))
        else:
            found = json.loads((folder / "metrics.json").read_text())
            rows.append(values | dict(_numbers(found)))
    for key, tables in joined.items():
        outcomes = pd.concat(tables, ignore_index=True)
        for method, mine in outcomes.groupby("method", sort=False):
            rows.append({**json.loads(key), "method": method, **_scores(mine)})
    return pd.DataFrame(rows)


def _scores(outcomes: pd.DataFrame) -> dict[str, float]:
    """Return one method's scores in points, the interval of s_trust, and what they rest on."""
    total = metrics.score(metrics.counts(outcomes).sum())
    lo, hi = intervals.interval(outcomes)
    points = {name: 100 * float(total[name]) for name in SCORES}
    sizes = {"seeds": outcomes.seed.nunique(), "questions": outcomes.id.nunique()}
    return {**points, "lo": 100 * lo, "hi": 100 * hi, **sizes}


def _numbers(found: dict[str, Any], before: str = "") -> list[tuple[str, float]]:
    """Return the numbers of a stage's metrics, with dotted names."""
    listed: list[tuple[str, float]] = []
    for key, value in found.items():
        if isinstance(value, dict):
            listed += _numbers(value, f"{before}{key}.")
        elif isinstance(value, int | float):
            listed.append((before + key, value))
    return listed


def main(argv: Sequence[str] | None = None) -> int:
    """Run the grid for which `argv` asks (default: the process's arguments), and print its table.

    Returns
    -------
    int
        Snakemake's exit status; cells that failed leave the others alone. 2 if something was asked
        wrongly, which is then printed.
    """
    args = running.parser().parse_args(argv)
    try:
        goal, p, grid = _asked(args)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    running.say_plan(goal, p)
    jobs, begun = needed(sweep.wanted(goal, p, grid)), time.monotonic()
    changes = running.overrides(args.parameter)
    config = snake.settings(goal, args.profile, p, changes, args.grid)
    cluster = args.cluster and args.cluster.absolute()
    words = snake.command(config, args.cores, cluster, "--keep-going")
    code = snake.run(words, jobs, f"inbol run {goal}, {len(sweep.cells(p, grid))} cells")
    made = table(goal, p, grid)
    if made.empty:
        return code or 1
    folder = folder_of(goal, p, grid)
    save_table_files(made, folder, "table")
    ended = page.page(goal, p, jobs, time.monotonic() - begun)
    first = [folder / "table.md", folder / "table.csv", *ended.first][: page.FIRST]
    ended.title, ended.first = f"{ended.title}, {', '.join(grid)}", first
    file = page.write(ended, folder)
    short = made.round(dict.fromkeys(("acc", "refr", "s_trust", "lo", "hi"), 1))
    print(short.to_string(index=False, float_format=lambda value: f"{value:g}"), file=sys.stderr)
    if live.wanted():
        page.show(ended, file, live.console())
    print(folder)
    return code


def _asked(args: Any) -> tuple[str, Params, dict[str, list[Any]]]:
    """Return the stage, the profile and the grid, all of them checked.

    Raises
    ------
    ParameterError
        If anything is wrong with them or with the data.
    """
    for flag in ("train", "limit", "dry_run", "plain"):
        if getattr(args, flag):
            raise ParameterError(f"--grid cannot go with --{flag.replace('_', '-')}")
    running.check_place(args)
    goal, p = running.checked_job(args)
    grid = sweep.grid_of(args.grid)
    cells = sweep.cells(p, grid)
    for cell in cells:
        graph.check_endpoint(goal, cell)
    if len({graph.path(goal, cell) for cell in cells}) < len(cells):
        raise ParameterError(
            f"--grid: some of {', '.join(grid)} changes nothing about {graph.NOTEBOOKS[goal]}, so "
            "that cells would be the same; leave it out, or sweep a later notebook"
        )
    stages.check_writable()
    return goal, p, grid
