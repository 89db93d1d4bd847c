"""Half precision says what single precision says, but for answers that were close calls."""

import numpy as np
import pytest

from inbol_lib.data.records import prompt_text
from inbol_lib.micro import world
from inbol_lib.mllm import loading
from inbol_lib.mllm.sampling.responses import Response, sample


@pytest.fixture(scope="module")
def questions() -> list[dict]:
    return [row for source in world.SOURCES for row in world.questions(source, "test", 60, 5)]


def answers(precision: str, questions: list[dict]) -> list[Response]:
    """Ask micro-s greedily with its weights in a precision."""
    model, processor = loading.load("micro-s", device="cpu", precision=precision)
    texts = [prompt_text(row, "text") for row in questions]
    images = [row["image"] for row in questions]
    said = sample(model, processor, images, texts, 1, 0.0, 1.0, 24, 8192)
    return [only for (only,) in said]


@pytest.fixture(scope="module")
def exact(questions) -> list[Response]:
    return answers("float32", questions)


@pytest.mark.parametrize(("precision", "apart"), [("bfloat16", 0.25), ("float16", 0.05)])
def test_half_precision_gives_the_answers_of_float32(precision, apart, questions, exact):
    rounded = answers(precision, questions)
    same = np.array([a.text == b.text for a, b in zip(exact, rounded, strict=True)])
    gaps = [a.logprob - b.logprob for a, b in zip(exact, rounded, strict=True)]
    assert same.mean() >= 0.95
    assert np.isfinite(gaps).all()
    assert np.quantile(np.abs(gaps)[same], 0.99) < apart
    # where the texts differ, float32 was nearly as fond of another answer
    assert (
        np.exp([one.logprob for one, alike in zip(exact, same, strict=True) if not alike]).max(
            initial=0
        )
        < 0.9
    )
