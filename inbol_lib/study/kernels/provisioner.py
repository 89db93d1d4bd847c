"""How Jupyter's client asks the server for a kernel: a provisioner, and managers that use it."""

import os
import signal
import socket
import sys
import uuid
from typing import Any

from jupyter_client.manager import AsyncKernelManager, KernelManager
from jupyter_client.provisioning import LocalProvisioner

from inbol_lib.study.kernels import messages
from inbol_lib.study.kernels.messages import SERVER, Request

PATIENCE = 120  # seconds that the server may take to load the libraries


class ForkedKernel:
    """A kernel that the server has forked, as far as Jupyter asks of a `subprocess.Popen`."""

    stdin = stdout = stderr = None

    def __init__(self, connection: socket.socket, pid: int) -> None:
        self.connection, self.pid = connection, pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, None while the kernel runs."""
        if self.returncode is None:
            self.connection.setblocking(False)
            try:
                self._end()
            except BlockingIOError:
                return None
        return self.returncode

    def wait(self) -> int:
        """Wait until the kernel has ended, and return its exit status."""
        if self.returncode is None:
            self.connection.setblocking(True)
            self._end()
        return self.returncode

    def _end(self) -> None:
        # A server that ends without a word was killed, and its kernels with it.
        self.returncode = messages.told(self.connection).get("status", -signal.SIGKILL)
        self.connection.close()

    def send_signal(self, number: int) -> None:
        """Send a signal to the kernel, if it still runs."""
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        """Kill the kernel."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask the kernel to end."""
        self.send_signal(signal.SIGTERM)


def forked(request: Request, output: list[int]) -> ForkedKernel:
    """Ask the server for a kernel that writes to the descriptors `output`.

    Raises
    ------
    OSError
        If there is none; the message says why.
    """
    connection = messages.new_socket()
    try:
        connection.settimeout(PATIENCE)
        connection.connect(messages.address(os.environ[SERVER]))
        if not messages.same_user(connection):
            raise PermissionError("the server of kernels is another user's")
        messages.ask(connection, request, output)
        answer = messages.told(connection)
        if "pid" not in answer:
            raise OSError(answer.get("refused", "the server of kernels has ended"))
    except OSError:
        connection.close()
        raise
    return ForkedKernel(connection, answer["pid"])


def descriptor(stream: Any, default: int) -> int:
    """Return the descriptor that `subprocess.Popen` would take for a stream."""
    if stream is None:
        return default
    return stream if isinstance(stream, int) else stream.fileno()


class ForkedProvisioner(LocalProvisioner):
    """Jupyter's own provisioner, except that the server forks the kernel where there is one."""

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> Any:
        """Fork the kernel, or start it as usual and say why."""
        environment = dict(kwargs.get("env") or os.environ)
        request = Request(cmd, str(kwargs.get("cwd") or os.getcwd()), environment)
        output = [descriptor(kwargs.get("stdout"), 1), descriptor(kwargs.get("stderr"), 2)]
        try:
            self.process = forked(request, output)
        except OSError as error:
            print(f"a kernel starts anew: {error}", file=sys.stderr)
            return await super().launch_kernel(cmd, **kwargs)
        self.pid = self.pgid = self.process.pid
        self.cwd = request.folder
        return self.connection_info


class _Forking:
    """What makes a manager of kernels use the server, where SERVER names one."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        if os.environ.get(SERVER):
            self.kernel_id = str(uuid.uuid4())
            self.provisioner = ForkedProvisioner(
                kernel_id=self.kernel_id, kernel_spec=self.kernel_spec, parent=self
            )


class ForkingManager(_Forking, KernelManager):
    """Jupyter's manager, whose kernel is forked where there is a server."""


class AsyncForkingManager(_Forking, AsyncKernelManager):
    """Jupyter's asynchronous manager, whose kernel is forked where there is a server."""
