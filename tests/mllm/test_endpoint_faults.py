"""A real server that fails in every way: nothing that was answered is lost or asked twice."""

import hashlib
import http.client
import json
import select
import shutil
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections import Counter
from http.server import ThreadingHTTPServer
from importlib.util import find_spec
from itertools import count

import pytest
from serving import Quiet

from inbol_lib import params, paths
from inbol_lib.boundary import confidence
from inbol_lib.errors import EndpointError
from inbol_lib.micro import world
from inbol_lib.mllm import loading, sampling
from inbol_lib.mllm.endpoints import Endpoint
from inbol_lib.mllm.journal import Journal
from inbol_lib.study import question_pools, running

SERVING = ("fastapi", "uvicorn")
serving = pytest.mark.skipif(
    not all(map(find_spec, SERVING)), reason='needs pip install "transformers[serving]"'
)
WAITS = "inbol_lib.mllm.endpoints.client.WAITS"
SAMPLES = """
{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3, "do_sample": true}
"""
GREEDY = {"temperature": 0, "max_tokens": 8}
FAULTS = ("429", "500", "stalled", "truncated", "cut", "dropped", "page", "unheard")


def test_what_a_real_server_needs_is_locked():
    """... so that `make test` skips nothing."""
    lock = (paths.ROOT / "requirements.lock").read_text()
    assert all(f"\n{name}==" in lock for name in SERVING)


class Server:
    """`transformers serve` on loopback, holding micro-s, which samples where it is asked to."""

    def __init__(self, folder):
        self.log = folder / "server.log"
        self.model = shutil.copytree(loading.resolve("micro-s"), folder / "micro-s")
        (self.model / "generation_config.json").write_text(SAMPLES)
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self):
        code = "from transformers.cli.transformers import main; main()"
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu"]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-c", code, "serve", self.model, *where],
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def wait(self):
        for _ in range(600):
            try:
                return urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5)
            except OSError:
                assert self.process.poll() is None, self.log.read_text()
                time.sleep(0.2)
        raise TimeoutError(self.log.read_text())

    def kill(self):
        self.process.kill()
        self.process.wait()

    def answered(self):
        """Return how many requests it has answered since it first started."""
        return self.log.read_text().count('chat/completions HTTP/1.1" 200')


