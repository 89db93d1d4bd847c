"""Endpoints: nothing that was answered is lost or asked twice, whatever happens between client and server."""

import base64
import hashlib
import http.client
import json
import os
import select
import shutil
import signal
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
from types import SimpleNamespace

import pytest
from openai import RateLimitError
from papermill.exceptions import PapermillExecutionError
from PIL import Image
from serving import Quiet

from inbol_lib import params, paths
from inbol_lib.boundary import confidence
from inbol_lib.errors import DryRun, EndpointError, ParameterError
from inbol_lib.judging.hybrid import judge
from inbol_lib.micro import world
from inbol_lib.mllm import endpoints, loading, sampling
from inbol_lib.mllm.endpoints import Endpoint
from inbol_lib.study import graph, question_pools, run, stages

pytest_plugins = ["serving"]
SERVING = ("fastapi", "uvicorn")
serving = pytest.mark.skipif(
    not all(map(find_spec, SERVING)), reason='needs pip install "transformers[serving]"'
)


def test_what_a_real_server_needs_is_locked():
    """... so that `make test` skips nothing."""
    lock = (paths.ROOT / "requirements.lock").read_text()
    assert all(f"\n{name}==" in lock for name in SERVING)


# --- a real server ---------------------------------------------------------------------------------------------------------


class Server:
    """`transformers serve` on loopback, holding micro-s, which samples where it is asked to."""

    def __init__(self, folder):
        self.log = folder / "server.log"
        self.model = shutil.copytree(loading.resolve("micro-s"), folder / "micro-s")
        (self.model / "generation_config.json").write_text(
            '{"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 3, "do_sample": true}'
        )
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = free.getsockname()[1]

    def start(self):
        serve = [
            sys.executable,
            "-c",
            "from transformers.cli.transformers import main; main()",
            "serve",
            self.model,
        ]
        with self.log.open("a") as log:
            self.process = subprocess.Popen(
                [*serve, "--host", "127.0.0.1", "--port", str(self.port), "--device", "cpu"],
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
        """How many requests it has answered since it first started."""
        return self.log.read_text().count('chat/completions HTTP/1.1" 200')


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("serve"))
    server.start()
    server.wait()
    yield server
    server.kill()


@pytest.fixture
def client(monkeypatch, tmp_path):
    """client(port) points the client there, with a new journal."""

    def point(port, runs="runs"):
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        monkeypatch.setenv("INBOL_RUNS", str(tmp_path / runs))

    return point


@pytest.fixture(scope="module")
def questions():
    rows = world.questions("vqav2", "validation", 24)
    return list(rows["question"]), list(rows["image"])


GREEDY = {"temperature": 0, "max_tokens": 8}
FAULTS = ("429", "500", "stalled", "truncated", "cut", "dropped", "page", "unheard")


class Proxy(Quiet):
    """Passes requests on; the first attempts of a request meet the faults that `server.plan(number of the request)` names."""

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        content = json.loads(body)["messages"][0]["content"]
        key = hashlib.sha256(json.dumps(content).encode()).hexdigest()
        with self.server.lock:
            number = self.server.numbers.setdefault(key, len(self.server.numbers))
            self.server.attempts[key] += 1
            faults = self.server.plan(number)
            fault = (
                faults[self.server.attempts[key] - 1]
                if self.server.attempts[key] <= len(faults)
                else None
            )
            self.server.met[fault] += 1
        self.meet(fault, body, key)

    def meet(self, fault, body, key):
        if fault in ("429", "500"):
            return self.answer(
                int(fault),
                b'{"error": {"message": "try again"}}',
                {"Retry-After": "0.1"} if fault == "429" else {},
            )
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
        gone = select.select([self.connection], [], [], 0)[
            0
        ]  # a client that still waits has nothing to say
        if fault == "unheard" or gone:
            return self.connection.close()
        self.answer(status, said)
        with self.server.lock:
            self.server.delivered[key] += status == 200
        return None

    def pass_on(self, body):
        upstream = http.client.HTTPConnection("127.0.0.1", self.server.upstream, timeout=60)
        upstream.request("POST", self.path, body, {"Content-Type": "application/json"})
        reply = upstream.getresponse()
        return reply.status, reply.read()


