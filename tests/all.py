"""Everything that `make test` proves.

The library's tests, then every notebook at smoke size against its stored outputs.

Notebooks run in their order in one folder of fresh artefacts, so each finds what it needs and
nothing older.
"""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
NBVAL = [
    "--nbval-lax",
    "--nbval-cell-timeout=600",
    "--nbval-kernel-startup-timeout=300",
    "-p",
    "no:cacheprovider",
    "--nbval-sanitize-with",
    "tests/nbval.cfg",
]


def main() -> int:
    python = [sys.executable, "-m", "pytest", "-q"]
    with tempfile.TemporaryDirectory() as runs:
        env = {**os.environ, "CI": "1", "HF_HUB_OFFLINE": "1", "INBOL_RUNS": runs}
        unit = subprocess.run(
            [*python, "-n", "2", "--durations=8", "tests"], cwd=ROOT, env=env
        ).returncode
        smoke = subprocess.run(
            [
                sys.executable,
                "-m",
                "snakemake",
                "--cores",
                "2",
                "--rerun-triggers",
                "mtime",
                "--quiet",
                "all",
                "--config",
                "profile=smoke",
            ],
            cwd=ROOT,
            env=env,
        ).returncode
        notebooks = sorted(str(f.relative_to(ROOT)) for f in (ROOT / "notebooks").glob("*.ipynb"))
        books = subprocess.run(
            [*python, "-n", "2", "--dist", "loadscope", *NBVAL, *notebooks], cwd=ROOT, env=env
        ).returncode
    return max(unit, smoke, books)


if __name__ == "__main__":
    sys.exit(main())
