"""Run stages, and keep what they make: every notebook opens its stage here and saves it here."""

import errno
import json
import logging
import os
import re
import shutil
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from inbol_lib import paths, progress
from inbol_lib.data.files import remove, sweep, whole
from inbol_lib.errors import KINDS, DiskFull, NotebookFailed, ParameterError, StudyError
from inbol_lib.mllm import pinning
from inbol_lib.params import Params
from inbol_lib.study import graph
from inbol_lib.study.artefacts import origins
from inbol_lib.study.graph import NOTEBOOKS, check_endpoint, complete, dependencies, path


def ensure(stage: str, p: Params, aloud: bool = True) -> Path:
    """Return the folder of a complete artefact.

    If it is missing, its notebook runs first, and so do those that the notebook needs; where it is
    `aloud`, that is said on stderr.

    Raises
    ------
    ParameterError
        If an artefact is there that this version of the library does not read (`origins.check`).
    """
    folder = path(stage, p)
    if complete(stage, p):
        origins.check(folder)
        _tidy(folder)
        return folder
    with _held(stage, folder):
        if not complete(stage, p):  # another process may have made it meanwhile
            if aloud:
                print(f"making {stage}/{folder.name} first ({NOTEBOOKS[stage]})", file=sys.stderr)
            _make(stage, p, folder)
    return folder


#: why a folder can not be written, however much room there is
_NOT_WRITABLE = (errno.EROFS, errno.EACCES, errno.EPERM, errno.ENOTDIR, errno.EEXIST)


def _not_writable(reason: str) -> ParameterError:
    return ParameterError(
        f"INBOL_RUNS: {paths.runs()} is no folder that one can write to ({reason}); give another "
        "one, or the right to write"
    )


def check_writable() -> None:
    """Check, without making it, that the folder of artefacts can be written to.

    Raises
    ------
    ParameterError
        If it can not, for another reason than a full disk.
    """
    wanted = paths.runs()
    nearest = next(place for place in (wanted, *wanted.parents) if place.exists())
    if not nearest.is_dir():
        raise _not_writable(f"{nearest}: a file")
    if not os.access(nearest, os.W_OK):
        raise _not_writable(f"{nearest}: may not be written to")


@contextmanager
def _held(stage: str, folder: Path) -> Iterator[bool]:
    """Keep other processes from making an artefact; yields whether another one did, meanwhile.

    Raises
    ------
    ParameterError
        If nobody may write there.
    """
    lock = FileLock(folder / ".lock")
    waited = False
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock.acquire(timeout=0)
    except OSError as error:
        if isinstance(error, Timeout):
            waited = True
        elif error.errno in _NOT_WRITABLE:
            raise _not_writable(f"{error.filename}: {error.strerror}") from None
        else:
            raise
    if waited:
        print(f"waiting: another process makes {stage}/{folder.name}", file=sys.stderr)
        lock.acquire()
    try:
        yield waited
    finally:
        lock.release()


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
        origins.write(self.folder, self.p)
        target = self.folder / "metrics.json"
        with whole(target) as unfinished:
            unfinished.write_text(json.dumps(metrics, indent=1, sort_keys=True) + "\n")
        shutil.rmtree(self.partial, ignore_errors=True)
        progress.report_to(None)
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
    progress.report_to(folder)
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
    """Run the stage's notebook with `p`, also where the artefact is complete already.

    Where another process is making it, its result is waited for and returned.

    Returns
    -------
    Path
        The artefact's folder. The executed notebook lies in it, with the traceback if it failed.

    Raises
    ------
    StudyError
        What a cell raised for people: ParameterError, EndpointError, DiskFull and the like.
    NotebookFailed
        If a cell failed for any other reason.
    """
    folder = path(stage, p)
    with _held(stage, folder) as waited:
        if not (waited and complete(stage, p)):
            _make(stage, p, folder)
    return folder