@pytest.fixture
def proxy(server, client):
    """proxy(plan) puts a faulty proxy between client and server, and returns it with its counts."""
    between = ThreadingHTTPServer(("127.0.0.1", 0), Proxy)
    between.over, between.lock, between.upstream = threading.Event(), threading.Lock(), server.port
    threading.Thread(target=between.serve_forever, args=(0.02,), daemon=True).start()

    def start(plan, runs):
        between.plan, between.numbers = plan, {}
        between.attempts, between.delivered, between.met = Counter(), Counter(), Counter()
        client(between.server_port, runs)
        return between

    yield start
    between.over.set()
    between.shutdown()
    between.server_close()


@serving
def test_faults_between_client_and_server_lose_and_repeat_nothing(
    server, client, proxy, questions, monkeypatch, capsys
):
    """Two rounds of every fault, some twice over: each question is answered once, as without faults."""
    monkeypatch.setenv("INBOL_TIMEOUT", "4")
    monkeypatch.setattr(endpoints, "WAITS", (0.02,) * 6)
    client(server.port, "clean")
    clean = Endpoint(f"endpoint:{server.model}").ask(*questions, **GREEDY)
    here, there = (
        sampling.greedy(*loading.load(name), *questions[::-1], 8, 4096)
        for name in ("micro-s", f"endpoint:{server.model}")
    )
    assert here == there, "the server sees the image and the question as the library does"
    faulty = proxy(lambda i: FAULTS[i % 8 : i % 8 + 1 + (i % 3 == 0)] if i < 16 else (), "faulty")
    asked = Endpoint(f"endpoint:{server.model}")
    assert asked.ask(*questions, **GREEDY) == clean
    assert set(faulty.met) == {*FAULTS, None}
    assert len(faulty.delivered) == len(
        set(zip(questions[0], map(Image.Image.tobytes, questions[1]), strict=True))
    )
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
    counted = proxy(lambda i: (), "runs")
    few = questions[0][:6], questions[1][:6]
    model, how = (
        Endpoint(f"endpoint:{server.model}"),
        {"temperature": 1.5, "max_tokens": 8, "seed": 3},
    )
    three = model.ask(*few, 3, **how)
    assert set(counted.attempts.values()) == {3}
    assert len({text for said in three for text in said}) > 6, "a seed of their own: samples differ"
    five = model.ask(*few, 5, **how)
    assert set(counted.attempts.values()) == {5}
    assert [said[:3] for said in five] == three


@serving
def test_a_server_killed_in_mid_run_stops_the_run_which_resumes_while_it_comes_back(
    server, client, questions, monkeypatch
):
    client(server.port)
    model = Endpoint(f"endpoint:{server.model}")
    monkeypatch.setenv("INBOL_CONCURRENCY", "2")
    monkeypatch.setattr(endpoints, "WAITS", (0.05,))
    add = endpoints.Journal.add
    monkeypatch.setattr(
        endpoints.Journal,
        "add",
        lambda self, line: (add(self, line), len([*self.lines()]) == 8 and server.kill()),
    )
    with pytest.raises(
        EndpointError, match=r"no server answers at .*run the same again and only the rest is sent"
    ):
        model.ask(*questions, **GREEDY)
    kept, answered = len([*model.journal.lines()]), server.answered()
    assert 8 <= kept < 24
    server.start()  # and at once, long before it listens:
    monkeypatch.setattr(endpoints, "WAITS", (0.5,) * 240)
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
    counted = proxy(lambda i: (), "runs")
    name, small = f"endpoint:{server.model}", run.overrides([[pair] for pair in SMALL])
    p = params.load("smoke", model=name, **small)
    pools = {split: question_pools.pool(p, split) for split in question_pools.POOLS}
    monkeypatch.setenv("INBOL_REQUEST_LIMIT", "5")
    monkeypatch.setattr(endpoints, "_sent", count())
    with pytest.raises(EndpointError, match="the limit of 5 requests is reached"):
        confidence.estimate_all(p, *loading.load(name), pools)
    assert counted.attempts.total() == 5
    monkeypatch.delenv("INBOL_REQUEST_LIMIT")
    assert run.main(["01", *sum((["-p", pair] for pair in [f"model={name}", *SMALL]), [])]) == 0
    metrics = json.loads((paths.Path(capsys.readouterr().out.strip()) / "metrics.json").read_text())
    assert sum(metrics["kinds"].values()) == 12
    assert metrics["unjudged"] == 0
    assert counted.attempts.total() == 3 * (4 + 2 + 2) * 2


