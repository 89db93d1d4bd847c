"""Run the whole study, or a part of it, through Snakemake, under a live table of its stages.

inbol study -f micro --cores 2
inbol study -f llava-1.5-7b --cluster params/slurm
"""

import argparse
import sys
import time
from collections.abc import Sequence

from inbol_lib.study import graph, running, stages
from inbol_lib.study.terminal import page, table
from inbol_lib.study.terminal.jobs import needed
from inbol_lib.study.workflow import snake, sweep


def parser() -> argparse.ArgumentParser:
    """Return the parser of `inbol study`."""
    made = argparse.ArgumentParser(
        "inbol study", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    running.add_profile_options(made)
    made.add_argument(
        "--only",
        default="paper_vs_ours",
        help="a notebook: make it and what it needs (default: all)",
    )
    running.add_place_options(made)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the study for which `argv` asks (default: the process's arguments).

    Returns
    -------
    int
        Snakemake's exit status, or 2 if something was asked wrongly, which is then printed.
    """
    args = parser().parse_args(argv)
    try:
        running.check_place(args)
        goal, p = running.stage_of(args.only), running.profile_of(args)
        running.check_dataset(goal, p)
        stages.check_writable()
        changes = running.overrides(args.parameter)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    running.say_plan(goal, p)
    jobs, begun = needed(sweep.wanted(goal, p, {})), time.monotonic()
    config = snake.settings(goal, args.profile, p, changes)
    cluster = args.cluster and args.cluster.absolute()
    code = snake.run(snake.command(config, args.cores, cluster), jobs, f"the study, {p.profile}")
    if code == 0 and graph.complete(goal, p):
        ended = page.page(goal, p, jobs, time.monotonic() - begun)
        file = page.write(ended, graph.path(goal, p))
        if table.wanted():
            page.show(ended, file, table.console())
    return code
