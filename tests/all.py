"""Everything that `make test` proves.

The library's tests, then every notebook at its own size against its stored outputs.

The study runs at the notebooks' size (profile demo) into a fresh folder; with what it has made,
each notebook runs again and is compared. All kernels are forked from one process, where that can
be done.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from inbol_lib.study.kernels import serving

ROOT = Path(__file__).resolve().parent.parent
QUIET = {
    "CI": "1",
    "HF_DATASETS_DISABLE_PROGRESS_BARS": "1",
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "TOKENIZERS_PARALLELISM": "false",
}
#: A file's tests stay together, because they share what is made once for the file.
UNIT = [
    *("pytest", "-q", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"),
    *("--durations=8", "tests"),
    "--ignore=tests/browser",  # `make test-browser` runs it: it needs a Chromium
]
DEMO = [
    *("snakemake", "--cores", "3", "--rerun-triggers", "mtime", "--quiet", "all"),
    *("--config", "profile=demo"),
]
NBVAL = [
    "--nbval-lax",
    "--nbval-cell-timeout=600",
    "--nbval-kernel-startup-timeout=300",
    *("-p", "no:cacheprovider"),
    *("--nbval-sanitize-with", "tests/nbval.cfg"),
]
#: what the notebooks' size makes; `make test-browser` goes on with it
RUNS = ROOT / "build" / "demo-runs"
#: numbers of the notebooks that take as long as all others
HALF = ("01", "02", "03", "06", "07")


def done(module: str, *arguments: str) -> int:
    """Run a Python module in the project's folder, and return its exit status."""
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT).returncode


def halves() -> tuple[list[str], list[str]]:
    """Return the notebooks in two halves, which run at once."""
    books = sorted(str(book) for book in (ROOT / "notebooks").glob("*.ipynb"))
    one = [book for book in books if Path(book).name.startswith(HALF)]
    return one, [book for book in books if book not in one]


def compared(books: Sequence[str]) -> int:
    """Run notebooks on a copy of the artefacts, so that no other writes what they read.

    Returns pytest's exit status, once it has printed what pytest said.
    """
    command = [sys.executable, "-m", "pytest", "-q", *NBVAL, *books]
    with tempfile.TemporaryDirectory() as copy:
        shutil.copytree(RUNS, copy, dirs_exist_ok=True)
        env = {**os.environ, "INBOL_RUNS": copy}
        told = subprocess.run(command, cwd=ROOT, env=env, stdout=subprocess.PIPE, text=True)
    print(told.stdout, flush=True)
    return told.returncode


def main() -> int:
    """Prove everything; returns 0 if nothing failed."""
    os.environ.update(QUIET)
    with tempfile.TemporaryDirectory() as runs, serving():
        os.environ["INBOL_RUNS"] = runs
        unit = done(*UNIT)
    shutil.rmtree(RUNS, ignore_errors=True)
    os.environ["INBOL_RUNS"] = str(RUNS)
    with serving():
        demo = done(*DEMO)
        with ThreadPoolExecutor() as two:
            books = max(two.map(compared, halves()))
    return max(unit, demo, books)


if __name__ == "__main__":
    sys.exit(main())
