"""A small OpenAI-compatible server on this machine, for whatever asks an endpoint."""

import base64
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

PNG_URL = "data:image/png;base64,"


class Quiet(BaseHTTPRequestHandler):
    """A handler that answers with bytes, by default JSON, and logs nothing."""

    def answer(self, status, data, headers=(), length=None):
        usual = {"Content-Type": "application/json", "Content-Length": str(length or len(data))}
        self.send_response(status)
        for name, value in {**usual, **dict(headers)}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Handler(Quiet):
    """Answers with what `reply(text, image)` returns, `most` times at most.

    None makes a request fail, a number makes it fail with this status, and the key "wrong" is
    always refused. With `most` = 0 the server refuses to be asked for several answers.
    """

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        text, image = asked_in(body)
        self.server.asked.append((text, image))
        said = self.server.reply(text, image)
        status = self.status(body, said)
        if status == 200:
            choices = min(body.get("n", 1), max(self.server.most, 1))
            content = completion(body["model"], said, choices)
        else:
            content = {"error": {"message": f"failed, key {self.headers['Authorization']}"}}
        self.answer(status, json.dumps(content).encode())

    def status(self, body, said):
        if "wrong" in self.headers["Authorization"]:
            return 401
        if body.get("n", 1) > 1 and not self.server.most:
            return 422
        if said is None:
            return 500
        return said if isinstance(said, int) else 200


def asked_in(body):
    """Return text and image (None without) of a request's body."""
    content = body["messages"][0]["content"]
    if isinstance(content, str):
        return content, None
    url, text = content[0]["image_url"]["url"], content[1]["text"]
    image = Image.open(io.BytesIO(base64.b64decode(url.removeprefix(PNG_URL))))
    return text, Image.merge(image.mode, image.split())


def completion(model, text, choices):
    """Return a chat completion with the same text in every choice."""
    message = {"role": "assistant", "content": text}
    choice = {"index": 0, "finish_reason": "stop", "message": message}
    usage = {"prompt_tokens": 10, "completion_tokens": 2 * choices, "total_tokens": 0}
    return {
        "id": "1",
        "object": "chat.completion",
        "created": 0,
        "model": model,
        "choices": [choice] * choices,
        "usage": usage,
    }


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """serve(reply) starts the server and returns the list of (text, image) that it is asked.

    The client is pointed there, with a new journal.
    """
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr("inbol_lib.mllm.endpoints.client.WAITS", (0.01,))

    def start(reply, most=1):
        server.reply, server.asked, server.most = reply, [], most
        return server.asked

    yield start
    server.shutdown()
    server.server_close()
