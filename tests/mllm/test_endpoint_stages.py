"""Stages that ask an endpoint: which can, what a failed answer becomes, and what stops them."""

import math
import os

import pytest
from papermill.exceptions import PapermillExecutionError

from inbol_lib import params
from inbol_lib.boundary import confidence
from inbol_lib.errors import ParameterError
from inbol_lib.judging.hybrid import judge
from inbol_lib.micro import world
from inbol_lib.mllm import loading, sampling
from inbol_lib.study import graph, running, stages

pytest_plugins = ["serving"]


@pytest.mark.parametrize(("kind", "code"), [("EndpointError", 1), ("DryRun", 0)])
def test_what_stops_an_endpoint_in_a_kernel_is_said_without_a_traceback(
    runs, monkeypatch, capsys, kind, code
):
    def stopped(*_, **__):
        raise PapermillExecutionError(3, 3, "", kind, "endpoint:any: the words", [])

    monkeypatch.setattr("papermill.execute_notebook", stopped)
    monkeypatch.setattr(os, "environ", os.environ.copy())  # the flags stay in this test
    assert running.main(["01", "--dry-run", "--limit", "7"]) == code
    assert capsys.readouterr().err == "endpoint:any: the words\n"
    assert (os.environ["INBOL_DRY_RUN"], os.environ["INBOL_REQUEST_LIMIT"]) == ("1", "7")


def red_but_no_colours(text, image):
    """Answer "red", and fail where a colour is asked for."""
    return None if "color" in text else "red"


def test_what_an_endpoint_failed_to_answer_is_unjudged(serve, smoke):
    serve(red_but_no_colours)
    model, processor = loading.load("endpoint:any")
    p = smoke.replace(model="endpoint:any", num_samples=3, judge="string")
    rows = world.questions("vqav2", "train", 36)
    estimated = confidence.estimate_all(p, model, processor, {"train": [rows]})["train"]
    records = estimated.remove_columns("image").to_list()
    failed = [record for record in records if "color" in record["question"]]
    answered = [record for record in records if "color" not in record["question"]]
    assert failed
    assert answered
    for record in failed:
        assert record["verdicts"] == ["unjudged"] * 3
        assert record["responses"] == [""] * 3
    for record in answered:
        assert "unjudged" not in record["verdicts"]
        assert record["responses"] == ["red"] * 3


def test_a_response_that_is_none_is_unjudged():
    row = {"question": "Is it?", "answers": ["no"], "choices": []}
    assert judge([row], [None], "string") == ["unjudged"]


def test_an_endpoint_gives_a_text_without_a_probability(serve):
    serve(red_but_no_colours)
    image = world.questions("vqav2", "train", 12)[0]["image"]
    asked = ([image], ["What?"], 1, 0.0, 1.0, 4, 1000)
    ((only,),) = sampling.sample(*loading.load("endpoint:any"), *asked)
    assert only.text == "red"
    assert math.isnan(only.logprob)


@pytest.mark.parametrize(
    ("stage", "methods", "fits"),
    [
        ("confidence", "ca_dpo", True),
        ("composition", "ca_dpo", True),
        ("evaluation", "original", True),
        ("idk_it", "original", False),
        ("evaluation", "ca_dpo", False),
        ("ca_dpo", "original", False),
        ("probing", "original", False),
        ("paper_vs_ours", "original", False),
    ],
)
def test_an_endpoint_is_refused_as_the_model_of_what_needs_weights(
    runs, stage, methods, fits, capsys
):
    p = params.load("smoke", model="endpoint:any", models=["endpoint:any"], methods=[methods])
    if fits:
        graph.check_endpoint(stage, p)
        return
    with pytest.raises(ParameterError, match="needs weights"):
        stages.open(stage, p)
    changes = ["model=endpoint:any", "models=[endpoint:any]", f"methods=[{methods}]"]
    flags = [word for change in changes for word in ("-p", change)]
    assert running.main([stage, *flags]) == 2
    assert "An endpoint can be the model of 00 to 03" in capsys.readouterr().err


def test_an_endpoint_needs_a_name():
    with pytest.raises(ParameterError, match="belongs behind endpoint:"):
        params.load("smoke", judge="endpoint:")
