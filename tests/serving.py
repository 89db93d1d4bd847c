"""A small OpenAI-compatible server on this machine, for whatever asks an endpoint."""

import base64
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from inbol_lib.mllm import endpoints


class Quiet(BaseHTTPRequestHandler):
    """A handler that answers with bytes, by default JSON, and logs nothing."""

    def answer(self, status, data, headers=(), length=None):
        self.send_response(status)
        for name, value in {
            "Content-Type": "application/json",
            "Content-Length": str(length or len(data)),
            **dict(headers),
        }.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


class Handler(Quiet):
    """Answers what `reply(text, image)` says, `most` times at most, fails where that is None, with the status where it is a number,
    and refuses the key "wrong"."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content, image = body["messages"][0]["content"], None
        if isinstance(content, list):
            url, content = content[0]["image_url"]["url"], content[1]["text"]
            image = Image.open(
                io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,")))
            )
            image = Image.merge(image.mode, image.split())
        self.server.asked.append((content, image))
        said = self.server.reply(content, image)
        status = 500 if said is None else said if isinstance(said, int) else 200
        status = (
            401
            if "wrong" in self.headers["Authorization"]
            else 422
            if body.get("n", 1) > 1 and not self.server.most
            else status
        )
        choice = {
            "index": 0,
            "finish_reason": "stop",
            "message": {"role": "assistant", "content": said},
        }
        choices = [choice] * min(body.get("n", 1), max(self.server.most, 1))
        reply = {
            "id": "1",
            "object": "chat.completion",
            "created": 0,
            "model": body["model"],
            "choices": choices,
        }
        reply["usage"] = {
            "prompt_tokens": 10,
            "completion_tokens": 2 * len(choices),
            "total_tokens": 0,
        }
        data = json.dumps(
            reply
            if status == 200
            else {"error": {"message": f"failed, key {self.headers['Authorization']}"}}
        ).encode()
        self.answer(status, data)


@pytest.fixture
def serve(monkeypatch, tmp_path):
    """serve(reply) points the client at the server and returns the list of (text, image) that it is asked; its journal is new."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(endpoints, "WAITS", (0.01,))

    def start(reply, most=1):
        server.reply, server.asked, server.most = reply, [], most
        return server.asked

    yield start
    server.shutdown()
    server.server_close()
