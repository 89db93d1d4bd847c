"""What `make test-browser` proves: the site and JupyterLab in a real Chromium.

The study runs at the notebooks' size into build/demo-runs/ first, so that they find their
artefacts; after `make test` that takes seconds. Pictures of what was seen are left in
build/screenshots/.
"""

import importlib.util
import os
import subprocess
import sys

import browsers
from all import DEMO, QUIET, RUNS, done

from inbol_lib.study.kernels import serving

#: Each in a process of its own, because one process drives one browser.
FOLDERS = ("tests/browser", "tests/explore/test_in_a_browser.py")


def missing() -> str | None:
    """Return what keeps the tests from running, and how to get it; None if nothing does."""
    if not browsers.CHROMIUM:
        return "there is no Chromium here (Debian: apt-get install chromium)"
    for package in ("playwright", "axe_playwright_python", "sphinx"):
        if importlib.util.find_spec(package) is None:
            return f"{package} is not installed (make test-browser installs it)"
    told = subprocess.run(
        [browsers.CHROMIUM, "--version"], capture_output=True, text=True, timeout=60
    )
    return f"Chromium does not start: {told.stderr}" if told.returncode else None


def main() -> int:
    """Run the tests; returns 0 if nothing failed, also where they had to be left out."""
    if reason := missing():
        line = "=" * 78
        print(
            f"{line}\nSKIPPED, NOTHING WAS TESTED IN A BROWSER: {reason}\n{line}", file=sys.stderr
        )
        return 0
    os.environ.update(QUIET, INBOL_RUNS=str(RUNS))
    with serving():
        status = done(*DEMO)
    del os.environ["INBOL_RUNS"]
    for folder in FOLDERS:
        status = max(status, done("pytest", "-q", "-rs", folder))
    return status


if __name__ == "__main__":
    sys.exit(main())