@pytest.mark.parametrize(("kind", "code"), [("EndpointError", 1), ("DryRun", 0)])
def test_what_stops_an_endpoint_in_a_kernel_is_said_without_a_traceback(
    runs, monkeypatch, capsys, kind, code
):
    def stopped(*_, **__):
        raise PapermillExecutionError(3, 3, "", kind, "endpoint:any: the words", [])

    monkeypatch.setattr("papermill.execute_notebook", stopped)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # the flags stay in this test
    assert run.main(["01", "--dry-run", "--limit", "7"]) == code
    assert capsys.readouterr().err == "endpoint:any: the words\n"
    assert (os.environ["INBOL_DRY_RUN"], os.environ["INBOL_REQUEST_LIMIT"]) == ("1", "7")


# --- a small server, for what one request and one answer are ------------------------------------------------------------------


@pytest.mark.parametrize(("most", "requests"), [(5, 1), (2, 3), (1, 5), (0, 6)])
def test_n_samples_take_as_few_requests_as_the_server_allows(serve, most, requests):
    """... which gives `most` at a time; 0 refuses to be asked for several."""
    asked = serve(lambda text, image: "red", most)
    for _ in range(2):
        assert Endpoint("endpoint:any").ask(["What?"], n=5, temperature=1) == [["red"] * 5]
        assert len(asked) == requests, "and none the second time"


def test_the_same_question_is_asked_once_and_another_picture_or_setting_makes_another(serve):
    asked = serve(lambda text, image: str(image and image.getpixel((0, 0))))
    model, red, blue = (
        Endpoint("endpoint:any"),
        Image.new("RGB", (2, 2), "red"),
        Image.new("RGB", (2, 2), "blue"),
    )
    assert model.ask(["a", "a", "a"], [red, blue, red.copy()]) == [
        ["(255, 0, 0)"],
        ["(0, 0, 255)"],
        ["(255, 0, 0)"],
    ]
    assert len(asked) == 2
    model.ask(["a"], [red], temperature=0)
    Endpoint("endpoint:other").ask(["a"], [red])
    assert len(asked) == 4


def test_a_torn_last_line_costs_its_request_alone(serve):
    asked = serve(lambda text, image: text.upper() + "é")
    model = Endpoint("endpoint:any")
    said = model.ask(list("abcd"))
    whole = model.journal.path.read_bytes()
    for cut in (1, 2, 40, len(whole.splitlines()[-1])):
        model.journal.path.write_bytes(whole[:-cut])
        del asked[:]
        assert model.ask(list("abcd")) == said
        assert len(asked) == (cut > 1)
        assert model.ask(list("abcd")) == said
        assert len(asked) == (cut > 1)


KILLED = """
import sys
from inbol_lib.mllm.endpoints import Endpoint
Endpoint("endpoint:any").ask([str(i) for i in range(40)])
"""


def test_a_killed_client_asks_nothing_again_that_it_had_written_down(serve, monkeypatch):
    asked = serve(lambda text, image: time.sleep(0.05) or text)
    monkeypatch.setenv("INBOL_CONCURRENCY", "1")
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED], cwd=paths.ROOT, stderr=subprocess.DEVNULL
    )
    while len(asked) < 6:
        assert process.poll() is None
        time.sleep(0.01)
    process.send_signal(signal.SIGKILL)
    process.wait()
    model = Endpoint("endpoint:any")
    kept = {text for said in model.journal.answers().values() for text in said}
    assert 4 <= len(kept) < 40
    del asked[:]
    assert model.ask([str(i) for i in range(40)]) == [[str(i)] for i in range(40)]
    assert {text for text, _ in asked} == {str(i) for i in range(40)} - kept
    assert len(asked) == 40 - len(kept)


def test_two_stages_that_ask_at_the_same_time_ask_once(serve, capsys):
    asked = serve(lambda text, image: time.sleep(0.02) or text)
    said = []
    both = [
        threading.Thread(target=lambda: said.append(Endpoint("endpoint:any").ask(list("abcdef"))))
        for _ in range(2)
    ]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert said == [[[c] for c in "abcdef"]] * 2
    assert len(asked) == 6
    assert "waiting for another process" in capsys.readouterr().err


