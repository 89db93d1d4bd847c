"""The strict papermill wrapper: checks every parameter before a kernel starts.

inbol run 04_idk_it -f params/micro.yaml -p seed 1
inbol run 06_evaluation -f micro -p dataset=folder:/data/my_vqa -p unanswerable_generator=micro-s
inbol run 02 -f micro -p unanswerable_generator=endpoint:gpt-4o --dry-run
"""

import argparse
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from inbol_lib import params, paths
from inbol_lib.errors import DryRun, EndpointError, ParameterError
from inbol_lib.params import Params
from inbol_lib.study import graph, stages


def stage_of(notebook: str) -> str:
    """The stage of a notebook named by stage, number, stem or path. Raises ParameterError with the choices."""
    stem = Path(notebook).stem
    for stage, name in graph.NOTEBOOKS.items():
        if stem in (stage, name, name[:2]):
            return stage
    raise ParameterError(
        f"no notebook {notebook!r}; choose one of {', '.join(graph.NOTEBOOKS.values())}"
    )


def overrides(pairs: list[list[str]]) -> dict[str, Any]:
    """`-p key value` and `-p key=value`, values read as YAML."""
    out = {}
    for pair in pairs:
        key, found, value = (pair[0], True, pair[1]) if len(pair) == 2 else pair[0].partition("=")
        if not found or len(pair) > 2:
            raise ParameterError(f"-p takes `key value` or `key=value`, given {' '.join(pair)!r}")
        out[key] = yaml.safe_load(value)
    return out


def check_dataset(stage: str, p: Params) -> None:
    """Refuse a broken folder (every broken line is named) and benchmarks that are not there (all that is missing is named), and for
    either the program that knows the micro world alone."""
    if p.dataset != "micro":
        from inbol_lib.data import benchmarks, folder

        kind, _, place = p.dataset.partition(":")
        if kind == "folder":
            folder.check(paths.ROOT / place)
        else:
            benchmarks.check(paths.ROOT / place, p.sources, p.ood_sources)
        if any(name == "unanswerable" for name, _ in graph.plan(stage, p).values()):
            p.check_program()


def main(argv: list[str] | None = None) -> int:
    cli = argparse.ArgumentParser(
        "inbol run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("notebook", help="stage, number, name or path of a notebook")
    cli.add_argument(
        "-f", "--profile", default="smoke", help="a YAML file, or the name of one under params/"
    )
    cli.add_argument(
        "-p", "--parameter", action="append", nargs="+", default=[], metavar="KEY VALUE"
    )
    cli.add_argument(
        "--ensure", action="store_true", help="do nothing when the artefact is complete"
    )
    cli.add_argument(
        "--limit",
        metavar="N",
        help="send at most N requests to endpoints in each stage, then stop; running again goes on",
    )
    cli.add_argument(
        "--dry-run",
        action="store_true",
        help="show what the first endpoint would be asked, and send nothing",
    )
    cli.add_argument(
        "--train",
        action="store_true",
        help="the training alone, under `accelerate launch` (params/accelerate/)",
    )
    args = cli.parse_args(argv)
    os.environ |= {
        k: v
        for k, v in {"INBOL_REQUEST_LIMIT": args.limit, "INBOL_DRY_RUN": "1" * args.dry_run}.items()
        if v
    }
    try:
        stage = stage_of(args.notebook)
        p = params.load(args.profile, **overrides(args.parameter))
        check_dataset(stage, p)
        graph.check_endpoint(stage, p)
        if args.train and stage not in ("idk_it", "ca_dpo"):
            raise ParameterError(f"--train: {stage} trains nothing; choose 04_idk_it or 05_ca_dpo")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    run = stages.ensure if args.ensure else stages.execute
    if args.train:
        from inbol_lib.study.launch import train as run
    try:
        print(run(stage, p))
    except EndpointError as error:
        print(error, file=sys.stderr)
        return 0 if isinstance(error, DryRun) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
