"""Kill stages at random moments, start them again, and compare with a run that nobody disturbed.

    python tests/kills.py              # the nightly size: 60 kills
    python tests/kills.py 6 ca_dpo     # so many kills, of these stages

A kill is a SIGKILL to the process group of `inbol run`. After each one, nothing of it may live on;
the stage is started again, and killed again, until it has been killed three times, or has ended.
Then its artefact must be that of the undisturbed run: the same numbers, tables and weights. Of
every third stage two runs begin at once, and one of them is killed. Last comes the Snakefile,
with all stages up to the composition.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import psutil
import pyarrow.parquet as pq
from filelock import FileLock

from inbol_lib import params, paths
from inbol_lib.params import Params
from inbol_lib.study import graph as jobs
from inbol_lib.study.kernels import serving

#: smaller than smoke: what counts is the number of moments, not the numbers
SMALL = {
    **{"train_questions": 40, "validation_questions": 12, "test_questions": 16, "ood_questions": 4},
    **{"num_unanswerable": 16, "test_unanswerable": 4, "test_per_source": 6},
    **{"validation_per_source": 4, "num_instructions": 48, "num_pairs": 48, "batch_size": 4},
    **{"methods": ["original", "idk_it", "ca_dpo"]},
}
#: sampling and judging, generation, writing, both trainings, evaluation
STAGES = ("confidence", "unanswerable", "composition", "idk_it", "ca_dpo", "evaluation")
#: What a run says of itself rather than of its result.
OF_THE_RUN = ("notebook.ipynb", ".lock", "made_by.json", "report.html")
MARK = "INBOL_RUNS"
QUIET = {
    "CI": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
KILLS_IN_A_ROW = 3
PATIENCE = 30  # seconds that a killed run's processes may take to end


def command(stage: str) -> list[str]:
    """Return the command that runs a stage at this size."""
    words = [sys.executable, "-m", "inbol_lib.run", stage, "-f", "smoke"]
    for change in changes():
        words += ["-p", change]
    return words


def changes() -> list[str]:
    """Return what differs from smoke, as `key=value`."""
    return [f"{key}={value}".replace("'", "") for key, value in SMALL.items()]


def begun(words: Sequence[str | Path], runs: Path) -> subprocess.Popen:
    """Begin a command in a process group of its own."""
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env = {**os.environ, **QUIET, "PATH": path, MARK: str(runs)}
    pipes = {"stdout": subprocess.DEVNULL, "stderr": subprocess.PIPE, "text": True}
    return subprocess.Popen(words, env=env, start_new_session=True, **pipes)


def started(stage: str, runs: Path) -> subprocess.Popen:
    """Start a stage."""
    return begun(command(stage), runs)


def snakemake(goal: str, runs: Path, work: Path) -> subprocess.Popen:
    """Start the Snakefile up to a stage, in a folder of its own."""
    for name in ("notebooks", "inbol_lib"):
        if not (work / name).exists():
            (work / name).symlink_to(paths.ROOT / name)
    words = [sys.executable, "-m", "snakemake", "-s", paths.ROOT / "Snakefile", "--cores", "1"]
    words += ["--directory", work, "--rerun-triggers", "mtime", "--quiet", "rules", "--config"]
    return begun([*words, "profile=smoke", f"only={goal}", *changes()], runs)


def finished(process: subprocess.Popen) -> None:
    """Wait for a run that must succeed."""
    _, said = process.communicate()
    assert process.returncode == 0, said


def killed(process: subprocess.Popen, seconds: float) -> bool:
    """Kill a run's group after so many seconds; return whether it still ran."""
    try:
        process.wait(seconds)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return True
    finished(process)
    return False


def living(runs: Path) -> list[psutil.Process]:
    """Return the processes that work in a folder of artefacts."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get(MARK) == str(runs) and process.pid != os.getpid():
                found.append(process)
        except (psutil.Error, OSError):
            continue
    return [process for process in found if process.status() != psutil.STATUS_ZOMBIE]


def check_nothing_lives(runs: Path) -> None:
    """Check that a killed run has taken its kernel with it, and that no lock is held."""
    end = time.monotonic() + PATIENCE
    while left := living(runs):
        assert time.monotonic() < end, f"still alive: {[process.cmdline() for process in left]}"
        time.sleep(0.1)
    for lock in runs.rglob(".lock"):
        with FileLock(lock, timeout=0):
            pass


def check_equal(one: Path, other: Path) -> None:
    """Check that two complete artefacts hold the same, and nothing unfinished."""
    files = [sorted(contents(folder)) for folder in (one, other)]
    assert files[0] == files[1], f"other files: {set(files[0]) ^ set(files[1])}"
    for name in files[0]:
        if name.endswith(".parquet"):
            same = pq.read_table(one / name).equals(pq.read_table(other / name))
        else:
            same = (one / name).read_bytes() == (other / name).read_bytes()
        assert same, f"{one.name}: another {name} after a kill"


def contents(folder: Path) -> list[str]:
    """Return the names of an artefact's files that do not depend on when it was made."""
    names = [str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()]
    return [name for name in names if Path(name).name not in OF_THE_RUN]


