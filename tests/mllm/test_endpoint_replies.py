"""Every form in which servers answer, or do not answer, is read or counted; nothing is guessed."""

import json
import threading
from http.server import ThreadingHTTPServer

import pytest
from serving import Quiet

from inbol_lib.data.texts import mended
from inbol_lib.mllm.endpoints import Endpoint, replies
from inbol_lib.mllm.journal import Journal


def reply(content, finish="stop", usage=None, **message):
    """Return the bytes of a completion with one choice."""
    choice = {"finish_reason": finish, "message": {"content": content, **message}}
    return json.dumps({"choices": [choice], "usage": usage}).encode()


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (reply("yes"), "yes"),
        (reply(""), ""),
        (reply([{"type": "text", "text": "a "}, {"type": "text", "text": "cat"}]), "a cat"),
        (reply(None, refusal="I can't help with that."), "I can't help with that."),
        (reply("cut off in the", finish="length"), "cut off in the"),
        (reply("yes \ud83d"), "yes \ufffd"),
        (reply("\ud83d\ude00"), "\U0001f600"),
        (reply("yes", reasoning_content="The picture shows"), "yes"),
        (reply("yes", usage={"prompt_tokens": None}), "yes"),
    ],
)
def test_an_answer_is_read_in_any_form(content, text):
    assert replies.read(content).texts == [text]


@pytest.mark.parametrize(
    "content",
    [
        reply(None, finish="length", reasoning_content="The picture shows a red"),
        reply("", finish="length"),
        reply(None, finish="content_filter"),
        reply("", reasoning="It is"),
        reply([], finish="length"),
    ],
)
def test_a_model_that_was_cut_off_gave_no_answer(content):
    with pytest.raises(replies.NoAnswer, match="finish_reason"):
        replies.read(content)


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"<html>",
        b"{}",
        b'{"choices": []}',
        b"[" * 100_000,
        reply(7),
        reply("x", usage={"prompt_tokens": 1e999}),
    ],
)
def test_anything_else_is_no_completion(content):
    with pytest.raises(replies.NoCompletion):
        replies.read(content)


class Server(Quiet):
    """Answers each request with the next of `said`: (status, bytes); the last one stays."""

    said: list
    bodies: list

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.bodies.append(body)
        status, content = self.said.pop(0) if len(self.said) > 1 else self.said[0]
        self.answer(status, content)


@pytest.fixture
def answering(runs, monkeypatch):
    """A function that starts a server with what it says; returns the bodies that it is sent."""
    servers = []

    def start(*said):
        handler = type("Saying", (Server,), {"said": list(said), "bodies": []})
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        servers.append(server)
        monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
        monkeypatch.setenv("OPENAI_API_KEY", "any")
        return handler.bodies

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_a_cut_answer_is_counted_left_open_and_asked_again(answering, capsys):
    cut = reply(None, finish="length", reasoning_content="The")
    answering((200, cut), (200, reply("red")))
    endpoint = Endpoint("endpoint:any")
    said = endpoint.ask(["What color?"], temperature=0, max_tokens=3)
    assert said == [[None]]
    assert "1 failed" in capsys.readouterr().err
    assert endpoint.ask(["What color?"], temperature=0, max_tokens=3) == [["red"]]


def test_a_server_that_wants_another_name_for_the_limit_gets_it(answering):
    wants = {"error": {"message": "Use 'max_completion_tokens' instead of 'max_tokens'."}}
    bodies = answering((400, json.dumps(wants).encode()), (200, reply("red")))
    endpoint = Endpoint("endpoint:any")
    assert endpoint.ask(["a", "b"], temperature=0, max_tokens=3) == [["red"], ["red"]]
    assert endpoint.ask(["c"], temperature=0, max_tokens=3) == [["red"]]
    assert bodies[-1]["max_completion_tokens"] == 3, "from now on, whatever was on its way before"
    assert "max_tokens" not in bodies[-1]


def test_a_poisoned_journal_is_read_past(tmp_path):
    journal = Journal(tmp_path / "j.jsonl")
    good = {"key": "k", "first": 0, "texts": ["red"]}
    poison = [b"7", b"[" * 100_000, b'{"key": "k", "first": 0, "texts": [["red"]]}', b'{"a": 1}']
    journal.path.write_bytes(b"\n".join([*poison, json.dumps(good).encode()]) + b"\n")
    assert journal.answers() == {"k": ["red"]}
    journal.add({**good, "first": 1, "asked": "half \ud83d"})
    assert journal.answers() == {"k": ["red", "red"]}


def test_only_texts_are_mended():
    with pytest.raises(TypeError, match="int"):
        mended(7)
