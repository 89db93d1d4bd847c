"""The strict papermill wrapper: checks every parameter before a kernel starts.

python -m inbol_lib.run 04_idk_it -f params/micro.yaml -p seed 1
python -m inbol_lib.run 06_evaluation -f micro -p dataset=folder:/data/my_vqa -p unanswerable_generator=micro-s
"""

import argparse
import logging
import os
import sys
from pathlib import Path
from typing import Any

import yaml

from inbol_lib import params, paths, stages
from inbol_lib.params import ParameterError, Params

MODELS = ("model", "test_model", "models", "unanswerable_generator", "second_generator", "verifier", "judge")


def progress() -> bool:
    """Whether long loops show progress: on a terminal or in Jupyter, but not in CI or under nbval."""
    return not (os.environ.get("CI") or os.environ.get("INBOL_QUIET"))


def execute(stage: str, p: Params) -> Path:
    """Run the stage's notebook with `p`; the executed copy lies beside its artefact. Returns the artefact's folder.

    Raises papermill's PapermillExecutionError with the failing cell; the executed copy then holds the traceback.
    """
    import papermill

    logging.getLogger("papermill").setLevel(logging.ERROR)
    folder = stages.path(stage, p)
    folder.mkdir(parents=True, exist_ok=True)
    source = paths.NOTEBOOKS / f"{stages.NOTEBOOKS[stage]}.ipynb"
    for attempt in (1, 2):
        try:
            papermill.execute_notebook(
                str(source), str(folder / "notebook.ipynb"), parameters=p.model_dump(),
                progress_bar=False, cwd=str(paths.NOTEBOOKS), kernel_name="python3",
            )  # fmt: skip
            break
        except RuntimeError as error:  # two kernels that start together can take the same port
            if attempt == 2 or "Kernel died before replying" not in str(error):
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


def parser() -> argparse.ArgumentParser:
    cli = argparse.ArgumentParser(prog="python -m inbol_lib.run", description=__doc__,
                                  formatter_class=argparse.RawDescriptionHelpFormatter)  # fmt: skip
    cli.add_argument("notebook", help="stage, number, name or path of a notebook")
    cli.add_argument("-f", "--profile", default="smoke", help="a YAML file, or the name of one under params/")
    cli.add_argument("-p", "--parameter", action="append", nargs="+", default=[], metavar="KEY VALUE")
    cli.add_argument("--ensure", action="store_true", help="do nothing when the artefact is complete")
    return cli


def main(argv: list[str] | None = None) -> int:
    args = parser().parse_args(argv)
    try:
        stage = stage_of(args.notebook)
        p = params.load(args.profile, **overrides(args.parameter))
        check_inputs(stage, p)
    except (ParameterError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    folder = stages.ensure(stage, p) if args.ensure else execute(stage, p)
    print(folder)
    return 0


def check_inputs(stage: str, p: Params) -> None:
    """Refuse before any kernel starts: micro models that are not packaged, a broken folder, the program on a folder.

    Raises ParameterError that names the key, or FolderError that names every broken line.
    """
    packaged = sorted(f.parent.name for f in paths.ROOT.glob("inbol_lib/micro/weights/*/config.json"))  # without loading torch
    for key in MODELS:
        named = getattr(p, key)
        missing = [m for m in ([named] if isinstance(named, str) else named) if m.startswith("micro-") and m not in packaged]
        if missing:
            raise ParameterError(f"{key}: {', '.join(missing)} is not packaged; there are {', '.join(packaged)}")
    if p.dataset != "micro":
        from inbol_lib import folder

        folder.check(Path(p.dataset.removeprefix("folder:")))
        if any(name == "unanswerable" for name, _ in stages.plan(stage, p).values()):
            p.check_program()


if __name__ == "__main__":
    sys.exit(main())