class Disturbance:
    """Disturbs stages of a study that lies complete in `whole`."""

    def __init__(self, whole: Path, seed: int) -> None:
        self.whole, self.chance = whole, random.Random(seed)
        self.p: Params = params.load("smoke", **SMALL)
        self.seconds: dict[str, float] = {}
        self.kills = 0

    def folder(self, stage: str, runs: Path) -> Path:
        """Return where a stage's artefact lies under `runs`."""
        name = jobs.path(stage, self.p)
        return runs / name.parent.name / name.name

    def make(self, stages: Sequence[str]) -> None:
        """Make what is needed, undisturbed, and note how long each stage takes."""
        for stage in STAGES[: 1 + max(map(STAGES.index, stages))]:
            finished(started(stage, self.whole))
            start = time.monotonic()
            finished(started(stage, self.whole))  # once more, alone, now that all else is there
            self.seconds[stage] = time.monotonic() - start

    def round(self, stage: str, runs: Path, most: int, two: bool) -> int:
        """Disturb a stage until it is complete; return the number of kills."""
        shutil.copytree(self.whole, runs)
        shutil.rmtree(self.folder(stage, runs))
        done = 0
        while done < min(most, KILLS_IN_A_ROW):
            other = started(stage, runs) if two else None
            moment = self.chance.uniform(0.05, 1.1) * self.seconds[stage]
            hit = killed(started(stage, runs), moment)
            done += hit
            if other:
                finished(other)
            check_nothing_lives(runs)
            self.check_half(stage, runs)
            if not hit or other:
                break
        finished(started(stage, runs))
        check_nothing_lives(runs)
        check_equal(self.folder(stage, runs), self.folder(stage, self.whole))
        return done

    def graph(self, goal: str, place: Path, kills: int) -> int:
        """Kill the whole Snakefile until it is complete; return the number of kills."""
        runs, work = place / "runs", place / "work"
        work.mkdir(parents=True)
        stages = STAGES[: 1 + STAGES.index(goal)]
        longest = 10 + sum(self.seconds[stage] for stage in stages)
        done = 0
        while done < kills:
            hit = killed(snakemake(goal, runs, work), self.chance.uniform(1, longest))
            done += hit
            check_nothing_lives(runs)
            if not hit:
                break
        finished(snakemake(goal, runs, work))
        check_nothing_lives(runs)
        for stage in stages:
            check_equal(self.folder(stage, runs), self.folder(stage, self.whole))
        return done

    def check_half(self, stage: str, runs: Path) -> None:
        """Check that what calls itself complete is so."""
        folder = self.folder(stage, runs)
        if (folder / "metrics.json").is_file():
            kept = folder / "partial"
            shutil.rmtree(kept, ignore_errors=True)  # the next run would remove it
            named = [name for name in contents(folder) if not Path(name).name.startswith(".")]
            for name in named:
                same = (self.folder(stage, self.whole) / name).is_file()
                assert same, f"{name} in a complete {folder.name}"

    def disturb(self, stages: Sequence[str], kills: int, place: Path) -> None:
        """Kill so many times, stage after stage."""
        number = 0
        while self.kills < kills:
            stage = stages[number % len(stages)]
            runs = place / f"round{number}"
            made = self.round(stage, runs, kills - self.kills, two=number % 3 == 2)
            self.kills += made
            number += 1
            shutil.rmtree(runs)
            print(f"{self.kills:>3} kills; {stage}: {made}, and the same artefact", flush=True)


def main(kills: str = "60", *stages: str, seed: int = 0) -> int:
    """Kill, start again and compare; returns 0 if all artefacts are those of undisturbed runs."""
    with tempfile.TemporaryDirectory() as folder, serving():
        place = Path(folder).resolve()
        study = Disturbance(place / "whole", seed)
        study.make(stages or STAGES)
        took = ", ".join(f"{stage} {seconds:.0f} s" for stage, seconds in study.seconds.items())
        print(f"undisturbed: {took}", flush=True)
        study.disturb(stages or STAGES, int(kills), place)
        if not stages:
            hit = study.graph("composition", place / "study", int(kills) // 10)
            print(f"the Snakefile: {hit} kills, and the same artefacts")
    return 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
