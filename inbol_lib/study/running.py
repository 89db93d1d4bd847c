"""Run a notebook; every parameter is checked before a kernel starts.

inbol run 04_idk_it -f params/micro.yaml -p seed 1
inbol run 06_evaluation -f micro -p dataset=folder:/data/my_vqa -p unanswerable_generator=micro-s
inbol run 02 -f micro -p unanswerable_generator=endpoint:gpt-4o --dry-run
inbol run 06 -f micro --grid beta=0.1,0.3,1 seed=0,1,2 --cores 2
"""

import argparse
import os
import sys
import time
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from inbol_lib import params, paths
from inbol_lib.errors import INTERRUPTED, STOPPED, ParameterError, StudyError, status
from inbol_lib.params import Params
from inbol_lib.study import graph, stages
from inbol_lib.study.terminal import page, table
from inbol_lib.study.terminal.jobs import needed
from inbol_lib.values import read_value


def stage_of(notebook: str) -> str:
    """Return the stage of a notebook that is given as a stage, number, name or path.

    Raises
    ------
    ParameterError
        If there is no such notebook; the message lists them.
    """
    stem = Path(notebook).stem
    for stage, name in graph.NOTEBOOKS.items():
        if stem in (stage, name, name[:2]):
            return stage
    known = ", ".join(graph.NOTEBOOKS.values())
    raise ParameterError(f"no notebook {notebook!r}; choose one of {known}")


def overrides(given: Iterable[Sequence[str]]) -> dict[str, Any]:
    """Read the values of all `-p key value` and `-p key=value` as YAML.

    Parameters
    ----------
    given
        The words behind each -p.

    Raises
    ------
    ParameterError
        If the words behind a -p are neither.
    """
    return dict(_override(words) for words in given)


def _override(words: Sequence[str]) -> tuple[str, Any]:
    if len(words) == 2:
        key, value = words
        return key, read_value(value)
    key, equals, value = words[0].partition("=")
    if len(words) > 2 or not equals:
        raise ParameterError(f"-p takes `key value` or `key=value`, given {' '.join(words)!r}")
    return key, read_value(value)


def add_profile_options(parser: argparse.ArgumentParser) -> None:
    """Add -f and -p, which `profile_of` reads."""
    parser.add_argument(
        "-f",
        "--profile",
        default="smoke",
        help="a YAML file, or the name of one under params/ (default: smoke)",
    )
    parser.add_argument(
        "-p",
        "--parameter",
        action="append",
        nargs="+",
        default=[],
        metavar="KEY VALUE",
        help="change a parameter of the profile; may be given many times",
    )


def add_place_options(parser: argparse.ArgumentParser) -> None:
    """Add the options that say where Snakemake's jobs run."""
    parser.add_argument(
        "--cores", type=int, default=1, help="jobs at a time on this machine (default: 1)"
    )
    parser.add_argument(
        "--cluster",
        type=Path,
        metavar="FOLDER",
        help="a workflow profile of Snakemake, such as params/slurm, whose executor runs the jobs",
    )


def check_place(args: argparse.Namespace) -> None:
    """Check the options of `add_place_options`.

    Raises
    ------
    ParameterError
        If there are no cores, or no such profile.
    """
    if args.cores < 1:
        raise ParameterError(f"--cores: given {args.cores}; at least 1 is needed")
    if args.cluster and not list(args.cluster.glob("config*.yaml")):
        raise ParameterError(
            f"--cluster: {args.cluster} holds no config.yaml; give a folder such as params/slurm"
        )


def profile_of(args: argparse.Namespace) -> Params:
    """Return the parameters for which -f and -p ask.

    Raises
    ------
    ParameterError
        If a value is not allowed.
    """
    return params.load(args.profile, **overrides(args.parameter))


def check_dataset(stage: str, p: Params) -> None:
    """Check the data that a stage reads before a kernel starts.

    Raises
    ------
    ParameterError
        If a folder has broken lines or too few pictures, if benchmarks lack files (all are named),
        or if "program", which only knows the micro world, is asked about other images.
    """
    if p.dataset == "micro":
        return
    from inbol_lib.data import benchmarks, folder  # here, because both load slowly
    from inbol_lib.study.forecast import own_data  # loads the former

    kind, _, place = p.dataset.partition(":")
    if kind == "folder":
        folder.check(Path(place))
    else:
        benchmarks.check(paths.ROOT / place, p.sources, p.ood_sources)
    stages_of_it = {name for name, _ in graph.plan(stage, p).values()}
    if "unanswerable" in stages_of_it:
        p.check_program()
        if kind == "folder":
            own_data.check_pictures(p)


