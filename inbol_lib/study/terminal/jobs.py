"""How far each job of a run is, read from the artefacts' folders.

Whoever makes an artefact leaves word in its folder, so a table of a run needs to know nothing about
the processes: they may be kernels of this one, jobs of Snakemake, or on a cluster.
"""

import json
import math
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from inbol_lib import paths, progress
from inbol_lib.study import graph

WAITING, RUNNING, DONE, REUSED, FAILED = "waiting", "running", "done", "reused", "failed"


def minutes(artefact: Path) -> float:
    """Return how long papermill took for an artefact, NaN where that is not known."""
    try:
        book = json.loads((artefact / "notebook.ipynb").read_text())
        return book["metadata"]["papermill"]["duration"] / 60
    except (OSError, ValueError, KeyError, TypeError):  # absent, at work, or stopped half-way
        return math.nan


@dataclass
class Seen:
    """A job of a run as its folder shows it.

    Attributes
    ----------
    stage
        Its stage.
    folder
        The artefact's folder.
    old
        When it was completed, and when its making was last spoken of, before the run began (seconds
        since 1970); 0 for never.
    """

    stage: str
    folder: Path
    old: tuple[float, float] = field(init=False)
    _minutes: float = field(init=False, default=math.nan)

    def __post_init__(self):
        """Remember what an earlier run has left."""
        self.old = self._times()

    def _times(self) -> tuple[float, float]:
        return _changed(self.folder / "metrics.json"), _changed(self.folder / progress.PROGRESS)

    @property
    def state(self) -> str:
        """One of `WAITING`, `RUNNING`, `DONE`, `REUSED` and `FAILED`."""
        completed, spoken = self._times()
        if spoken not in (0, self.old[1]):
            return FAILED if "failed" in self.word else RUNNING
        if completed:
            return REUSED if completed == self.old[0] else DONE
        return WAITING

    @property
    def word(self) -> dict[str, Any]:
        """What its making last said of itself (`progress.Bar`)."""
        return progress.word_of(self.folder)

    @property
    def minutes(self) -> float:
        """How long it took, NaN while that is not known."""
        if math.isnan(self._minutes) and self.state in (DONE, REUSED):
            self._minutes = minutes(self.folder)
        return self._minutes


def _changed(file: Path) -> float:
    """Return when a file was last written, 0 if there is none."""
    try:
        return file.stat().st_mtime
    except OSError:
        return 0.0


def needed(stages: Iterable[graph.Job]) -> dict[str, Seen]:
    """Return the jobs of a run, by the artefact's name, in an order in which they can run.

    Parameters
    ----------
    stages
        What is wanted. Left out are artefacts that are missing and that nothing missing needs.
    """
    jobs: dict[str, Seen] = {}
    for wanted in stages:
        missing = {graph.path(*job) for job in [*graph.missing(*wanted), wanted]}
        for name, (stage, _) in graph.plan(*wanted).items():
            folder = paths.runs() / name  # no fingerprint is computed again
            if folder in missing or graph.finished(folder):
                jobs.setdefault(name, Seen(stage, folder))
    return jobs
