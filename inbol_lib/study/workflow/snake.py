"""Run the Snakefile under a live table of the study's stages."""

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.text import Text

from inbol_lib import paths, values
from inbol_lib.params import Params
from inbol_lib.study.terminal import table
from inbol_lib.study.terminal.jobs import FAILED, Seen


def settings(
    goal: str, profile: str, p: Params, changes: dict[str, Any], grid: Sequence[str] = ()
) -> list[str]:
    """Return the Snakefile's `--config`, which stands elsewhere than the user.

    Parameters
    ----------
    goal
        The stage that is wanted.
    profile
        As the user names it.
    p
        What is read from it, with the changes.
    changes
        Parameters that differ from the profile.
    grid
        What is swept, as `sweep.grid_of` reads it.
    """
    file = Path(profile)
    is_file = file.suffix in (".yaml", ".yml")
    config = {"profile": str(file.absolute()) if is_file else profile, "only": goal}
    config |= {key: values.written(value) for key, value in changes.items()}
    if p.dataset.startswith("folder:"):
        config["dataset"] = values.written(p.dataset)
    if grid:
        config["grid"] = json.dumps(list(grid))
    return ["--config", *(f"{key}={value}" for key, value in config.items())]


def command(config: Sequence[str], cores: int, cluster: Path | None, *more: str) -> list[str]:
    """Return the command line of Snakemake.

    Parameters
    ----------
    config
        Of `settings`.
    cores
        Jobs at a time on this machine.
    cluster
        A workflow profile, such as params/slurm, whose executor runs the jobs instead.
    *more
        Other words for it.
    """
    where = ["--workflow-profile", str(cluster)] if cluster else ["--cores", str(cores)]
    return [
        *(sys.executable, "-m", "snakemake", "-s", str(paths.ROOT / "Snakefile")),
        *("--directory", str(paths.ROOT), *where),
        *("--rerun-triggers", "mtime", "--quiet", "rules", *more),
        *config,
    ]


def environment() -> dict[str, str]:
    """Return this process's environment, in which `python` is this process's Python."""
    here = str(Path(sys.executable).parent)
    places = os.environ.get("PATH", "").split(os.pathsep)
    if places[0] == here:  # forked kernels must find the environment that they were loaded in
        return dict(os.environ)
    return {**os.environ, "PATH": os.pathsep.join([here, *places])}


def run(words: Sequence[str], jobs: dict[str, Seen], title: str) -> int:
    """Run Snakemake and return its exit status; at the end, say what failed, once each.

    Parameters
    ----------
    words
        Its command line (`command`).
    jobs
        What it makes (`jobs.needed`).
    title
        Stands above the table.
    """
    with table.shown(table.StageTable(jobs, title)) as terminal:
        if terminal is None:
            code = subprocess.run(words, env=environment()).returncode
        else:
            code = _printed_above(words, terminal)
    for job in jobs.values():
        if job.state == FAILED:
            print(f"{job.stage}/{job.folder.name}: {job.word['failed']}", file=sys.stderr)
    return code


def _printed_above(words: Sequence[str], terminal: table.Console) -> int:
    """Run a command, and print what it says above the table, but for the folders that jobs name."""
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
    text = {"text": True, "errors": "replace"}
    with subprocess.Popen(words, env=environment(), **text, **pipes) as process:
        for line in process.stdout or ():
            if not line.startswith(str(paths.runs())):
                terminal.print(Text(line.rstrip()), soft_wrap=True)
    return process.returncode
