"""What makes a forked copy the kernel that was asked for: when it can not be, and what it changes.

Libraries read the environment while they are imported, and some keep what they read or draw then.
"""

import os
import random
import sys
import tempfile
import time
from pathlib import Path

import inbol_lib
from inbol_lib.study.kernels.messages import LAUNCHER, Request

LIBRARY = Path(inbol_lib.__file__).parent
#: Variables that begin so are read when they are needed, or by shells alone.
READ_LATE = (
    "COLUMNS",
    "JE_ARROW_MALLOC_CONF",
    "INBOL_",
    "JPY_",
    "LINES",
    "OLDPWD",
    "OPENAI_API_KEY",
    "OPENAI_BASE_URL",
    "PWD",
    "PYTEST_",
    "SHLVL",
    "TEMP",
    "TMP",
    "_",
)
#: Unset, these numbers of threads are OMP_NUM_THREADS; Snakemake sets them to the same number.
LIKE_OMP = (
    "GOTO_NUM_THREADS",
    "MKL_NUM_THREADS",
    "NUMEXPR_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "VECLIB_MAXIMUM_THREADS",
)


def settings(environment: dict[str, str]) -> dict[str, str]:
    """Return the variables that may matter while libraries are imported."""
    matter = {k: value for k, value in environment.items() if not k.startswith(READ_LATE)}
    if threads := matter.get("OMP_NUM_THREADS"):
        matter = dict.fromkeys(LIKE_OMP, threads) | matter
    return matter


def code() -> dict[str, tuple[int, int]]:
    """Return file -> (time of its last change in ns, bytes) for the library's own code."""
    files = {path: path.stat() for path in LIBRARY.rglob("*.py")}
    return {str(path): (stat.st_mtime_ns, stat.st_size) for path, stat in files.items()}


class Loaded:
    """What the libraries of this process were loaded with.

    Made before they are loaded; `done` says that they are.

    Attributes
    ----------
    code
        The library's own code, as `code` describes it.
    before, after
        The environment before they were loaded, and with what they have added to it.
    """

    def __init__(self) -> None:
        self.code = code()
        self.before = self.after = dict(os.environ)

    def done(self) -> None:
        """Note what the libraries have added to the environment."""
        self.after = dict(os.environ)

    def why_not(self, request: Request) -> str:
        """Return why a copy of this process would not be the requested kernel, "" if it would."""
        if request.command[:3] != [sys.executable, "-m", LAUNCHER]:
            return f"its command is {' '.join(request.command[:3])}"
        if differing := self.differing(request.environment):
            return f"{', '.join(differing)} changed since the libraries were loaded"
        if self.code != code():
            return "the library's code has changed since it was loaded"
        if len(os.listdir("/proc/self/task")) > 1:
            return "a library has started a thread, which a copy would lose"
        return ""

    def differing(self, environment: dict[str, str]) -> list[str]:
        """Return the variables that are neither as they were before loading nor after it."""
        asked, before, after = map(settings, (environment, self.before, self.after))
        names = sorted(asked.keys() | before.keys())
        return [
            name for name in names if asked.get(name) not in (before.get(name), after.get(name))
        ]

    def apply(self, environment: dict[str, str]) -> None:
        """Give this copy a kernel's environment, with what the libraries would have added."""
        added = {k: value for k, value in self.after.items() if k not in self.before}
        os.environ.clear()
        os.environ.update(added | environment | {"JPY_PARENT_PID": str(os.getppid())})
        tempfile.tempdir = None  # read the environment again, as soon as it is needed
        time.tzset()


def draw_anew() -> None:
    """Give this copy random numbers of its own, as a new process has."""
    random.seed()
    modules = sys.modules
    if "numpy" in modules:
        modules["numpy"].random.seed()
    if "torch" in modules:
        modules["torch"].default_generator.seed()
    if "datasets" in modules:  # it names cached files by numbers from this one
        modules["datasets"].fingerprint.fingerprint_rng.seed()


def shown_in_full() -> None:
    """Let this copy show tables as a kernel does.

    pandas was loaded outside of one, where it cuts tables to the width of the terminal.
    """
    if "pandas" in sys.modules:
        sys.modules["pandas"].options.display.max_columns = 20  # pandas' own choice in a kernel
