"""What one request and one answer are: nothing is asked twice, and little is lost to a kill."""

import signal
import subprocess
import sys
import threading
import time
from collections import Counter

import pytest
from PIL import Image

from inbol_lib import paths
from inbol_lib.errors import EndpointError
from inbol_lib.mllm.endpoints import Endpoint

pytest_plugins = ["serving"]


def echo(text, image):
    return text


@pytest.mark.parametrize(("most", "requests"), [(5, 1), (2, 3), (1, 5), (0, 6)])
def test_n_samples_take_as_few_requests_as_the_server_allows(serve, most, requests):
    """... which gives `most` at a time; 0 refuses to be asked for several."""
    asked = serve(lambda text, image: "red", most)
    for _ in range(2):
        assert Endpoint("endpoint:any").ask(["What?"], n=5, temperature=1) == [["red"] * 5]
        assert len(asked) == requests, "and none the second time"


def test_the_same_question_is_asked_once_and_another_picture_or_setting_makes_another(serve):
    asked = serve(lambda text, image: str(image and image.getpixel((0, 0))))
    model = Endpoint("endpoint:any")
    red, blue = Image.new("RGB", (2, 2), "red"), Image.new("RGB", (2, 2), "blue")
    said = model.ask(["a", "a", "a"], [red, blue, red.copy()])
    assert said == [["(255, 0, 0)"], ["(0, 0, 255)"], ["(255, 0, 0)"]]
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
    every = [str(i) for i in range(40)]
    assert model.ask(every) == [[text] for text in every]
    assert {text for text, _ in asked} == set(every) - kept
    assert len(asked) == 40 - len(kept)


def test_two_stages_that_ask_at_the_same_time_ask_once(serve, capsys):
    asked = serve(lambda text, image: time.sleep(0.02) or text)
    said = []

    def stage():
        said.append(Endpoint("endpoint:any").ask(list("abcdef")))

    both = [threading.Thread(target=stage) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert said == [[[letter] for letter in "abcdef"]] * 2
    assert len(asked) == 6
    assert "waiting for another process" in capsys.readouterr().err


def test_requests_that_a_live_server_refuses_are_none_however_many(serve, capsys):
    """Forty in a row: a greeting shows each time that the server is well, and all are kept open."""
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
    message = r"requests and a mere greeting failed, the last with: .*500"
    with pytest.raises(EndpointError, match=message):
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
    message = r"endpoint:any: .*failed.*run the same again"
    with pytest.raises(EndpointError, match=message) as stopped:
        Endpoint("endpoint:any").ask(list("abc"))
    assert len(asked) == 1
    assert key not in str(stopped.value) + capsys.readouterr().err


def test_equal_samples_everywhere_are_pointed_out(serve):
    serve(echo, 5)
    with pytest.warns(UserWarning, match="does the server heed temperature"):
        Endpoint("endpoint:any").ask([str(i) for i in range(10)], n=3, temperature=0.7)
