"""What an endpoint has answered, written down request by request, so that a run which was killed or stopped goes on where it was."""

import json
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import Any

from filelock import FileLock, Timeout


class Journal:
    """An append-only file with one line of JSON for each finished request: samples `first`, `first` + 1, ... of the question `key`."""

    def __init__(self, path: Path) -> None:
        self.path, self.lock = path, Lock()

    @contextmanager
    def held(self) -> Iterator[None]:
        """For this process alone, because two stages that ask at the same time could ask the same."""
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
        """Every readable line; the last one is torn where a kill or a full disk interrupted it."""
        for line in self.path.read_bytes().splitlines() if self.path.is_file() else []:
            try:
                yield json.loads(line)
            except ValueError:
                continue

    def answers(self) -> dict[str, list[str]]:
        """Key -> its samples in order; what lies behind a lost line does not count."""
        found: dict[str, list[str]] = {}
        for line in self.lines():
            said = found.setdefault(line["key"], [])
            if line["first"] == len(said):
                said += line["texts"]
        return found

    def add(self, line: dict[str, Any]) -> None:
        """Append a line and wait until the disk has it."""
        with self.lock, self.path.open("ab+") as file:
            if file.tell() and (file.seek(-1, os.SEEK_END), file.read())[1] != b"\n":
                file.write(b"\n")  # behind a torn line
            file.write(json.dumps(line, ensure_ascii=False).encode() + b"\n")
            file.flush()
            os.fsync(file.fileno())
