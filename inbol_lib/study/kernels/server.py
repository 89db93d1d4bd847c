"""The process that kernels are forked from: it loads the libraries, then waits for requests.

A kernel is killed when its client has gone, however that happened, and when this process ends.
"""

import atexit
import contextlib
import ctypes
import gc
import importlib
import os
import runpy
import selectors
import signal
import socket
import sys
import threading
import traceback
from typing import NoReturn

from inbol_lib.study.kernels import messages
from inbol_lib.study.kernels.faithful import LIBRARY, Loaded, draw_anew, shown_in_full
from inbol_lib.study.kernels.messages import LAUNCHER, Request

#: What the notebooks use beside the library's own modules, and what those load when first used.
LIBRARIES = (
    "transformers",
    "datasets",
    "trl",
    "peft",
    "accelerate",
    "scipy.stats",
    "sklearn.neural_network",
    "matplotlib.pyplot",
    "ipykernel.kernelapp",
    "IPython.display",
    "transformers.models.auto.modeling_auto",
    "transformers.models.auto.processing_auto",
    "transformers.models.llava.modeling_llava",
    "transformers.models.llama.modeling_llama",
    "transformers.models.clip.modeling_clip",
)
PR_SET_PDEATHSIG = 1  # <sys/prctl.h>


def die_with(parent: int) -> None:
    """End this process as soon as its parent has ended, by Linux's own means."""
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it has ended already
        os._exit(1)


def warm_up() -> None:
    """Import everything that notebooks import, as a kernel would, but without starting a thread."""
    os.environ.setdefault("JE_ARROW_MALLOC_CONF", "background_thread:false")
    os.environ["JPY_PARENT_PID"] = str(os.getpid())  # kernels will ask whether it is alive
    os.environ.setdefault("MPLBACKEND", "module://matplotlib_inline.backend_inline")
    own = [path.relative_to(LIBRARY.parent) for path in sorted(LIBRARY.rglob("[!_]*.py"))]
    for name in [*LIBRARIES, *(".".join(path.with_suffix("").parts) for path in own)]:
        with contextlib.suppress(ImportError):  # a notebook that needs it says so itself
            importlib.import_module(name)


class Server:
    """Forks a kernel for each request, and watches its client and itself until one of them ends."""

    def __init__(self, listening: socket.socket, loaded: Loaded) -> None:
        self.loaded, self.pid = loaded, os.getpid()
        self.selector = selectors.DefaultSelector()
        self.selector.register(listening, selectors.EVENT_READ, self.accept)

    def serve(self) -> Request:
        """Serve until this process is killed; returns in the forked copies, each time."""
        while True:
            (key, _), *_ = self.selector.select()  # what else has happened is told again
            if kernel := key.data(key.fileobj):
                return kernel

    def accept(self, listening: socket.socket) -> None:
        """Accept a connection, and wait for its request."""
        connection, _ = listening.accept()
        if messages.same_user(connection):
            self.selector.register(connection, selectors.EVENT_READ, self.answer)
        else:
            connection.close()

    def answer(self, connection: socket.socket) -> Request | None:
        """Fork the kernel that a client asks for, or say why not; returns in the copy."""
        if not (said := messages.asked(connection)):
            self.forget(connection)
            return None
        request, output = said
        reason = self.loaded.why_not(request)
        pid = None if reason else os.fork()
        if pid == 0:
            self.leave(output)
            return request
        for descriptor in output:
            os.close(descriptor)
        if reason:
            messages.tell(connection, refused=reason)
            self.forget(connection)
        else:
            self.watch(connection, pid)
        return None

    def leave(self, output: list[int]) -> None:
        """Let go of everything that is the server's, in a copy of it that writes to `output`."""
        os.setsid()
        die_with(self.pid)
        for number, descriptor in enumerate(output, 1):
            os.dup2(descriptor, number)
            os.close(descriptor)
        watched = [key.fileobj for key in self.selector.get_map().values()]
        self.selector.close()  # first: what it watches is shared with the server
        for one in watched:
            close(one)

    def watch(self, connection: socket.socket, pid: int) -> None:
        """Watch a kernel and its client."""
        messages.tell(connection, pid=pid)
        kernel = os.pidfd_open(pid)

        def left(_: socket.socket) -> None:
            self.selector.unregister(connection)
            for kill in (os.killpg, os.kill):  # the second for one that leads no group yet
                with contextlib.suppress(ProcessLookupError):
                    kill(pid, signal.SIGKILL)

        def ended(_: int) -> None:
            _, status = os.waitpid(pid, 0)
            messages.tell(connection, status=os.waitstatus_to_exitcode(status))
            self.forget(kernel)
            self.forget(connection)

        self.selector.register(kernel, selectors.EVENT_READ, ended)
        self.selector.modify(connection, selectors.EVENT_READ, left)

    def forget(self, watched: socket.socket | int) -> None:
        """Close a socket or a descriptor, and watch it no longer."""
        with contextlib.suppress(KeyError):
            self.selector.unregister(watched)
        close(watched)


def close(watched: socket.socket | int) -> None:
    """Close a socket or a descriptor."""
    if isinstance(watched, int):
        os.close(watched)
    else:
        watched.close()


def become(request: Request, loaded: Loaded) -> None:
    """Do what `python -m ipykernel_launcher` would do now."""
    os.chdir(request.folder)
    loaded.apply(request.environment)
    draw_anew()
    shown_in_full()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.argv = [LAUNCHER, *request.command[3:]]
    status = 0
    try:
        runpy.run_module(LAUNCHER, run_name="__main__", alter_sys=True)
    except SystemExit as ended:
        status = ended.code if isinstance(ended.code, int) else int(ended.code is not None)
    except BaseException:
        traceback.print_exc()
        status = 1
    end(status)


def end(status: int) -> NoReturn:
    """End this copy as an interpreter ends, but without freeing what it shares with the server.

    To free all objects of the libraries, the system would first have to copy them, which takes
    two seconds; when a process has gone, its memory is free anyway.
    """
    threading._shutdown()  # waits for threads, as the interpreter does
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):  # closed, or nobody listens
            stream.flush()
    os._exit(status)


def main(descriptor: int, parent: int) -> None:
    """Load the libraries, then serve on an open socket until the process `parent` has ended."""
    die_with(parent)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for those who asked for kernels
    if sys.path[0] in ("", os.getcwd()):  # as a kernel does
        del sys.path[0]
    loaded = Loaded()
    gc.disable()  # among what is imported there is no garbage, and to look for it takes a second
    warm_up()
    gc.enable()
    gc.freeze()  # copies need not search the libraries' objects for garbage, nor copy them for it
    loaded.done()
    request = Server(socket.socket(fileno=descriptor), loaded).serve()
    become(request, loaded)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