def _make(stage: str, p: Params, folder: Path) -> None:
    """Run a stage's notebook, while no other process does; meanwhile its artefact is incomplete."""
    from papermill.exceptions import PapermillExecutionError  # here, because it loads slowly

    if complete(stage, p) and not os.environ.get("INBOL_DRY_RUN"):
        _tidy(folder)
        (folder / "metrics.json").unlink()  # a kill may not leave old and new files as a whole
    book = paths.NOTEBOOKS / f"{NOTEBOOKS[stage]}.ipynb"
    (folder / progress.NOTICES).unlink(missing_ok=True)  # of an earlier run
    with full_disk_named(folder), _spoken_of(folder):
        try:
            _run_notebook(book, folder / "notebook.ipynb", p)
        except PapermillExecutionError as error:
            if error.ename in KINDS:
                raise KINDS[error.ename](error.evalue) from None
            if no_room(error):
                raise
            raise NotebookFailed(_what_failed(stage, folder, error)) from None
        finally:
            _pass_on(stage, folder)


@contextmanager
def _spoken_of(folder: Path) -> Iterator[None]:
    """Leave word in an artefact's folder that it is being made and, should that fail, why."""
    if os.environ.get("INBOL_DRY_RUN"):
        yield
        return
    progress.leave(folder, {"prefix": "starting"})
    try:
        yield
    except Exception as error:
        progress.leave(folder, {"failed": str(error)})
        raise


def _pass_on(stage: str, folder: Path) -> None:
    """Say on this process's stderr what a stage has said in its kernel."""
    for notice in progress.notices(folder):
        mark = "WARNING: " if notice.loud else ""
        print(f"{NOTEBOOKS[stage][:2]}  {mark}{notice.text}", file=sys.stderr)


def _what_failed(stage: str, folder: Path, error: Any) -> str:
    """Say in a few lines what a cell raised, where, and where the whole traceback lies."""
    marked = re.compile(r"^-+> *\d+ +(.*)", re.MULTILINE)
    lines = marked.findall(_COLOURS.sub("", "\n".join(error.traceback)))
    at = f"\n  at: {lines[-1].strip()}" if lines else ""
    return (
        f"{NOTEBOOKS[stage]} failed in its cell [{error.exec_count}]: "
        f"{error.ename}: {error.evalue}{at}\n  the whole traceback: {folder / 'notebook.ipynb'}"
    )


#: What libraries say where there is no room: Python, Arrow, safetensors and PyTorch.
_NO_ROOM = re.compile("No space left on device|Disk quota exceeded|PytorchStreamWriter failed")
_COLOURS = re.compile(r"\x1b\[[0-9;]*[mK]")


def no_room(error: Exception) -> bool:
    """Tell whether an error says, in a library's words, that a disk is full."""
    return bool(_NO_ROOM.search(str(error)))


@contextmanager
def full_disk_named(folder: Path) -> Iterator[None]:
    """Say in one line where a disk is full, whatever a library or a notebook says of it.

    Parameters
    ----------
    folder : Path
        What is being written.

    Raises
    ------
    DiskFull
        In place of an error that says so.
    """
    try:
        yield
    except StudyError:
        raise
    except Exception as error:
        if not no_room(error):
            raise
        places = (paths.runs(), Path(tempfile.gettempdir()))
        free = [f"{shutil.disk_usage(place).free / 1e6:,.0f} MB in {place}" for place in places]
        raise DiskFull(
            f"the disk is full, or your quota of it: {folder} could not be written. Free are "
            f"{' and '.join(free)}. Make room, then run the same again: it goes on where it was"
        ) from None


def _run_notebook(book: Path, executed: Path, p: Params) -> None:
    """Run a notebook with papermill, which writes the executed copy as it goes on."""
    import papermill  # here, because both load slowly
    from traitlets.config import Config

    from inbol_lib.study.kernels import AsyncForkingManager, sockets  # here: Jupyter loads slowly

    logging.getLogger("papermill").setLevel(logging.ERROR)
    # The kernel talks over files: two that start together may choose the same port.
    with sockets.folder() as folder:
        connection = {"ip": f"{folder}/kernel", "connection_file": f"{folder}/kernel.json"}
        over_files = Config(
            KernelManager={"transport": "ipc", **connection},
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
