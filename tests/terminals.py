"""A terminal for a command, and what stands on it at the end."""

import fcntl
import os
import pty
import re
import struct
import subprocess
import sys
import termios
from typing import NamedTuple

from inbol_lib import paths
from inbol_lib.study.kernels.starting import SERVER

SIZE = struct.pack("HHHH", 50, 120, 0, 0)  # lines, columns
CODES = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


class Shown(NamedTuple):
    """How a command ended, its standard output, and all that its terminal was sent."""

    code: int
    out: str
    sent: str

    @property
    def text(self) -> str:
        """What was sent, without codes for colours and places."""
        return CODES.sub("", self.sent).replace("\r", "")


def environment(**changes: str) -> dict[str, str]:
    """The environment of a process that imports this library, and its command `python`.

    It knows no server of kernels, as a user's terminal does not.
    """
    path = f"{os.path.dirname(sys.executable)}:{os.environ['PATH']}"
    mine = {"PYTHONPATH": str(paths.ROOT), "PATH": path, **changes}
    return {name: text for name, text in {**os.environ, **mine}.items() if name != SERVER}


def on_a_terminal(*words: str, ci: bool = False, **changes: str) -> Shown:
    """Run `inbol` with its standard error on a terminal."""
    env = environment(TERM="xterm-256color", **changes)
    if not ci:
        env.pop("CI", None)
    master, slave = pty.openpty()
    fcntl.ioctl(slave, termios.TIOCSWINSZ, SIZE)
    command = [sys.executable, "-m", "inbol_lib", *words]
    pipes = {"stdin": slave, "stdout": subprocess.PIPE, "stderr": slave}
    with subprocess.Popen(command, env=env, **pipes) as process:
        os.close(slave)
        sent = b"".join(iter(lambda: _read(master), b""))
        out = process.stdout.read().decode()
    os.close(master)
    return Shown(process.returncode, out, sent.decode(errors="replace"))


def _read(master: int) -> bytes:
    try:
        return os.read(master, 65536)
    except OSError:  # the other end is closed
        return b""
