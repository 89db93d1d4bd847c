"""Start the server that forks kernels, where kernels can be forked."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from inbol_lib.study.kernels import messages
from inbol_lib.study.kernels.messages import SERVER

#: drivers of NVIDIA's and AMD's GPUs, and of those under WSL
GPUS = ("/dev/nvidiactl", "/dev/kfd", "/dev/dxg")
PROGRAM = [sys.executable, "-m", "inbol_lib.study.kernels.server"]
QUEUE = 64  # clients that may wait while the libraries are loaded


def why_not() -> str:
    """Return why kernels can not be forked on this machine, "" where they can."""
    if sys.platform != "linux":
        return f"{sys.platform} can not fork a process that has loaded libraries safely"
    if any(Path(gpu).exists() for gpu in GPUS):
        return "forked processes can not share this machine's GPU"
    return ""


def start() -> subprocess.Popen | None:
    """Start the server; all kernels are forked from now on, in this process and its children.

    Says so and does nothing where that is not possible, and nothing where a server is at work.

    Returns
    -------
    subprocess.Popen or None
        The server. It is killed when this process ends, however that happens.
    """
    if os.environ.get(SERVER):
        return None
    if reason := why_not():
        print(f"kernels start one by one: {reason}", file=sys.stderr)
        return None
    name = f"inbol-kernels-{secrets.token_hex(8)}"
    with messages.new_socket() as listening:
        listening.bind(messages.address(name))
        listening.listen(QUEUE)  # here, so that clients can come before the server does
        number = listening.fileno()
        command = [*PROGRAM, str(number), str(os.getpid())]
        server = subprocess.Popen(command, pass_fds=[number], env=dict(os.environ))
    os.environ[SERVER] = name
    return server


@contextmanager
def serving() -> Iterator[subprocess.Popen | None]:
    """Let every kernel that starts meanwhile be forked; yields what `start` returns."""
    server = start()
    try:
        yield server
    finally:
        if server:
            del os.environ[SERVER]
            server.kill()
            server.wait()
