"""A small OpenAI-compatible server on this machine, for whatever asks an endpoint."""

import base64
import io
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from PIL import Image

from inbol_lib import judging


class Handler(BaseHTTPRequestHandler):
    """Answers what `reply(text, image)` says, fails where that is None, and refuses the key "wrong"."""

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        content, image = body["messages"][0]["content"], None
        if isinstance(content, list):
            url, content = content[0]["image_url"]["url"], content[1]["text"]
            image = Image.open(io.BytesIO(base64.b64decode(url.removeprefix("data:image/png;base64,"))))
            image = Image.merge(image.mode, image.split())
        self.server.asked.append((content, image))
        said = self.server.reply(content, image)
        status = 401 if "wrong" in self.headers["Authorization"] else 500 if said is None else 200
        choice = {"index": 0, "finish_reason": "stop", "message": {"role": "assistant", "content": said}}
        reply = {"id": "1", "object": "chat.completion", "created": 0, "model": body["model"], "choices": [choice]}
        data = json.dumps(reply if status == 200 else {"error": {"message": "failed"}}).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *_):
        pass


@pytest.fixture
def serve(monkeypatch):
    """serve(reply) points the client at the server and returns the list of (text, image) that it is asked."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    monkeypatch.setenv("OPENAI_BASE_URL", f"http://127.0.0.1:{server.server_port}/v1")
    monkeypatch.setenv("OPENAI_API_KEY", "right")
    monkeypatch.setattr(judging, "RETRIES", 1)

    def start(reply):
        server.reply, server.asked = reply, []
        return server.asked

    yield start
    server.shutdown()
    server.server_close()
