"""Models behind any OpenAI-compatible server (vLLM, SGLang, `transformers serve`, GPT-4o), named "endpoint:<model>".

OPENAI_BASE_URL and OPENAI_API_KEY say where and with which key. Every finished request is written at once to a journal in
runs/endpoints/, so whatever stops a run, running it again sends only what is missing. The other settings:

INBOL_CONCURRENCY  requests at a time (8)          INBOL_REQUEST_LIMIT  most requests of one stage (no limit)
INBOL_TIMEOUT      seconds until one is late (300) INBOL_DRY_RUN        1: show what would be sent, and send nothing
INBOL_PRICE        US dollars for a million prompt and completion tokens, for instance "2.5 10"

`inbol endpoints` adds up the requests, tokens and dollars of all journals.
"""

import argparse
import base64
import hashlib
import io
import json
import os
import random
import re
import sys
import warnings
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from functools import cached_property
from itertools import count
from threading import Event, Lock
from typing import Any

from PIL import Image
from tqdm import tqdm

from inbol_lib import paths
from inbol_lib.errors import DryRun, EndpointError
from inbol_lib.mllm.journal import Journal
from inbol_lib.progress import progress

PREFIX = "endpoint:"
WAITS = (
    0.5,
    1,
    2,
    4,
    8,
    16,
)  # seconds before a request is sent again, unless the server names a longer time
LONGEST_WAIT = 120  # seconds that a server may ask for
IN_A_ROW = 16  # requests that fail one after another before a greeting is sent, to see whether it is they that are wrong
TOKENS = ("prompt_tokens", "completion_tokens")
_sent = count()  # requests of this process, for the limit