class Proxy(Quiet):
    """Passes requests on, unless a fault is planned.

    `server.plan(number of the request)` names the faults that the first attempts of a request meet.
    """

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = json.loads(body)["messages"][0]["content"]
        key = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        with self.server.lock:
            number = self.server.numbers.setdefault(key, len(self.server.numbers))
            faults = (*self.server.plan(number), *[None] * 100)
            fault = faults[self.server.attempts[key]]
            self.server.attempts[key] += 1
            self.server.met[fault] += 1
        self.meet(fault, body, key)

    def meet(self, fault, body, key):
        if fault == "429":
            return self.fail(429, {"Retry-After": "0.1"})
        if fault == "500":
            return self.fail(500)
        if fault == "stalled":
            return self.server.over.wait(60)
        if fault == "dropped":
            return self.connection.close()
        if fault == "page":
            return self.answer(200, b"<html>Bad gateway</html>", {"Content-Type": "text/html"})
        status, said = self.pass_on(body)
        if fault == "truncated":
            return self.answer(status, said[: len(said) // 2])
        if fault == "cut":
            return self.answer(status, said[: len(said) // 2], length=len(said))
        if fault == "unheard" or self.client_has_gone():
            return self.connection.close()
        return self.deliver(status, said, key)

    def fail(self, status, headers=()):
        self.answer(status, b'{"error": {"message": "try again"}}', headers)

    def pass_on(self, body):
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        upstream.request("POST", self.path, body, {"Content-Type": "application/json"})
        reply = upstream.getresponse()
        return reply.status, reply.read()

    def client_has_gone(self):
        """Return whether there is something to read: a client that still waits sends nothing."""
        readable, _, _ = select.select([self.connection], [], [], 0)
        return bool(readable)

    def deliver(self, status, said, key):
        self.answer(status, said)
        with self.server.lock:
            self.server.delivered[key] += status == 200


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("serve"))
    server.start()
    server.wait()
    yield server
    server.kill()


@pytest.fixture
def point(monkeypatch, tmp_path):
    """point(port) points the client there, with a new journal."""

    def to(port, runs="runs"):
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        monkeypatch.setenv("INBOL_RUNS", str(tmp_path / runs))

    return to


@pytest.fixture
def proxy(server, point):
    """proxy(plan) puts a faulty proxy between client and server; returns it with its counts."""
    between = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    between.over, between.lock, between.upstream = threading.Event(), threading.Lock(), server.port
    threading.Thread(target=between.serve_forever, args=(0.02,), daemon=True).start()

    def start(plan, runs="runs"):
        between.plan, between.numbers = plan, {}
        between.attempts, between.delivered, between.met = Counter(), Counter(), Counter()
        point(between.server_port, runs)
        return between

    yield start
    between.over.set()
    between.shutdown()
    between.server_close()


@pytest.fixture(scope="module")
def questions():
    rows = world.questions("vqav2", "validation", 24)
    return list(rows["question"]), list(rows["image"])


def no_faults(number):
    return ()


def every_fault_twice(number):
    """Return the fault of each of the first 16 requests, and of every third one the next, too."""
    first = number % len(FAULTS)
    faults = 2 if number % 3 == 0 else 1
    return FAULTS[first : first + faults] if number < 16 else ()


@serving
def test_faults_between_client_and_server_lose_and_repeat_nothing(
    server, point, proxy, questions, monkeypatch, capsys
):
    """Two rounds of every fault, some twice over: each question is answered once, as without."""
    monkeypatch.setenv("INBOL_TIMEOUT", "4")
    monkeypatch.setattr(WAITS, (0.02,) * 6)
    name = f"endpoint:{server.model}"
    point(server.port, "clean")
    clean = Endpoint(name).ask(*questions, **GREEDY)
    here = sampling.greedy(*loading.load("micro-s"), *questions[::-1], 8, 4096)
    there = sampling.greedy(*loading.load(name), *questions[::-1], 8, 4096)
    assert here == there, "the server sees the image and the question as the library does"
    faulty = proxy(every_fault_twice, "faulty")
    asked = Endpoint(name)
    assert asked.ask(*questions, **GREEDY) == clean
    assert set(faulty.met) == {*FAULTS, None}
    pairs = zip(*questions, strict=True)
    different = {(text, image.tobytes()) for text, image in pairs}
    assert len(faulty.delivered) == len(different)
    assert set(faulty.delivered.values()) == {1}
    before = faulty.attempts.total()
    assert asked.ask(*questions, **GREEDY) == clean
    assert faulty.attempts.total() == before, "what is known is not sent"
    assert len([*asked.journal.lines()]) == len(faulty.delivered)
    used = sum(line["prompt_tokens"] for line in asked.journal.lines())
    assert used > 36 * len(faulty.delivered), "image tokens count"
    assert f"{used:,} prompt tokens" in capsys.readouterr().err


@serving
def test_a_server_that_ignores_n_is_asked_for_the_rest(proxy, questions, server):
    counted = proxy(no_faults)
    few = questions[0][:6], questions[1][:6]
    model = Endpoint(f"endpoint:{server.model}")
    how = {"temperature": 1.5, "max_tokens": 8, "seed": 3}
    three = model.ask(*few, 3, **how)
    assert set(counted.attempts.values()) == {3}
    different = {text for said in three for text in said}
    assert len(different) > 6, "a seed of their own: samples differ"
    five = model.ask(*few, 5, **how)
    assert set(counted.attempts.values()) == {5}
    assert [said[:3] for said in five] == three


@serving
def test_a_server_killed_in_mid_run_stops_the_run_which_resumes_while_it_comes_back(
    server, point, questions, monkeypatch
):
    point(server.port)
    model = Endpoint(f"endpoint:{server.model}")
    monkeypatch.setenv("INBOL_CONCURRENCY", "2")
    monkeypatch.setattr(WAITS, (0.05,))
    add = Journal.add

    def add_and_kill(self, line):
        add(self, line)
        if len([*self.lines()]) == 8:
            server.kill()

    monkeypatch.setattr(Journal, "add", add_and_kill)
    message = r"no server answers at .*run the same again and only the rest is sent"
    with pytest.raises(EndpointError, match=message):
        model.ask(*questions, **GREEDY)
    kept, answered = len([*model.journal.lines()]), server.answered()
    assert 8 <= kept < 24
    server.start()  # and at once, long before it listens:
    monkeypatch.setattr(WAITS, (0.5,) * 240)
    said = model.ask(*questions, **GREEDY)
    assert server.answered() - answered == len(said) - kept, "the rest, once"
    assert [line["first"] for line in model.journal.lines()] == [0] * len(said)


SMALL = [
    "train_questions=4",
    "validation_questions=2",
    "test_questions=2",
    "ood_sources=[]",
    "num_samples=2",
    "judge=string",
]


@serving
def test_notebook_01_samples_from_an_endpoint_and_goes_on_where_a_limit_stopped_it(
    proxy, server, capsys, monkeypatch
):
    server.wait()
    counted = proxy(no_faults)
    name, small = f"endpoint:{server.model}", running.overrides([[pair] for pair in SMALL])
    p = params.load("smoke", model=name, **small)
    pools = {split: question_pools.pool(p, split) for split in question_pools.POOLS}
    monkeypatch.setenv("INBOL_REQUEST_LIMIT", "5")
    monkeypatch.setattr("inbol_lib.mllm.endpoints.client._sent", count())
    with pytest.raises(EndpointError, match="the limit of 5 requests is reached"):
        confidence.estimate_all(p, *loading.load(name), pools)
    assert counted.attempts.total() == 5
    monkeypatch.delenv("INBOL_REQUEST_LIMIT")
    flags = [word for pair in [f"model={name}", *SMALL] for word in ("-p", pair)]
    assert running.main(["01", *flags]) == 0
    metrics = json.loads((paths.Path(capsys.readouterr().out.strip()) / "metrics.json").read_text())
    assert sum(metrics["kinds"].values()) == 12
    assert metrics["unjudged"] == 0
    assert counted.attempts.total() == 3 * (4 + 2 + 2) * 2
