"""Everything that `make test` proves.

The library's tests, then every notebook at smoke size against its stored outputs.

Notebooks run in their order in one folder of fresh artefacts, so each finds what it needs and
nothing older. All their kernels are forked from one process, where that can be done.
"""

import os
import subprocess
import sys
import tempfile
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
PYTEST = ["pytest", "-q", "-n", "2"]
SMOKE = [
    *("snakemake", "--cores", "3", "--rerun-triggers", "mtime", "--quiet", "all"),
    *("--config", "profile=smoke"),
]
NBVAL = [
    "--nbval-lax",
    "--nbval-cell-timeout=600",
    "--nbval-kernel-startup-timeout=300",
    *("-p", "no:cacheprovider"),
    *("--nbval-sanitize-with", "tests/nbval.cfg"),
]


def done(module: str, *arguments: str) -> int:
    """Run a Python module in the project's folder, and return its exit status."""
    return subprocess.run([sys.executable, "-m", module, *arguments], cwd=ROOT).returncode


def main() -> int:
    """Prove everything; returns 0 if nothing failed."""
    notebooks = sorted(str(f.relative_to(ROOT)) for f in (ROOT / "notebooks").glob("*.ipynb"))
    os.environ.update(QUIET)
    with tempfile.TemporaryDirectory() as runs, serving():
        unit = done(*PYTEST, "--dist", "worksteal", "--durations=8", "tests")
        os.environ["INBOL_RUNS"] = runs
        smoke = done(*SMOKE)
        books = done(*PYTEST, "--dist", "loadscope", *NBVAL, *notebooks)
    return max(unit, smoke, books)


if __name__ == "__main__":
    sys.exit(main())
