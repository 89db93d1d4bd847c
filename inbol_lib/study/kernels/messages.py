"""What clients and the server of kernels tell each other; one connection is one kernel.

The client sends what to start, the server answers with the kernel's process id and, once the
kernel has ended, with its exit status; or it says why it forks none. The socket has a name that is
no file (Linux: an abstract one), so that whoever is killed leaves nothing behind.
"""

import contextlib
import json
import os
import socket
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

SERVER = "INBOL_KERNEL_SERVER"  # the variable that holds the socket's name
LAUNCHER = "ipykernel_launcher"  # the module that is a kernel
LONGEST = 4096  # bytes of a message


class Request(NamedTuple):
    """What a kernel is started with.

    Attributes
    ----------
    command
        The words of the command line.
    folder
        The working directory.
    environment
        All variables.
    """

    command: list[str]
    folder: str
    environment: dict[str, str]


def new_socket() -> socket.socket:
    """Return a socket whose messages arrive whole or not at all."""
    return socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)


def address(name: str) -> str:
    """Return the address of the socket that SERVER names."""
    return f"\0{name}"


def same_user(connection: socket.socket) -> bool:
    """Return whether the other side runs as this user: anyone may connect to such a socket."""
    form = "iii"  # <sys/socket.h>, struct ucred: process, user, group
    said = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, struct.calcsize(form))
    return struct.unpack(form, said)[1] == os.getuid()


def ask(connection: socket.socket, request: Request, output: Sequence[int]) -> None:
    """Send a request, with the descriptors of the kernel's standard output and error.

    It travels as a file in memory, because an environment may be longer than a message.
    """
    with open(os.memfd_create("request"), "w+b") as file:
        file.write(json.dumps(request._asdict()).encode())
        file.flush()
        socket.send_fds(connection, [b"start"], [file.fileno(), *output])


def asked(connection: socket.socket) -> tuple[Request, list[int]] | None:
    """Return what `ask` sent, None if the client has gone instead."""
    with contextlib.suppress(ConnectionError):
        _, descriptors, *_ = socket.recv_fds(connection, LONGEST, 3)
        return _read(*descriptors) if descriptors else None
    return None


def _read(request: int, *output: int) -> tuple[Request, list[int]]:
    """Read a request."""
    written = Path(f"/proc/self/fd/{request}").read_text()  # from its beginning
    os.close(request)
    return Request(**json.loads(written)), list(output)


def tell(connection: socket.socket, **words: str | int) -> None:
    """Send words to a client that may have gone."""
    with contextlib.suppress(OSError):
        connection.sendall(json.dumps(words).encode())


def told(connection: socket.socket) -> dict[str, Any]:
    """Return what `tell` sent, nothing if the server has gone."""
    with contextlib.suppress(ConnectionError):
        return json.loads(connection.recv(LONGEST) or "{}")
    return {}