def test_no_more_requests_at_a_time_than_asked_for(serve, monkeypatch):
    at_once, most, lock = set(), [], threading.Lock()

    def reply(text, image):
        with lock:
            at_once.add(text)
            most.append(len(at_once))
        time.sleep(0.02)
        at_once.discard(text)
        return text

    serve(reply)
    monkeypatch.setenv("INBOL_CONCURRENCY", "3")
    Endpoint("endpoint:any").ask([str(i) for i in range(20)])
    assert 2 <= max(most) <= 3


def test_requests_that_a_live_server_refuses_are_none_however_many(serve, capsys):
    """Forty in a row: a greeting shows each time that the server is well. The rest is asked anew next time."""
    asked = serve(lambda text, image: 400 if text.startswith("bad") else text)
    texts = [f"bad {i}" for i in range(40)] + ["good"]
    model = Endpoint("endpoint:any")
    assert model.ask(texts) == [[None]] * 40 + [["good"]]
    assert Counter(text for text, _ in asked)["Hello"] in (1, 2)
    assert "40 failed (the last: " in capsys.readouterr().err
    before = len(asked)
    assert model.ask(texts)[-1] == ["good"]
    assert len(asked) - before == 40 + 3, (
        "two greetings on the way, and one because nothing was answered"
    )


def test_a_server_that_fails_everything_stops_the_run(serve):
    asked = serve(lambda text, image: None)
    with pytest.raises(
        EndpointError, match=r"requests and a mere greeting failed, the last with: .*500"
    ):
        Endpoint("endpoint:any").ask([str(i) for i in range(200)])
    assert len(asked) < 100
    with pytest.raises(EndpointError, match="3 requests and a mere greeting failed"):
        Endpoint("endpoint:any").ask(list("abc"))


@pytest.mark.parametrize(("status", "key"), [(404, "right"), (200, "wrong-4711")])
def test_a_wrong_model_or_key_stops_at_once_and_the_key_stays_secret(
    serve, monkeypatch, capsys, status, key
):
    asked = serve(lambda text, image: status)
    monkeypatch.setenv("OPENAI_API_KEY", key)
    monkeypatch.setenv("INBOL_CONCURRENCY", "1")
    with pytest.raises(
        EndpointError, match=r"endpoint:any: .*failed.*run the same again"
    ) as stopped:
        Endpoint("endpoint:any").ask(list("abc"))
    assert len(asked) == 1
    assert key not in str(stopped.value) + capsys.readouterr().err


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0.5", 0.5), ("9999", 120), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), (None, 0)],
)
def test_a_server_says_how_long_to_wait(said, seconds):
    response = SimpleNamespace(
        request=None, status_code=429, headers={"retry-after": said} if said else {}
    )
    assert endpoints._asked_to_wait(RateLimitError("busy", response=response, body=None)) == seconds


def test_without_a_key_it_says_what_to_set(monkeypatch, tmp_path):
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EndpointError, match="set OPENAI_API_KEY"):
        Endpoint("endpoint:any").ask(["a"])


def test_a_limit_a_price_and_the_sums(serve, monkeypatch, capsys):
    asked = serve(lambda text, image: text)
    monkeypatch.setattr(endpoints, "_sent", count())
    monkeypatch.setenv("INBOL_REQUEST_LIMIT", "3")
    monkeypatch.setenv("INBOL_PRICE", "2.5 10")
    with pytest.raises(EndpointError, match="the limit of 3 requests is reached"):
        Endpoint("endpoint:any").ask(list("abcde"))
    assert len(asked) == 3
    assert (
        "3 requests, 3 answers, 30 prompt tokens, 6 completion tokens, 0.0001 USD"
        in capsys.readouterr().err
    )
    monkeypatch.delenv("INBOL_REQUEST_LIMIT")
    Endpoint("endpoint:any").ask(list("abcde"))
    assert endpoints.main() == 0
    assert (
        "endpoint:any: 5 requests, 5 answers, 50 prompt tokens, 10 completion tokens, 0.0002 USD"
        in capsys.readouterr().out
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [("INBOL_TIMEOUT", "long"), ("INBOL_PRICE", "2.5"), ("INBOL_CONCURRENCY", "x")],
)
def test_a_setting_that_is_no_number_is_named(serve, monkeypatch, name, value):
    asked = serve(lambda text, image: text)
    monkeypatch.setenv(name, value)
    with pytest.raises(EndpointError, match=f"{name}: given '{value}'"):
        Endpoint("endpoint:any").ask(["a"])
    assert not asked


