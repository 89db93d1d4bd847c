"""Run stages, and keep what they make: every notebook opens its stage here and saves it here."""

import json
import logging
import os
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock

from inbol_lib import paths
from inbol_lib.data.files import remove, sweep, whole
from inbol_lib.errors import DryRun, EndpointError
from inbol_lib.mllm import pinning
from inbol_lib.params import Params
from inbol_lib.study import graph
from inbol_lib.study.graph import NOTEBOOKS, check_endpoint, complete, dependencies, path


def ensure(stage: str, p: Params) -> Path:
    """Return the folder of a complete artefact.

    If it is missing, its notebook runs first, and so do those that the notebook needs.
    """
    folder = path(stage, p)
    if complete(stage, p):
        _tidy(folder)
        return folder
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / ".lock"):
        if not complete(stage, p):  # another process may have made it meanwhile
            print(f"making {stage}/{folder.name} first ({NOTEBOOKS[stage]})", file=sys.stderr)
            execute(stage, p)
    return folder


@dataclass
class Stage:
    """A stage at work inside its notebook.

    Attributes
    ----------
    name
        The stage, as `graph.NOTEBOOKS` names it.
    p
        Its parameters.
    folder
        The artefact's folder.
    partial
        The folder that keeps progress until the stage is saved.
    """

    name: str
    p: Params
    folder: Path
    partial: Path

    @property
    def cache(self) -> Path:
        """The folder in which trainings share the reference's log-probabilities.

        They can share them if they start from the same adapter and train on the same rows.
        """
        return paths.runs() / "reference"

    def upstream(self, name: str) -> Path:
        """Return the folder of the complete artefact of stage `name` that this stage reads.

        Where it reads several of that stage, the first is returned.

        Raises
        ------
        ValueError
            If this stage does not read any artefact of `name`.
        """
        for stage, p in dependencies(self.name, self.p):
            if stage == name:
                return ensure(stage, p)
        read = sorted({stage for stage, _ in dependencies(self.name, self.p)})
        raise ValueError(f"{self.name} reads no {name!r}; it reads {read}")

    def save(self, metrics: dict[str, Any]) -> Path:
        """Write `metrics.json`, last of all: from now on the artefact is complete.

        Parameters
        ----------
        metrics
            The stage's numbers, without timings, which would differ between identical runs. The
            commits of the models and data sets that were loaded are added to them.

        Returns
        -------
        Path
            The file that was written.
        """
        metrics = metrics | pinning.loaded(self.p.dataset, [*self.p.sources, *self.p.ood_sources])
        (self.folder / "params.json").write_text(self.p.model_dump_json(indent=1))
        target = self.folder / "metrics.json"
        with whole(target) as unfinished:
            unfinished.write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n")
        shutil.rmtree(self.partial, ignore_errors=True)
        _tidy(self.folder)
        return target


def _tidy(folder: Path) -> None:
    """Remove what killed processes have left in a complete artefact.

    What is younger than the artefact may be at work still: its notebook, run once more by hand.
    """
    completed = (folder / "metrics.json").stat().st_mtime
    sweep(folder, completed)
    remove(folder / "partial", completed)


def open(name: str, p: Params) -> Stage:  # noqa: A001
    """Begin a stage in its notebook.

    Makes the stage's folders, hides the progress bars of loading and saving, and limits PyTorch to
    INBOL_THREADS threads (default: 1).

    Raises
    ------
    ParameterError
        If the stage needs weights, but the model is an endpoint.
    """
    import torch  # here, because the graph must load fast without it

    check_endpoint(name, p)
    torch.set_num_threads(int(os.environ.get("INBOL_THREADS", "1")))
    _hide_bars()
    folder = path(name, p)
    partial = folder / "partial"
    partial.mkdir(parents=True, exist_ok=True)
    return Stage(name, p, folder, partial)


def _hide_bars() -> None:
    """Hide the bars of loading and saving; downloads keep theirs."""
    import datasets  # here, because the graph must load fast without them
    from transformers.utils import logging as transformers_logging

    def hidden(bar: Any, args: tuple, options: dict[str, Any]) -> Any:
        return bar(*args, **{**options, "disable": True})

    datasets.disable_progress_bars()
    transformers_logging.set_tqdm_hook(hidden)


def execute(stage: str, p: Params) -> Path:
    """Run the stage's notebook with `p`.

    Returns
    -------
    Path
        The artefact's folder. The executed notebook lies in it, with the traceback if it failed.

    Raises
    ------
    EndpointError
        If an endpoint stopped the notebook.
    papermill.exceptions.PapermillExecutionError
        If a cell failed for any other reason.
    """
    from papermill.exceptions import PapermillExecutionError  # here, because it loads slowly

    folder = graph.path(stage, p)
    folder.mkdir(parents=True, exist_ok=True)
    try:
        _run_notebook(paths.NOTEBOOKS / f"{NOTEBOOKS[stage]}.ipynb", folder / "notebook.ipynb", p)
    except PapermillExecutionError as error:
        for kind in (EndpointError, DryRun):
            if error.ename == kind.__name__:
                raise kind(error.evalue) from None
        raise
    return folder


def _run_notebook(book: Path, executed: Path, p: Params) -> None:
    """Run a notebook with papermill, which writes the executed copy as it goes on."""
    import papermill  # here, because both load slowly
    from traitlets.config import Config

    from inbol_lib.study.kernels import AsyncForkingManager  # here, because Jupyter loads slowly

    logging.getLogger("papermill").setLevel(logging.ERROR)
    # The kernel talks over files: two that start together may choose the same port.
    with tempfile.TemporaryDirectory() as sockets:
        over_files = Config(
            KernelManager={"transport": "ipc", "ip": f"{sockets}/kernel"},
            NotebookClient={"kernel_manager_class": AsyncForkingManager},
        )
        papermill.execute_notebook(
            str(book),
            str(executed),
            parameters=p.model_dump(),
            progress_bar=False,
            cwd=str(paths.NOTEBOOKS),
            kernel_name="python3",
            config=over_files,
            # else the interrupt that ends an idle kernel is logged as if something had failed
            extra_arguments=["--log-level=CRITICAL"],
        )


def adapter_of(p: Params, method: str) -> Path | None:
    """Return the trained adapter of a method, or None for a prompted one.

    If it is missing, its training runs first.
    """
    if method in graph.PROMPTED:
        return None
    return ensure(*graph.trained(p, method)) / "adapter"


def adapters(p: Params) -> dict[str, Path | None]:
    """Return method -> adapter for all of `p.methods`, as `adapter_of` does."""
    return {method: adapter_of(p, method) for method in p.methods}
