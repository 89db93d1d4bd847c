"""Folders for the sockets of kernels, which go even if whoever made them is killed."""

import contextlib
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import FileLock, Timeout

PREFIX = "inbol-kernel-"
#: Seconds after which a folder that nobody holds was left by a killed process.
YOUNG = 60


@contextmanager
def folder() -> Iterator[Path]:
    """Yield a folder for one kernel, and remove those that killed processes have left.

    It lies among the temporary files, because the path of a socket has at most some 100 letters.
    """
    _sweep()
    with tempfile.TemporaryDirectory(prefix=PREFIX) as made, FileLock(Path(made, "held")):
        yield Path(made)


def _sweep() -> None:
    """Remove the folders that no living process holds; those of other users stay."""
    for left in Path(tempfile.gettempdir()).glob(f"{PREFIX}*"):
        with contextlib.suppress(OSError, Timeout):
            if time.time() - left.stat().st_mtime > YOUNG:  # else it may not be held yet
                with FileLock(left / "held", timeout=0):
                    shutil.rmtree(left)