def test_a_dry_run_shows_what_is_missing_and_sends_nothing(serve, monkeypatch):
    asked = serve(lambda text, image: text)
    picture, model = Image.effect_noise((64, 64), 90), Endpoint("endpoint:any")
    model.ask(["one"], [picture], max_tokens=8)
    monkeypatch.setenv("INBOL_DRY_RUN", "1")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(DryRun) as shown:
        model.ask(["one", "two words", "three"], [picture] * 3, n=2, max_tokens=8)
    said = str(shown.value)
    assert (
        "endpoint:any would be asked 3 questions with 3 images for 5 answers (2 to each); 0 more"
        in said
    )
    assert "40 completion tokens" in said
    assert '"url": "data:image/png;base64,iVBOR' in said
    assert len(said) < 700, "the image is shortened"
    assert base64.b64encode(b"\x89PNG").decode()[:4] in said
    assert model.ask(["one"], [picture], max_tokens=8) == [["one"]], (
        "what is known needs no request"
    )
    assert len(asked) == 1


def test_equal_samples_everywhere_are_pointed_out(serve):
    serve(lambda text, image: text, 5)
    with pytest.warns(UserWarning, match="does the server heed temperature"):
        Endpoint("endpoint:any").ask([str(i) for i in range(10)], n=3, temperature=0.7)


def test_what_an_endpoint_failed_to_answer_is_unjudged(serve, smoke):
    serve(lambda text, image: None if "color" in text else "red")
    model, processor = loading.load("endpoint:any")
    p, rows = (
        smoke.replace(model="endpoint:any", num_samples=3, judge="string"),
        world.questions("vqav2", "train", 12),
    )
    records = (
        confidence.estimate_all(p, model, processor, {"train": [rows]})["train"]
        .remove_columns("image")
        .to_list()
    )
    failed = [r for r in records if "color" in r["question"]]
    assert 0 < len(failed) < 12
    assert all(r["verdicts"] == ["unjudged"] * 3 and r["responses"] == [""] * 3 for r in failed)
    assert all(
        "unjudged" not in r["verdicts"] and r["responses"] == ["red"] * 3
        for r in records
        if r not in failed
    )
    assert judge([{"question": "Is it?", "answers": ["no"], "choices": []}], [None], "string") == [
        "unjudged"
    ]
    (only,) = sampling.sample(model, processor, [rows[0]["image"]], ["What?"], 1, 0.0, 1.0, 4, 1000)
    assert only[0].text == "red"
    assert only[0].logprob != only[0].logprob, "no probabilities from an endpoint"


@pytest.mark.parametrize(("stage", "methods", "fits"), [
    ("confidence", "ca_dpo", True), ("composition", "ca_dpo", True), ("evaluation", "original", True), ("idk_it", "original", False),
    ("evaluation", "ca_dpo", False), ("ca_dpo", "original", False), ("probing", "original", False), ("paper_vs_ours", "original", False),
])  # fmt: skip
def test_an_endpoint_is_refused_as_the_model_of_what_needs_weights(
    runs, stage, methods, fits, capsys
):
    p = params.load("smoke", model="endpoint:any", models=["endpoint:any"], methods=[methods])
    if fits:
        return graph.check_endpoint(stage, p)
    with pytest.raises(ParameterError, match="needs weights"):
        stages.open(stage, p)
    assert (
        run.main(
            [
                stage,
                "-p",
                "model=endpoint:any",
                "-p",
                "models=[endpoint:any]",
                "-p",
                f"methods=[{methods}]",
            ]
        )
        == 2
    )
    assert "An endpoint can be the model of 00 to 03" in capsys.readouterr().err
    return None


def test_an_endpoint_needs_a_name():
    with pytest.raises(ParameterError, match="belongs behind endpoint:"):
        params.load("smoke", judge="endpoint:")
