"""A journal of finished requests, so that a run that was stopped or killed resumes where it was.

Lines are written one by one, and each is on disk before the next request is sent.
"""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO

from filelock import FileLock, Timeout


class Journal:
    """An append-only file of JSON lines, one for each finished request.

    A line of an endpoint's journal holds the samples `first`, `first` + 1, ... of the question
    `key`, in `texts`.

    Parameters
    ----------
    path : Path
        The file; it and its folder are made when they are needed.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.lock = Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """Keep other processes out: two stages that ask at the same time might ask the same."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        lock = FileLock(f"{self.path}.lock")
        try:
            lock.acquire(timeout=0)
        except Timeout:
            print(
                f"waiting for another process, which asks the same endpoint ({self.path})",
                file=sys.stderr,
            )
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def lines(self) -> Iterator[dict[str, Any]]:
        """Yield every readable line; a kill or a full disk may have torn the last one."""
        written = self.path.read_bytes().splitlines() if self.path.is_file() else []
        for line in written:
            try:
                read = json.loads(line)
            except (ValueError, RecursionError):
                continue
            if isinstance(read, dict):
                yield read

    def written(self) -> int:
        """Return the number of lines that are not blank, readable or not."""
        if not self.path.is_file():
            return 0
        return sum(bool(line.strip()) for line in self.path.read_bytes().splitlines())

    def answers(self) -> dict[str, list[str]]:
        """Return key -> its samples in order; samples that follow a lost line do not count.

        A line that is no answer (edited by hand, or written by another program) is passed over.
        """
        found: dict[str, list[str]] = {}
        for line in filter(is_answer, self.lines()):
            samples = found.setdefault(line["key"], [])
            if line["first"] == len(samples):
                samples += line["texts"]
        return found

    def add(self, line: dict[str, Any]) -> None:
        """Append a line and wait until it is on disk."""
        with self.lock, self.path.open("ab+") as file:
            if _ends_torn(file):
                file.write(b"\n")
            written = json.dumps(line, ensure_ascii=False).encode(errors="replace")
            file.write(written + b"\n")
            file.flush()
            os.fsync(file.fileno())


def is_answer(line: dict[str, Any]) -> bool:
    """Return whether a line holds samples: a key, the first one's number, and texts."""
    texts = line.get("texts")
    return (
        isinstance(line.get("key"), str)
        and isinstance(line.get("first"), int)
        and isinstance(texts, list)
        and all(isinstance(text, str) for text in texts)
    )


def _ends_torn(file: BinaryIO) -> bool:
    """Return whether the last line lacks its end; the file stands at its own end."""
    if file.tell() == 0:
        return False
    file.seek(-1, os.SEEK_END)
    return file.read() != b"\n"
