"""A file is there whole or not at all, and nobody's leftovers stay."""

import os
import signal
import subprocess
import sys
import time

import pandas as pd
import pytest

from inbol_lib.data import files, records

KILLED = """
import sys
from pathlib import Path
from inbol_lib.data.files import whole
with whole(Path(sys.argv[1])) as unfinished:
    unfinished.write_text("half")
    print("writing", flush=True)
    sys.stdin.read()
"""


def kill_while_writing(path):
    """Kill a process while it writes a file, and return what it leaves."""
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
    with subprocess.Popen([sys.executable, "-c", KILLED, path], **pipes) as process:
        assert process.stdout.readline() == b"writing\n"
        process.send_signal(signal.SIGKILL)
    (left,) = path.parent.iterdir()
    return left


def test_what_a_killed_process_leaves_goes(tmp_path):
    path = tmp_path / "table.parquet"
    left = kill_while_writing(path)
    assert not path.exists()
    with files.whole(path) as unfinished:
        unfinished.write_text("whole")
        assert left.exists(), "another process may be at it"
    long_ago = time.time() - files.ABANDONED - 1
    os.utime(left, (long_ago, long_ago))
    (tmp_path / ".lock").touch()
    with files.whole(path) as unfinished:
        unfinished.write_text("anew")
    assert {file.name for file in tmp_path.iterdir()} == {".lock", "table.parquet"}
    assert path.read_text() == "anew"


def test_a_full_disk_leaves_the_old_table_and_nothing_else(full_disk):
    disk = full_disk(64 * 1024)
    path = records.save_table(pd.DataFrame({"a": [1]}), disk / "table.parquet")
    long = pd.DataFrame({"a": [os.urandom(1000) for _ in range(1000)]})
    with pytest.raises(OSError, match="No space left"):
        records.save_table(long, path)
    assert {file.name for file in disk.iterdir()} == {"table.parquet", "filling"}
    assert pd.read_parquet(path).a.tolist() == [1]
