"""Files that are there whole or not at all, whatever stops the process that writes them."""

import contextlib
import os
import re
import shutil
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

#: What `whole` calls a file that is being written: ".table.parquet.4711", after its process.
_UNFINISHED = re.compile(r"\..+\.\d+")
#: Seconds after which nobody writes an unfinished file any more.
ABANDONED = 3600


@contextmanager
def whole(path: Path) -> Iterator[Path]:
    """Yield another name for a file, which gets its own name once it is written.

    Nothing is left behind where writing fails. A process that is killed leaves the file under its
    other name; `sweep` removes it, and so does whoever writes the same file an hour later.

    Parameters
    ----------
    path : Path
        The file; its folder is made where there is none.

    Yields
    ------
    Path
        Where to write, in the same folder.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    sweep(path.parent, time.time() - ABANDONED)
    unfinished = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        yield unfinished
        unfinished.replace(path)
    finally:
        unfinished.unlink(missing_ok=True)


def sweep(folder: Path, until: float) -> None:
    """Remove the files and folders of killed processes that nobody has changed since `until`.

    Parameters
    ----------
    folder : Path
        Where `whole` has written; folders in it are left alone.
    until : float
        In seconds since 1970, as `time.time` counts them.
    """
    for path in folder.iterdir():
        if _UNFINISHED.fullmatch(path.name):
            remove(path, until)


def remove(path: Path, until: float) -> None:
    """Remove a file or a folder that nobody has changed since `until`, if that can be done.

    Another process may have been faster, and what lies on a read-only disk stays.
    """
    with contextlib.suppress(OSError):
        if path.stat().st_mtime > until:
            return
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
