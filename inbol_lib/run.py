"""The strict papermill wrapper: checks every parameter before a kernel starts.

python -m inbol_lib.run 04_idk_it -f params/micro.yaml -p seed 1
python -m inbol_lib.run 06_evaluation -f micro -p dataset=folder:/data/my_vqa -p unanswerable_generator=micro-s
python -m inbol_lib.run 02 -f micro -p unanswerable_generator=endpoint:gpt-4o --dry-run
"""

import argparse
import logging
import os
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from inbol_lib import params, paths, stages
from inbol_lib.params import DryRun, EndpointError, ParameterError, Params


def progress() -> bool:
    """Whether long loops show progress: on a terminal or in Jupyter, but not in CI or under nbval."""
    return not (os.environ.get("CI") or os.environ.get("INBOL_QUIET"))


def execute(stage: str, p: Params) -> Path:
    """Run the stage's notebook with `p`; the executed copy lies beside its artefact. Returns the artefact's folder.

    Raises papermill's PapermillExecutionError with the failing cell, and EndpointError where an endpoint stopped it; the executed
    copy then holds the traceback.
    """
    import papermill
    from traitlets.config import Config

    logging.getLogger("papermill").setLevel(logging.ERROR)
    folder = stages.path(stage, p)
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as sockets:  # not ports: two kernels that start together can take the same one
        try:
            papermill.execute_notebook(
                str(paths.NOTEBOOKS / f"{stages.NOTEBOOKS[stage]}.ipynb"), str(folder / "notebook.ipynb"), parameters=p.model_dump(),
                progress_bar=False, cwd=str(paths.NOTEBOOKS), kernel_name="python3",
                config=Config(KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"}),
                extra_arguments=["--log-level=CRITICAL"],  # or the interrupt that ends an idle kernel reads like a failure
            )  # fmt: skip
        except papermill.exceptions.PapermillExecutionError as error:
            for kind in (EndpointError, DryRun):
                if error.ename == kind.__name__:
                    raise kind(error.evalue) from None
            raise
    return folder


def stage_of(notebook: str) -> str:
    """The stage of a notebook named by stage, number, stem or path. Raises ParameterError with the choices."""
    stem = Path(notebook).stem
    for stage, name in stages.NOTEBOOKS.items():
        if stem in (stage, name, name[:2]):
            return stage
    raise ParameterError(f"no notebook {notebook!r}; choose one of {', '.join(stages.NOTEBOOKS.values())}")


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
        from inbol_lib import benchmarks, folder

        kind, _, place = p.dataset.partition(":")
        if kind == "folder":
            folder.check(paths.ROOT / place)
        else:
            benchmarks.check(paths.ROOT / place, p.sources, p.ood_sources)
        if any(name == "unanswerable" for name, _ in stages.plan(stage, p).values()):
            p.check_program()


def main(argv: list[str] | None = None) -> int:
    cli = argparse.ArgumentParser("python -m inbol_lib.run", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    cli.add_argument("notebook", help="stage, number, name or path of a notebook")
    cli.add_argument("-f", "--profile", default="smoke", help="a YAML file, or the name of one under params/")
    cli.add_argument("-p", "--parameter", action="append", nargs="+", default=[], metavar="KEY VALUE")
    cli.add_argument("--ensure", action="store_true", help="do nothing when the artefact is complete")
    cli.add_argument("--limit", metavar="N", help="send at most N requests to endpoints in each stage, then stop; running again goes on")
    cli.add_argument("--dry-run", action="store_true", help="show what the first endpoint would be asked, and send nothing")
    cli.add_argument("--train", action="store_true", help="the training alone, under `accelerate launch` (params/accelerate/)")
    args = cli.parse_args(argv)
    os.environ |= {k: v for k, v in {"INBOL_REQUEST_LIMIT": args.limit, "INBOL_DRY_RUN": "1" * args.dry_run}.items() if v}
    try:
        stage = stage_of(args.notebook)
        p = params.load(args.profile, **overrides(args.parameter))
        check_dataset(stage, p)
        stages.check_endpoint(stage, p)
        if args.train and stage not in ("idk_it", "ca_dpo"):
            raise ParameterError(f"--train: {stage} trains nothing; choose 04_idk_it or 05_ca_dpo")
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    run = stages.ensure if args.ensure else execute
    if args.train:
        from inbol_lib.launch import train as run  # torch and TRL, which only the kernels load otherwise
    try:
        print(run(stage, p))
    except EndpointError as error:
        print(error, file=sys.stderr)
        return 0 if isinstance(error, DryRun) else 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