class Failed(Exception):
    """A live server failed this one request."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


class Endpoint:
    """One model on one server, and the journal of what it has answered."""

    def __init__(self, name: str) -> None:
        self.name, self.model = name, name.removeprefix(PREFIX)
        words = "".join(c if c.isalnum() or c in ".-_" else "-" for c in self.model.strip("/"))[
            -60:
        ]
        self.journal = Journal(
            paths.runs() / "endpoints" / f"{words}-{_digest(self.model)[:8]}.jsonl"
        )
        self.stopping, self.lock = Event(), Lock()

    @cached_property
    def client(self) -> Any:
        """OpenAI's client; its half second of loading is spent where an endpoint is asked, not in every stage."""
        import openai

        try:
            return openai.OpenAI(max_retries=0, timeout=_number("INBOL_TIMEOUT", 300))
        except openai.OpenAIError:
            raise EndpointError(
                "set OPENAI_API_KEY (any word for a local server) and, unless OpenAI is meant, OPENAI_BASE_URL"
            ) from None

    def ask(
        self,
        texts: Sequence[str],
        images: Sequence[Image.Image] | None = None,
        n: int = 1,
        **settings: Any,
    ) -> list[list[str | None]]:
        """`n` answers to each text (and its image), None where a live server failed the request for good; such are asked anew next time.

        `settings` (temperature, max_tokens, ...) go with each request; of a `seed` every sample has its own. Raises EndpointError when
        the server is out of reach, refuses the key or the model, or fails everything; and DryRun, where that is asked for."""
        images = [None] * len(texts) if images is None else images
        if len(images) != len(texts):
            raise ValueError(
                f"{len(images)} images and {len(texts)} texts; each text needs one, or none has any"
            )
        keys = [self._key(text, images[i], settings) for i, text in enumerate(texts)]
        places = {key: i for i, key in enumerate(keys)}  # the same question is asked once

        def request(key: str) -> dict[str, Any]:
            return self._request(texts[places[key]], images[places[key]], settings)

        with self.journal.held():
            done = self.journal.answers()
            missing = {
                key: done.setdefault(key, []) for key in places if len(done.get(key, [])) < n
            }
            if missing and os.environ.get("INBOL_DRY_RUN"):
                raise DryRun(self._preview(missing, request, n, len(places)))
            if missing:
                self.greeting = self._request(
                    "Hello", images[0] and Image.new("RGB", (64, 64)), settings
                )
                self._fill(missing, request, n)
        drawn = [done[key] for key in places]
        if (
            settings.get("temperature")
            and n > 1
            and len(drawn) >= 10
            and all(len(said) == n and len(set(said)) == 1 for said in drawn)
        ):
            warnings.warn(f"{self.name} gave each question {n} equal answers: does the server heed temperature and seed? `transformers "
                          "serve` samples only where the model's generation_config.json says do_sample: true", stacklevel=2)  # fmt: skip
        return [[*done[key], *[None] * n][:n] for key in keys]

    def _key(self, text: str, image: Image.Image | None, settings: dict) -> str:
        """What is asked of whom, as a hash: of the pixels, because another Pillow may pack them otherwise."""
        picture = image and _digest(f"{image.size}".encode() + image.convert("RGB").tobytes())
        return _digest(json.dumps([self.model, sorted(settings.items()), text, picture]))[:32]

    def _request(self, text: str, image: Image.Image | None, settings: dict) -> dict[str, Any]:
        content: str | list[dict] = text
        if image:
            image.convert("RGB").save(file := io.BytesIO(), "PNG")
            url = f"data:image/png;base64,{base64.b64encode(file.getvalue()).decode()}"
            content = [
                {"type": "image_url", "image_url": {"url": url}},
                {"type": "text", "text": text},
            ]
        return {"model": self.model, "messages": [{"role": "user", "content": content}], **settings}

    def _fill(self, missing: dict[str, list[str]], request, n: int) -> None:
        """Bring every list in `missing` to `n` answers, some requests at a time."""
        self.tally, self.in_a_row = Counter(), 0
        self.last = ""
        self.stopping.clear()
        pool = ThreadPoolExecutor(int(_number("INBOL_CONCURRENCY", 8)))
        try:
            _ = self.client, _prices()  # what is set wrongly is said before anything is sent
            futures = [
                pool.submit(self._finish, key, request, said, n) for key, said in missing.items()
            ]
            for future in tqdm(
                as_completed(futures),
                self.name,
                len(futures),
                unit="question",
                disable=not progress(),
            ):
                future.result()
            if not self.tally["requests"]:
                self._greet()
        except EndpointError as error:
            raise EndpointError(
                f"{self.name}: {error}. What was answered is kept: run the same again and only the rest is sent"
            ) from None
        finally:
            self.stopping.set()
            pool.shutdown(cancel_futures=True)  # those on their way end, and are written down
            failed = (
                f", {self.tally['failed']} failed (the last: {self.last})"
                if self.tally["failed"]
                else ""
            )
            print(f"{self.name}: {_sums(self.tally)}{failed}", file=sys.stderr)

    def _finish(self, key: str, request, said: list[str], n: int) -> None:
        """Ask until there are `n` answers: servers may give fewer than asked for, one at least, or refuse to give several at once."""
        body, most = request(key), n
        while len(said) < n and not self.stopping.is_set():
            wanted = min(most, n - len(said))
            several = {"n": wanted} if wanted > 1 else {}
            seed = (
                {"seed": body["seed"] + len(said)} if "seed" in body else {}
            )  # or all would be the same
            try:
                texts, used = self._send({**body, **seed, **several})
            except Failed as failure:
                if several and failure.status in (400, 422):
                    most = 1
                    continue
                return self._failed(failure)
            texts = texts[:wanted]
            self.journal.add(
                {
                    "key": key,
                    "first": len(said),
                    "texts": texts,
                    **used,
                    "asked": _text(body),
                    "model": self.model,
                }
            )
            said += texts
            with self.lock:
                self.tally.update(requests=1, answers=len(texts), **used)
                self.in_a_row = 0
        return None

    def _failed(self, failure: Failed) -> None:
        if self.stopping.is_set():
            return
        with self.lock:
            self.tally["failed"] += 1
            self.last = str(failure)
            self.in_a_row = (self.in_a_row + 1) % IN_A_ROW
            suspicious = self.in_a_row == 0
        if suspicious:
            self._greet()

    def _greet(self) -> None:
        """Is it the requests that are wrong, one by one? Then a greeting is answered; if not, going on is pointless."""
        try:
            self._send(self.greeting)
        except Failed as failure:
            raise self._stop(
                f"{self.tally['failed']} requests and a mere greeting failed, the last with: {failure}"
            ) from None

    def _send(self, body: dict[str, Any]) -> tuple[list[str], dict[str, int]]:
        """The answers in one response and its tokens, sent again while that may help. Raises Failed when it did not."""
        if next(_sent) >= _number("INBOL_REQUEST_LIMIT", float("inf")):
            raise self._stop(
                f"the limit of {os.environ['INBOL_REQUEST_LIMIT']} requests is reached"
            )
        import openai

        for wait in (*WAITS, None):
            try:
                return _read(
                    self.client.chat.completions.with_raw_response.create(
                        **body
                    ).http_response.content
                )
            except (openai.APIConnectionError, openai.APIStatusError, Failed) as error:
                status = getattr(error, "status_code", None)
                words = " ".join(str(error).replace(self.client.api_key, "***").split())[:300]
                if status in (401, 404):  # the key; the model or the address
                    raise self._stop(words) from None
                if wait is None and type(error.__cause__).__name__.startswith("Connect"):
                    raise self._stop(
                        f"no server answers at {self.client.base_url}: check OPENAI_BASE_URL and the server"
                    ) from None
                if wait is None or not (
                    status is None or status in (408, 409, 429) or status >= 500
                ):
                    raise Failed(words, status) from None
                if self.stopping.wait(max(wait * random.uniform(0.75, 1), _asked_to_wait(error))):
                    raise Failed("stopped") from None
        raise AssertionError("the last attempt returns or raises")

    def _stop(self, words: str) -> EndpointError:
        """The error to raise; from now on no worker begins another request."""
        self.stopping.set()
        return EndpointError(words)

    def _preview(self, missing: dict[str, list[str]], request, n: int, asked: int) -> str:
        """What would be sent, and the first request with its image shortened."""
        answers, tokens, images = sum(n - len(said) for said in missing.values()), Counter(), 0
        for body in map(request, missing):
            images += not isinstance(body["messages"][0]["content"], str)
            tokens.update(prompt_tokens=len(_text(body)) // 4)
        tokens.update(completion_tokens=answers * body.get("max_tokens", 0))
        first = re.sub(
            r'(base64,.{16})[^"]*',
            r"\1...",
            json.dumps(request(next(iter(missing))), ensure_ascii=False),
        )
        return (f"dry run, nothing is sent. {self.name} would be asked {len(missing):,} questions with {images:,} images for {answers:,} "
                f"answers ({n} to each); {asked - len(missing):,} more are answered already.\nAbout {_sums(tokens)}: 4 characters a token, "
                f"images not counted, answers at their longest.\nThe first: {first}")  # fmt: skip


def _read(content: bytes) -> tuple[list[str], dict[str, int]]:
    """Answers and token counts of a chat completion."""
    try:
        reply = json.loads(content)
        texts = [choice["message"]["content"] or "" for choice in reply["choices"]]
        used = {key: int((reply.get("usage") or {}).get(key) or 0) for key in TOKENS}
    except (ValueError, KeyError, TypeError, AttributeError):
        texts = []
    if not texts:
        raise Failed(f"no chat completion: {content[:80]!r}")
    return texts, used


def _asked_to_wait(error: Exception) -> float:
    """Seconds in Retry-After, 0 without (or with a date, which few servers send)."""
    value = error.response.headers.get("retry-after", "") if hasattr(error, "response") else ""
    return min(float(value), LONGEST_WAIT) if value.replace(".", "", 1).isdigit() else 0.0


def _text(request: dict[str, Any]) -> str:
    content = request["messages"][0]["content"]
    return content if isinstance(content, str) else content[1]["text"]


def _digest(value: str | bytes) -> str:
    return hashlib.sha256(value.encode() if isinstance(value, str) else value).hexdigest()


def _number(name: str, default: float) -> float:
    try:
        return float(os.environ.get(name) or default)
    except ValueError:
        raise EndpointError(f"{name}: given {os.environ[name]!r}, a number is needed") from None


def _sums(tally: dict[str, int]) -> str:
    """Counts in words, and dollars where INBOL_PRICE is set."""
    words = (
        ", ".join(
            f"{value:,} {key.replace('_', ' ')}" for key, value in tally.items() if key != "failed"
        )
        or "nothing"
    )
    cost = sum(
        price * tally.get(key, 0) / 1e6 for price, key in zip(_prices(), TOKENS, strict=False)
    )
    return words + (f", {cost:.4f} USD" if _prices() else "")


def _prices() -> list[float]:
    """US dollars for a million prompt and completion tokens, or nothing."""
    given = os.environ.get("INBOL_PRICE", "")
    try:
        prices = [float(price) for price in given.split()]
    except ValueError:
        prices = [0.0]
    if len(prices) not in (0, 2):
        raise EndpointError(
            f'INBOL_PRICE: given {given!r}, two numbers are needed, such as "2.5 10"'
        )
    return prices


def main(argv: Sequence[str] | None = None) -> int:
    """Print what each journal holds."""
    argparse.ArgumentParser(
        "inbol endpoints", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(argv)
    for path in sorted((paths.runs() / "endpoints").glob("*.jsonl")):
        tally, models = Counter(), set()
        for line in Journal(path).lines():
            tally.update(
                requests=1, answers=len(line["texts"]), **{key: line[key] for key in TOKENS}
            )
            models.add(line["model"])
        print(f"{PREFIX}{', '.join(models)}: {_sums(tally)} ({path})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
