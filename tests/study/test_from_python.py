"""The study from Python, and its notebooks with plain papermill, from any folder."""

import subprocess
import sys

import nbformat
import pandas as pd
import pytest
from terminals import environment

from inbol_lib import params, paths, study
from inbol_lib.errors import ParameterError
from inbol_lib.study import graph, stages

SMALL = {
    "train_questions": 40,
    "validation_questions": 20,
    "test_questions": 20,
    "num_unanswerable": 10,
    "test_per_source": 5,
    "test_unanswerable": 4,
    "validation_per_source": 5,
    "num_instructions": 20,
    "num_pairs": 20,
    "num_samples": 3,
    "ood_sources": [],
    "methods": ["original"],
    "judge": "string",
}


def test_python_gets_an_artefact_with_its_outcomes_metrics_and_folder(runs, capsys):
    """A real evaluation, of the original model on few questions, after all that it needs."""
    made = study.run("evaluation", profile="smoke", beta=0.3, **SMALL)
    assert made.params == params.load("smoke", beta=0.3, **SMALL)
    assert made.folder == graph.path("evaluation", made.params)
    assert set(made.outcomes.outcome) <= {"correct", "refusal", "incorrect", "unjudged"}
    assert made.metrics["questions"] == len(made.outcomes)
    assert "making confidence/" in capsys.readouterr().err
    for name in ("06", "06_evaluation"):
        again = study.run(name, profile="smoke", beta=0.3, **SMALL)
        assert again.folder == made.folder
    assert capsys.readouterr().err == "", "what is there is not made again"
    records = study.Artefact("confidence", made.params, graph.path("confidence", made.params))
    assert "image" not in records.table("records_train")
    with pytest.raises(ParameterError, match="confidence has no table 'outcomes'; it has records_"):
        _ = records.outcomes


@pytest.mark.parametrize(
    ("stage", "changes", "message"),
    [
        ("nothing", {}, "no notebook 'nothing'"),
        ("06", {"beta": -1}, "beta: given -1"),
        ("06", {"betta": 1}, "did you mean beta"),
        ("01", {"dataset": "folder:/nowhere"}, "/nowhere/questions.jsonl does not exist"),
        ("04", {"model": "endpoint:any"}, "needs weights"),
    ],
)
def test_python_is_told_what_is_asked_wrongly(runs, stage, changes, message):
    with pytest.raises(ParameterError, match=message):
        study.run(stage, **changes)
    assert not runs.exists()


def test_a_table_that_is_no_parquet_is_read_as_well(runs, smoke):
    work = stages.open("idk_it", smoke)
    pd.DataFrame({"step": [1], "loss": [0.5]}).to_csv(work.folder / "history.csv", index=False)
    work.save({})
    assert study.run("04").table("history").loss[0] == 0.5


@pytest.mark.parametrize("stage", ["tour", "confidence"])
def test_plain_papermill_runs_a_notebook_from_any_folder(runs, tmp_path, stage):
    here = tmp_path / "elsewhere"
    here.mkdir()
    changes = {"train_questions": 30, "validation_questions": 10, "test_questions": 10, "seed": 1}
    words = [word for key, value in changes.items() for word in ("-p", key, str(value))]
    book = paths.NOTEBOOKS / f"{graph.NOTEBOOKS[stage]}.ipynb"
    command = [sys.executable, "-m", "papermill", book, "out.ipynb", "-f"]
    command += [paths.PARAMS / "micro.yaml", *words]
    done = subprocess.run(command, cwd=here, env=environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-2000:]
    p = params.load("micro", **changes)
    assert graph.complete(stage, p)
    assert study.run(stage, profile="micro", **changes).folder == graph.path(stage, p)
    executed = nbformat.read(here / "out.ipynb", 4)
    assert executed.metadata.papermill.exception is None
    assert sorted(file.name for file in here.iterdir()) == ["out.ipynb"]