def say_plan(stage: str, p: Params) -> None:
    """Say on stderr what a run will do on a folder of one's own, before anything long begins."""
    if p.dataset.startswith("folder:") and not graph.complete(stage, p):
        from inbol_lib.study.forecast import own_data  # here, because it loads slowly

        for line in own_data.plan(stage, p):
            table.say(line)


def parser() -> argparse.ArgumentParser:
    """Return the parser of `inbol run`."""
    made = argparse.ArgumentParser(
        "inbol run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("notebook", help="stage, number, name or path of a notebook")
    add_profile_options(made)
    made.add_argument(
        "--ensure", action="store_true", help="do nothing when the artefact is complete"
    )
    made.add_argument(
        "--grid",
        nargs="+",
        metavar="KEY=VALUE,VALUE",
        help="make every combination of these values through Snakemake, and one table of them",
    )
    add_place_options(made)
    made.add_argument(
        "--plain", action="store_true", help="no live table and no end page, as in a job"
    )
    made.add_argument(
        "--limit",
        metavar="N",
        help="send at most N requests to endpoints in each stage, then stop; run it again to go on",
    )
    made.add_argument(
        "--dry-run",
        action="store_true",
        help="show what the first endpoint would be asked, and send nothing",
    )
    made.add_argument(
        "--train",
        action="store_true",
        help="only run the training, under `accelerate launch` (params/accelerate/)",
    )
    return made


def checked_job(args: argparse.Namespace) -> graph.Job:
    """Return the stage and the parameters for which the arguments ask, all of them checked.

    Raises
    ------
    ParameterError
        If anything is wrong with them or with the data.
    """
    stage = stage_of(args.notebook)
    p = profile_of(args)
    check_dataset(stage, p)
    graph.check_endpoint(stage, p)
    if args.train and stage not in ("idk_it", "ca_dpo"):
        raise ParameterError(f"--train: {stage} trains nothing; choose 04_idk_it or 05_ca_dpo")
    return stage, p


def work(args: argparse.Namespace, stage: str, p: Params) -> Path:
    """Do what the arguments ask for, and return the artefact's folder."""
    if args.limit:
        os.environ["INBOL_REQUEST_LIMIT"] = args.limit
    if args.dry_run:
        os.environ["INBOL_DRY_RUN"] = "1"
    if args.train:
        from inbol_lib.study import launch  # here, because training libraries load slowly

        return launch.train(stage, p)
    if args.plain:
        return make(stage, p, args.ensure)
    return made_and_shown(stage, p, args.ensure)


def make(stage: str, p: Params, ensure: bool = True, aloud: bool = True) -> Path:
    """Make a stage's artefact after all that it needs, and return its folder.

    Parameters
    ----------
    stage, p
        The job.
    ensure
        Whether a complete artefact is left alone.
    aloud
        Whether stderr says what begins.

    Notes
    -----
    The stages run one after the other, each in a kernel of its own: a notebook that made what it
    needs would keep its memory meanwhile, and what a stage has to say would stay in that notebook.
    """
    if ensure and graph.complete(stage, p):
        return stages.ensure(stage, p)
    for job in graph.missing(stage, p):
        stages.ensure(*job, aloud)
    return stages.ensure(stage, p, aloud) if ensure else stages.execute(stage, p)


def made_and_shown(stage: str, p: Params, ensure: bool = True) -> Path:
    """Make an artefact as `make` does, under a live table if there is a terminal.

    An end page is written into its folder, which is returned, for a complete one at once.
    """
    if ensure and graph.complete(stage, p):
        return stages.ensure(stage, p)
    say_plan(stage, p)
    jobs, begun = needed([(stage, p)]), time.monotonic()
    with table.shown(table.StageTable(jobs, f"inbol run {stage}, {p.profile}")) as terminal:
        made = make(stage, p, ensure, aloud=terminal is None)
    if graph.complete(stage, p):
        ended = page.page(stage, p, jobs, time.monotonic() - begun)
        file = page.write(ended, made)
        if terminal is not None:
            page.show(ended, file, terminal)
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Run the notebook that `argv` names (default: the process's arguments).

    Prints the artefact's folder, or what went wrong.

    Returns
    -------
    int
        0, 1 if an endpoint, a full disk or a cell stopped the run, 2 if something was asked
        wrongly, of which a notebook may be the first to know, or 130 after Ctrl-C.
    """
    args = parser().parse_args(argv)
    try:
        if args.grid:
            raise ParameterError("--grid: `inbol run` makes grids, this module single artefacts")
        stage, p = checked_job(args)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    try:
        with stages.full_disk_named(paths.runs()):
            print(work(args, stage, p))
    except StudyError as error:
        print(error, file=sys.stderr)
        return status(error)
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    return 0


if __name__ == "__main__":
    sys.exit(main())
