"""Settings of an endpoint: key, limit, price, concurrency, dry run, and how long to wait."""

import base64
import threading
import time
from itertools import count

import pytest
from PIL import Image

from inbol_lib.errors import DryRun, EndpointError
from inbol_lib.mllm import endpoints
from inbol_lib.mllm.endpoints import Endpoint, replies

pytest_plugins = ["serving"]


def echo(text, image):
    return text


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


@pytest.mark.parametrize(
    ("said", "seconds"),
    [("7", 7), ("0.5", 0.5), ("9999", 120), ("Wed, 21 Oct 2015 07:28:00 GMT", 0), (None, 0)],
)
def test_a_server_says_how_long_to_wait(said, seconds):
    headers = {} if said is None else {"retry-after": said}
    assert replies.retry_after(headers) == seconds


def test_the_client_waits_as_long_as_the_server_says(serve, monkeypatch):
    """... here half a second, where it would have repeated the request at once."""
    statuses = iter([429, "red"])
    asked = serve(lambda text, image: next(statuses))
    monkeypatch.setattr(replies, "retry_after", lambda headers: 0.5)
    start = time.monotonic()
    assert Endpoint("endpoint:any").ask(["What?"]) == [["red"]]
    assert time.monotonic() - start >= 0.5
    assert len(asked) == 2


def test_without_a_key_it_says_what_to_set(monkeypatch, tmp_path):
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path))
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    with pytest.raises(EndpointError, match="set OPENAI_API_KEY"):
        Endpoint("endpoint:any").ask(["a"])


def test_a_limit_a_price_and_the_sums(serve, monkeypatch, capsys):
    asked = serve(echo)
    monkeypatch.setattr("inbol_lib.mllm.endpoints.client._sent", count())
    monkeypatch.setenv("INBOL_REQUEST_LIMIT", "3")
    monkeypatch.setenv("INBOL_PRICE", "2.5 10")
    with pytest.raises(EndpointError, match="the limit of 3 requests is reached"):
        Endpoint("endpoint:any").ask(list("abcde"))
    assert len(asked) == 3
    three = "3 requests, 3 answers, 30 prompt tokens, 6 completion tokens, 0.0001 USD"
    assert three in capsys.readouterr().err
    monkeypatch.delenv("INBOL_REQUEST_LIMIT")
    Endpoint("endpoint:any").ask(list("abcde"))
    assert endpoints.main([]) == 0
    five = "5 requests, 5 answers, 50 prompt tokens, 10 completion tokens, 0.0002 USD"
    assert f"endpoint:any: {five}" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "value"),
    [("INBOL_TIMEOUT", "long"), ("INBOL_PRICE", "2.5"), ("INBOL_CONCURRENCY", "x")],
)
def test_a_setting_that_is_no_number_is_named(serve, monkeypatch, name, value):
    asked = serve(echo)
    monkeypatch.setenv(name, value)
    with pytest.raises(EndpointError, match=f"{name}: given '{value}'"):
        Endpoint("endpoint:any").ask(["a"])
    assert not asked


def test_a_dry_run_shows_what_is_missing_and_sends_nothing(serve, monkeypatch):
    asked = serve(echo)
    picture, model = Image.effect_noise((64, 64), 90), Endpoint("endpoint:any")
    model.ask(["one"], [picture], max_tokens=8)
    monkeypatch.setenv("INBOL_DRY_RUN", "1")
    monkeypatch.delenv("OPENAI_API_KEY")
    with pytest.raises(DryRun) as shown:
        model.ask(["one", "two words", "three"], [picture] * 3, n=2, max_tokens=8)
    said = str(shown.value)
    asks = "endpoint:any would be asked 3 questions with 3 images for 5 answers (2 to each)"
    assert f"{asks}; 0 more" in said
    assert "40 completion tokens" in said
    assert '"url": "data:image/png;base64,iVBOR' in said
    assert len(said) < 700, "the image is shortened"
    assert base64.b64encode(b"\x89PNG").decode()[:4] in said
    known = model.ask(["one"], [picture], max_tokens=8)
    assert known == [["one"]], "what is known needs no request"
    assert len(asked) == 1
