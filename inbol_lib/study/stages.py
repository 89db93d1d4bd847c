"""TODO."""

import json
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from inbol_lib import paths
from inbol_lib.errors import DryRun, EndpointError
from inbol_lib.mllm import pinning
from inbol_lib.params import Params
from inbol_lib.study import graph
from inbol_lib.study.graph import NOTEBOOKS, check_endpoint, complete, dependencies, path


def ensure(stage: str, p: Params) -> Path:
    """The folder of a complete artefact; runs its notebook first (and those it needs) when it is missing."""
    from filelock import FileLock

    folder = path(stage, p)
    if complete(stage, p):
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not complete(stage, p):  # another process may have made it meanwhile
            print(f"making {stage}/{folder.name} first ({NOTEBOOKS[stage]})", file=sys.stderr)
            execute(stage, p)
    return folder


@dataclass
class Stage:
    """A stage at work inside its notebook."""

    name: str
    p: Params
    folder: Path
    partial: Path  # where progress is kept until the stage is saved

    @property
    def cache(self) -> Path:
        """Where trainings that share rows and a start keep their reference log-probabilities."""
        return paths.runs() / "reference"

    def upstream(self, name: str) -> Path:
        """The complete artefact of the stage `name` that this one reads (the first, where it reads several)."""
        jobs = dict(reversed(dependencies(self.name, self.p)))
        if name not in jobs:
            raise ValueError(f"{self.name} reads no {name!r}; it reads {sorted(jobs)}")
        return ensure(name, jobs[name])

    def save(self, metrics: dict[str, Any]) -> Path:
        """Write `metrics.json` last of all: from now on the artefact is complete. No timings belong in it. It ends with pinning.loaded."""
        metrics = metrics | pinning.loaded(self.p.dataset, [*self.p.sources, *self.p.ood_sources])
        (self.folder / "params.json").write_text(self.p.model_dump_json(indent=1))
        unnamed = self.folder / f".metrics.{os.getpid()}"
        unnamed.write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n")
        target = unnamed.replace(self.folder / "metrics.json")
        shutil.rmtree(self.partial, ignore_errors=True)
        return target


def open(name: str, p: Params) -> Stage:  # noqa: A001
    """Begin a stage in its notebook: makes its folder, hides the bars of loading and saving, and sets the number of threads
    (INBOL_THREADS, default 1, because another number of threads may change the last digits of a result)."""
    import datasets
    import torch
    from transformers.utils import logging

    check_endpoint(name, p)
    torch.set_num_threads(int(os.environ.get("INBOL_THREADS", "1")))
    datasets.disable_progress_bars()
    logging.set_tqdm_hook(
        lambda bar, args, options: bar(*args, **{**options, "disable": True})
    )  # downloads keep theirs
    folder = path(name, p)
    (folder / "partial").mkdir(parents=True, exist_ok=True)
    return Stage(name, p, folder, folder / "partial")


def execute(stage: str, p: Params) -> Path:
    """Run the stage's notebook with `p`; the executed copy lies beside its artefact. Returns the artefact's folder.

    Raises papermill's PapermillExecutionError with the failing cell, and EndpointError where an endpoint stopped it; the executed
    copy then holds the traceback.
    """
    import papermill
    from traitlets.config import Config

    logging.getLogger("papermill").setLevel(logging.ERROR)
    folder = graph.path(stage, p)
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as sockets
    ):  # not ports: two kernels that start together can take the same one
        try:
            papermill.execute_notebook(
                str(paths.NOTEBOOKS / f"{graph.NOTEBOOKS[stage]}.ipynb"), str(folder / "notebook.ipynb"), parameters=p.model_dump(),
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


def adapter_of(p: Params, method: str) -> Path | None:
    """The trained adapter of a method (its training runs first when missing); None for the prompted ones."""
    return None if method in graph.PROMPTED else ensure(*graph.trained(p, method)) / "adapter"


def adapters(p: Params) -> dict[str, Path | None]:
    """Method -> its adapter, for all of `p.methods`; trainings that are missing run first."""
    return {method: adapter_of(p, method) for method in p.methods}
