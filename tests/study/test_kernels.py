"""Forked kernels are those that Jupyter would have started, and end with whom they serve.

Where the libraries are not the point, the server has loaded none.
"""

import ast
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from contextlib import contextmanager
from pathlib import Path

import psutil
import pytest

from inbol_lib import paths
from inbol_lib.study.kernels import SERVER, ForkingManager, faithful, messages, serving, starting
from inbol_lib.study.kernels.messages import LAUNCHER, Request

COMMAND = [sys.executable, "-m", LAUNCHER, "-f", "file.json"]
EMPTY = """
import sys
from inbol_lib.study.kernels import server
server.warm_up = lambda: None
server.main(*map(int, sys.argv[1:]))
"""
ANEW = "a kernel starts anew: "


@pytest.fixture
def server(monkeypatch):
    """A server that has loaded nothing, and so is there at once."""
    monkeypatch.delenv(SERVER, raising=False)
    monkeypatch.setattr(starting, "PROGRAM", [sys.executable, "-c", EMPTY])
    with serving() as process:
        yield psutil.Process(process.pid)


@pytest.fixture(scope="module")
def full():
    """A server that has loaded everything: that of `make test`, or one of our own."""
    with serving():
        yield


@contextmanager
def kernel(folder):
    """A kernel at work in a folder: its manager and its client."""
    manager = ForkingManager(kernel_name="python3", transport="ipc", ip=f"{folder}/socket")
    manager.start_kernel(cwd=str(folder))
    client = manager.blocking_client()
    client.start_channels()
    try:
        client.wait_for_ready(timeout=120)
        yield manager, client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def value(client, expression, code=""):
    """What an expression is in a kernel, after some code."""
    asked = {"user_expressions": {"it": expression}, "reply": True, "timeout": 120}
    answer = client.execute(code, **asked)["content"]
    return answer["user_expressions"]["it"]["data"]["text/plain"]


