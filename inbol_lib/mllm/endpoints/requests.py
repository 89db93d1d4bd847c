"""One request: a question to a model, its form on the wire, and the key of its answers."""

import base64
import hashlib
import io
import json
import re
from typing import Any, NamedTuple

from PIL import Image

#: Marks a model's name as that of an endpoint: "endpoint:<model>".
PREFIX = "endpoint:"
#: What the server receives, as JSON.
Body = dict[str, Any]


class Request(NamedTuple):
    """One question to one model, answered any number of times.

    `settings` (temperature, max_tokens, seed, ...) go with it as they are.
    """

    model: str
    text: str
    image: Image.Image | None
    settings: dict[str, Any]

    def key(self) -> str:
        """Return a hash of everything that decides the answers, the key in the journal.

        Of an image its pixels count: another version of Pillow may pack them differently.
        """
        picture = None
        if self.image:
            size = f"{self.image.size}".encode()
            picture = digest(size + self.image.convert("RGB").tobytes())
        settings = sorted(self.settings.items())
        return digest(json.dumps([self.model, settings, self.text, picture]))[:32]

    def body(self) -> Body:
        """Return the request as an OpenAI-compatible server reads it, the image as a PNG."""
        content: str | list[dict] = self.text
        if self.image:
            content = [
                {"type": "image_url", "image_url": {"url": _data_url(self.image)}},
                {"type": "text", "text": self.text},
            ]
        messages = [{"role": "user", "content": content}]
        return {"model": self.model, "messages": messages, **self.settings}


def for_samples(body: Body, first: int, number: int) -> Body:
    """Return the body that asks for samples `first` to `first` + `number` - 1 of a question.

    Each request has a seed of its own; with the same seed all samples would be equal. `n` is left
    out where one sample is wanted, because some servers refuse it.
    """
    own: Body = {}
    if "seed" in body:
        own["seed"] = body["seed"] + first
    if number > 1:
        own["n"] = number
    return {**body, **own}


def shortened(body: Body) -> str:
    """Return a body as people read it: the image cut after its first letters."""
    return re.sub(r'(base64,.{16})[^"]*', r"\1...", json.dumps(body, ensure_ascii=False))


def digest(value: str | bytes) -> str:
    """Return the SHA-256 of a text or of bytes, in hexadecimal."""
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()


def _data_url(image: Image.Image) -> str:
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    return f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
