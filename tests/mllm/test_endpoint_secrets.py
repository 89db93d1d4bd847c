"""Neither the key nor a password is shown, and no reply ends in a traceback."""

import base64
import json
import threading
from http.server import ThreadingHTTPServer

import pytest
from serving import Quiet

from inbol_lib.errors import EndpointError
from inbol_lib.mllm.endpoints import Endpoint, hiding, replies
from inbol_lib.study import running

KEY = "sk-proj-" + "0123456789abcdef" * 6
PASSWORD = "hunter%402-is-long"


class Server(Quiet):
    """Answers with what `make(headers)` returns: status, bytes, headers."""

    make: staticmethod

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(*self.make(self.headers))


@pytest.fixture
def served(runs, monkeypatch):
    """A function that starts a server which answers with `make`."""
    monkeypatch.setattr("inbol_lib.mllm.endpoints.client.WAITS", (0.01,))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    servers = []

    def start(make):
        handler = type("Making", (Server,), {"make": staticmethod(make)})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        address = f"127.0.0.1:{server.server_port}/v1"
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://bob:{PASSWORD}@{address}")

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def refused(capsys):
    """All that is shown where an endpoint fails one question."""
    with pytest.raises(EndpointError) as error:
        Endpoint("endpoint:any").ask(["What?"])
    return str(error.value) + capsys.readouterr().err


@pytest.mark.parametrize("before", [0, 60, 250, 290])
@pytest.mark.parametrize("status", [200, 400, 401, 500])
@pytest.mark.parametrize("kept", [17, 1000])
def test_an_echo_shows_no_secret_wherever_it_is_cut(served, capsys, before, status, kept):
    def echo(headers):
        told = headers["Authorization"].split()[1]
        text = "x" * before + told[:kept]
        body = {"error": {"message": text, "code": told}} if status > 200 else text
        return status, json.dumps(body).encode()

    served(echo)
    said = refused(capsys)
    assert "***" in said or before >= 250
    assert KEY[:8] not in said


def completion(text):
    """A server's answer, as it should be."""
    choice = {"message": {"content": text}, "finish_reason": "stop"}
    return json.dumps({"choices": [choice]}).encode()


@pytest.mark.parametrize("kept", [12, 17, 1000])
def test_an_answer_that_echoes_the_headers_is_kept_without_the_key(served, runs, kept):
    """... in what a stage is given, and in the journal."""

    def echo(headers):
        told = "\n".join(f"{name}: {value[: kept + 7]}" for name, value in headers.items())
        return 200, completion(f"{told}\nred")

    served(echo)
    ((said,),) = Endpoint("endpoint:any").ask(["What?"])
    assert said.endswith("red")
    written = "".join(file.read_text() for file in runs.rglob("*") if file.is_file())
    assert "red" in written, "there is a journal"
    for text in (said, written):
        assert "***" in text
        assert KEY[:9] not in text
        assert "hunter" not in text


FEW = {
    **{"model": "endpoint:any", "judge": "string", "sources": "[vqav2]", "ood_sources": "[]"},
    **{"train_questions": 2, "validation_questions": 1, "test_questions": 1, "num_samples": 2},
}


@pytest.mark.parametrize(("status", "code"), [(200, 0), (401, 1)])
def test_an_executed_notebook_and_all_beside_it_hold_no_secret(served, runs, capfd, status, code):
    def echo(headers):
        told = json.dumps(dict(headers))
        body = json.dumps({"error": {"message": told}}).encode()
        return status, completion(told) if status == 200 else body

    served(echo)
    words = [word for key, value in FEW.items() for word in ("-p", f"{key}={value}")]
    assert running.main(["01", "-f", "smoke", *words]) == code
    files = [file for file in runs.rglob("*") if file.is_file()]
    assert any(file.name == "notebook.ipynb" for file in files)
    told = "".join([*capfd.readouterr(), *(file.read_bytes().decode("latin-1") for file in files)])
    assert "***" in told, "the server has echoed them"
    assert KEY[:9] not in told
    assert "hunter" not in told


def test_a_short_key_is_a_word_that_answers_may_hold(served, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "any")
    served(lambda headers: (200, completion("as many as any")))
    assert Endpoint("endpoint:any").ask(["What?"]) == [["as many as any"]]


def test_a_password_is_hidden_in_every_form():
    address = f"http://bob:{PASSWORD}@host/v1"
    kept = hiding.secrets(KEY, address)
    basic = base64.b64encode(b"bob:hunter@2-is-long").decode()
    for told in (address, "hunter@2-is-long", PASSWORD, basic, KEY):
        shown = hiding.hidden(told, kept)
        assert "***" in shown
        for secret in ("hunter", basic[:8], KEY[:8]):
            assert secret not in shown
    assert hiding.hidden("a plain text", kept) == "a plain text"


def test_an_address_is_named_without_its_password(runs, monkeypatch, capsys):
    monkeypatch.setattr("inbol_lib.mllm.endpoints.client.WAITS", (0.01,))
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://bob:{PASSWORD}@127.0.0.1:9/v1")
    said = refused(capsys)
    assert "no server answers at http://***@127.0.0.1:9/v1" in said
    assert "hunter" not in said
    for wrong in ("http://bob:hun#ter@host/v1", "http://host:hunter", "hunter", "http://h:99999"):
        monkeypatch.setenv("OPENAI_BASE_URL", wrong)
        said = refused(capsys)
        assert "OPENAI_BASE_URL is no address" in said
        assert "hun" not in said


@pytest.mark.parametrize("wait", ["\u00b2", "-1", "nan", "inf", "1e999", "1_0", "", "\u0663"])
def test_no_word_for_a_wait_ends_in_a_traceback(served, capsys, wait):
    assert 0 <= replies.retry_after({"retry-after": wait}) <= replies.LONGEST_WAIT
    if wait in ("\u00b2", "-1", "nan", ""):
        served(lambda headers: (503, b'{"busy": 1}', {"Retry-After": wait}))
        assert "503" in refused(capsys)


BRACKETS = b"[" * 200_000
GOOD = {"message": {"content": "red"}, "finish_reason": "stop"}


@pytest.mark.parametrize("status", [200, 400, 404, 500])
@pytest.mark.parametrize(
    "content",
    [
        BRACKETS,
        BRACKETS + b"]" * 200_000,
        b'{"error": ' + BRACKETS + b"]" * 200_000 + b"}",
        b'{"choices": 7, "usage": Infinity}',
        json.dumps({"choices": [GOOD], "usage": float("inf")}).encode(),
        b"\xff\xfe\x00",
        b"{}",
    ],
)
def test_no_body_ends_in_a_traceback(served, capsys, status, content):
    served(lambda headers: (status, content))
    said = refused(capsys)
    assert len(said) < 2000