def gone(pid, seconds=20):
    """Whether a process has ended, or ends now."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if not psutil.pid_exists(pid) or psutil.Process(pid).status() == psutil.STATUS_ZOMBIE:
            return True
        time.sleep(0.05)
    return False


def sockets():
    """The sockets of servers that are open on this machine."""
    lines = Path("/proc/net/unix").read_text().splitlines()
    return {line.split("@")[1] for line in lines if "@inbol-kernels-" in line}


def pictures(notebook):
    """How many pictures the outputs of each cell of an executed notebook show."""
    cells = json.loads(notebook.read_text())["cells"]
    outputs = [cell.get("outputs", []) for cell in cells]
    return [sum("image/png" in output.get("data", {}) for output in each) for each in outputs]


def test_a_stage_is_the_same_in_a_plain_and_in_a_forked_kernel(full, tmp_path):
    """Same seed, same machine, and no state in common: notebook 01 in two fresh folders."""
    sizes = ["-p", "train_questions=20", "-p", "test_questions=10"]
    command = [sys.executable, "-m", "inbol_lib.study.running", "01", *sizes]
    found, shown = [], []
    for name, socket_name in {"plain": "", "forked": os.environ[SERVER]}.items():
        env = {**os.environ, "INBOL_RUNS": str(tmp_path / name), SERVER: socket_name}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        assert ANEW not in done.stderr
        made = Path(done.stdout.strip())
        found.append((made / "metrics.json").read_text())
        shown.append(pictures(made / "notebook.ipynb"))
    assert found[0] == found[1]
    assert json.loads(found[0])["levels"]
    assert shown[0] == shown[1]
    assert sum(shown[0]) > 0


def seconds_to_start(folder):
    begun = time.monotonic()
    with kernel(folder) as (_, client):
        value(client, "1", "import torch, transformers, trl, inbol_lib.training.ca_dpo")
        return time.monotonic() - begun


def test_a_forked_kernel_starts_in_a_fraction_of_the_time(full, tmp_path, monkeypatch):
    seconds_to_start(tmp_path)  # the server may be loading yet
    forked = min(seconds_to_start(tmp_path) for _ in range(2))
    monkeypatch.delenv(SERVER)
    assert forked < seconds_to_start(tmp_path) / 3


DRAWN = """
import random, numpy, torch
from datasets.fingerprint import generate_random_fingerprint
"""
DRAWS = "random.random(), numpy.random.rand(), torch.rand(1).item(), generate_random_fingerprint()"


def test_two_forked_kernels_run_at_once_and_draw_numbers_of_their_own(full, tmp_path):
    with kernel(tmp_path) as (_, one), kernel(tmp_path) as (_, two):
        drawn = [ast.literal_eval(value(client, f"({DRAWS})", DRAWN)) for client in (one, two)]
        assert [a == b for a, b in zip(*drawn, strict=True)] == [False] * 4


def test_tables_are_shown_alike_in_a_plain_and_in_a_forked_kernel(full, tmp_path, monkeypatch):
    wide, found = "repr(pandas.DataFrame([range(10**6, 10**6 + 18)]))", []
    for plain in (False, True):
        if plain:
            monkeypatch.delenv(SERVER)
        with kernel(tmp_path) as (_, client):
            found.append(value(client, wide, "import pandas"))
    assert found[0] == found[1]
    assert "1000017" in found[0]
    assert "..." not in found[0]


def test_a_forked_kernel_has_the_folder_the_environment_and_the_name_of_a_plain_one(
    server, tmp_path, monkeypatch
):
    wide = {f"INBOL_WIDE_{number}": "x" * 100_000 for number in range(8)}
    for name, text in wide.items():
        monkeypatch.setenv(name, text)
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    code = "import os, sys, tempfile"
    with kernel(tmp_path) as (_, client):
        assert value(client, "os.getppid()", code) == str(server.pid)
        assert value(client, "os.getcwd() == tempfile.gettempdir()") == "True"
        assert value(client, "__name__, sys.modules['__main__'].__dict__ is globals()") == (
            "('__main__', True)"
        )
        for name, text in wide.items():
            assert value(client, f"os.environ[{name!r}]") == repr(text)


def test_an_interrupt_reaches_the_running_cell(server, tmp_path):
    with kernel(tmp_path) as (manager, client):
        cell = "import time\nprint('begun')\ntime.sleep(100)"
        asleep = client.execute(cell, stop_on_error=False)  # nor is the next one aborted
        while client.get_iopub_msg(timeout=60)["content"].get("text") != "begun\n":
            pass
        manager.interrupt_kernel()
        answer = client.get_shell_msg(timeout=60)
        assert answer["parent_header"]["msg_id"] == asleep
        assert answer["content"]["ename"] == "KeyboardInterrupt"
        assert value(client, "1 + 1") == "2", "the kernel goes on"


def test_a_killed_kernel_is_found_dead_and_can_be_started_again(server, tmp_path):
    with kernel(tmp_path) as (manager, client):
        first = manager.provisioner.process
        first.kill()
        assert first.wait() == -signal.SIGKILL
        assert not manager.is_alive()
        manager.start_kernel(cwd=str(tmp_path))
        client.wait_for_ready(timeout=60)
        assert value(client, "__import__('os').getppid()") == str(server.pid)


def test_a_kernel_that_ends_itself_gives_its_status(server, tmp_path):
    with kernel(tmp_path) as (manager, client):
        client.execute("import os; os._exit(7)")
        assert manager.provisioner.process.wait() == 7


CLIENT = """
import sys, time
sys.path.insert(0, "tests/study")
from test_kernels import kernel
with kernel(sys.argv[1]) as (manager, _):
    print(manager.provisioner.pid, flush=True)
    time.sleep(100)
