"""Plant faults one at a time in a copy of the project, and see which tests go red, and how fast.

    python tests/faults.py                 # all of them
    python tests/faults.py circular EOS    # those with one of these words in their name

The table in tests/README.md gets their rows.

The libraries are loaded once; each fault gets a process that is forked from there. A fault that no
test sees is a survivor: write the test that sees it.
"""

import importlib
import json
import os
import re
import shutil
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

import planted
import pytest
from planted import Fault

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "tests" / "README.md"
#: what a copy does without
LEFT_OUT = (".git", ".venv", "runs", ".snakemake", "__pycache__", ".pytest_cache", "*.egg-info")
LIBRARIES = (
    "transformers",
    "datasets",
    "trl",
    "peft",
    "sklearn.neural_network",
    "matplotlib.pyplot",
)
QUIET = {
    "CI": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",  # read when `datasets` is imported, before any fork
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONDONTWRITEBYTECODE": "1",
}
HEAD = "| fault | where | goes red | s |\n|---|---|---|--:|\n"
START, END = "<!-- faults -->", "<!-- end -->"


class Seen(NamedTuple):
    """What the tests made of a fault."""

    fault: Fault
    red: list[str]  # tests that failed; ["(import)"] where nothing could be loaded
    seconds: float
    status: int  # pytest's


class Reds:
    """Keeps the names of the tests that fail."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Note a test that failed, in whichever of its parts."""
        if report.failed:
            self.names.append(report.nodeid)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        """Note a file that could not be loaded."""
        if report.failed:
            self.names.append(f"{report.nodeid} (import)")


def copied(target: Path) -> Path:
    """Copy the project without what it makes, and return the copy."""
    return Path(shutil.copytree(ROOT, target, ignore=shutil.ignore_patterns(*LEFT_OUT)))


def tested(root: Path, arguments: Sequence[str], answer: Path) -> None:
    """Run tests in a copy, in this process, and write down what failed; never returns."""
    status, reds = 70, Reds()
    try:
        os.chdir(root)
        sys.path[:] = [str(root / "tests"), str(root), *sys.path]
        os.environ["PYTHONPATH"] = str(root)
        with open(os.devnull, "w") as nowhere:
            os.dup2(nowhere.fileno(), 1)
            os.dup2(nowhere.fileno(), 2)
        options = ["-x", "-q", "-p", "no:cacheprovider", "--rootdir", str(root)]
        status = int(pytest.main([*options, *arguments], plugins=[reds]))
    finally:
        answer.write_text(json.dumps({"status": status, "red": reds.names}))
        os._exit(0)


def run(root: Path, arguments: Sequence[str]) -> tuple[list[str], float, int]:
    """Run tests in a forked process; return what failed, the seconds, and pytest's status."""
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder:
        answer = Path(folder, "answer.json")
        pid = os.fork()
        if pid == 0:
            tested(root, arguments, answer)
        os.waitpid(pid, 0)
        said = json.loads(answer.read_text())
    return said["red"], time.monotonic() - begun, said["status"]


def see(root: Path, fault: Fault) -> Seen:
    """Plant a fault in a copy, run its tests, and take it out again."""
    before = fault.plant(root)
    try:
        return Seen(fault, *run(root, fault.tests.split()))
    finally:
        (root / fault.file).write_text(before)


def chosen(words: Sequence[str]) -> list[Fault]:
    """Return the faults with one of these words in their name; all without words."""
    return [f for f in planted.FAULTS if not words or any(word in f.name for word in words)]


def row_of(seen: Seen) -> str:
    """Return a fault's line of the table."""
    red = re.sub(r"^tests/|\[.*", "", seen.red[0]) if seen.red else "**nothing**"
    where = seen.fault.file.removeprefix("inbol_lib/")
    return f"| {seen.fault.name} | {where} | {red.replace('::', ' ')} | {seen.seconds:.0f} |\n"


def written(text: str, found: Sequence[Seen]) -> str:
    """Return the README of the tests with these rows in its table; other faults keep theirs."""
    before, _, rest = text.partition(START)
    old, _, after = rest.partition(END)
    rows = {line.split(" | ")[0].removeprefix("| "): line + "\n" for line in old.splitlines()}
    rows |= {seen.fault.name: row_of(seen) for seen in found}
    kept = "".join(rows[fault.name] for fault in planted.FAULTS if fault.name in rows)
    return f"{before}{START}\n\n{HEAD}{kept}\n{END}{after}"


def load_libraries() -> None:
    """Load what the tests import, but nothing of the project, and without starting a thread."""
    os.environ.update(QUIET)
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    sys.dont_write_bytecode = True
    for name in LIBRARIES:
        importlib.import_module(name)


def main(words: Sequence[str] = ()) -> int:
    """See every fault; returns the number of survivors, and of tests that could not run."""
    load_libraries()
    with tempfile.TemporaryDirectory() as folder:
        root = copied(Path(folder, "project"))
        faults = chosen(words)
        tests = sorted({test for fault in faults for test in fault.tests.split()})
        red, seconds, status = run(root, tests)
        if status:
            print(f"without any fault, {red or 'nothing'} fails (status {status})")
            return 1
        print(f"without any fault, all is green ({seconds:.0f} s)", flush=True)
        found = []
        for fault in faults:
            found.append(see(root, fault))
            print(row_of(found[-1]), end="", flush=True)
    README.write_text(written(README.read_text(), found))
    survivors = [seen for seen in found if seen.status != 1 and not seen.red]
    print(f"{len(found)} faults, {len(survivors)} survivors")
    return len(survivors)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