"""


def test_a_killed_client_takes_its_kernel_with_it_and_no_other(server, tmp_path):
    with kernel(tmp_path) as (_, other):
        command = [sys.executable, "-c", CLIENT, str(tmp_path)]
        client = subprocess.Popen(command, cwd=paths.ROOT, stdout=subprocess.PIPE, text=True)
        pid = int(client.stdout.readline())
        assert psutil.Process(pid).ppid() == server.pid
        client.kill()
        client.communicate()
        assert gone(pid)
        assert value(other, "1 + 1") == "2"


def test_a_killed_server_takes_all_kernels_with_it_and_leaves_no_socket(server, tmp_path, capfd):
    with kernel(tmp_path) as (manager, _):
        pid, name = manager.provisioner.pid, os.environ[SERVER]
        assert name in sockets()
        server.kill()
        assert gone(pid)
        assert not manager.is_alive()
        assert name not in sockets()
        manager.start_kernel(cwd=str(tmp_path))  # without the server
        assert manager.is_alive()
    assert ANEW in capfd.readouterr().err


def test_a_killed_command_leaves_no_server():
    code = f"import os, time; print(os.environ[{SERVER!r}], flush=True); time.sleep(100)"
    command = [sys.executable, "-m", "inbol_lib.study.kernels", sys.executable, "-c", code]
    env = {name: text for name, text in os.environ.items() if name != SERVER}
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=env)
    name = process.stdout.readline().strip()
    (server,) = psutil.Process(process.pid).children()
    process.kill()
    process.communicate()
    assert gone(server.pid)
    assert name not in sockets()


@pytest.mark.parametrize(
    ("platform", "gpus", "said"), [("darwin", (), "darwin"), ("linux", ("/dev/null",), "GPU")]
)
def test_where_kernels_can_not_be_forked_they_start_one_by_one(
    platform, gpus, said, monkeypatch, capsys
):
    monkeypatch.delenv(SERVER, raising=False)
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setattr(starting, "GPUS", gpus)
    with serving() as server:
        assert server is None
        assert SERVER not in os.environ
    (line,) = capsys.readouterr().err.splitlines()
    assert line.startswith("kernels start one by one: ")
    assert said in line


def loaded():
    """What a process has loaded its libraries with."""
    made = faithful.Loaded()
    made.before = {"OMP_NUM_THREADS": "1", "HOME": "/home"}
    made.after = made.before | {"KMP_INIT_AT_FORK": "FALSE"}
    return made


def reason(made, command=COMMAND, **changed):
    """Why a request is refused: one with the environment of `made` and some changes."""
    return made.why_not(Request(command, "/", made.before | changed))


@pytest.fixture
def alone(monkeypatch):
    """As if this process had no threads."""
    listed = os.listdir
    monkeypatch.setattr(os, "listdir", lambda at: ["1"] if "task" in str(at) else listed(at))


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"INBOL_RUNS": "/elsewhere", "TMPDIR": "/tmp", "SHLVL": "3"},
        {"KMP_INIT_AT_FORK": "FALSE"},  # as the libraries set it
        {"MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1"},  # as it was without
    ],
)
def test_what_no_library_reads_on_import_may_differ(alone, changed):
    assert reason(loaded(), **changed) == ""


@pytest.mark.parametrize(
    "changed",
    [{"HF_HOME": "/elsewhere"}, {"HOME": "/"}, {"MKL_NUM_THREADS": "2"}, {"KMP_INIT_AT_FORK": "1"}],
)
def test_another_environment_needs_a_kernel_of_its_own(alone, changed):
    assert reason(loaded(), **changed).startswith(f"{', '.join(changed)} changed since")


def test_other_code_other_pythons_and_threads_need_kernels_of_their_own(alone, monkeypatch):
    made = loaded()
    assert "command is /usr/bin/python" in reason(made, ["/usr/bin/python", *COMMAND[1:]])
    assert "command is" in reason(made, [sys.executable, "-O", *COMMAND[1:]])
    changed, (time_of_change, size) = next(iter(made.code.items()))
    made.code[changed] = (time_of_change + 1, size)
    assert "code has changed" in reason(made)


def test_a_thread_in_the_server_needs_kernels_of_their_own():
    stop = threading.Event()
    thread = threading.Thread(target=stop.wait)
    thread.start()
    assert "thread" in reason(loaded())
    stop.set()
    thread.join()


def test_another_user_is_found_out(monkeypatch):
    one, two = socket.socketpair()
    with one, two:
        assert messages.same_user(one)
        monkeypatch.setattr(os, "getuid", lambda: -1)
        assert not messages.same_user(one)
