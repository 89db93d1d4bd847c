"""What goes wrong in a kernel reaches the terminal as one message, and its kind as a status."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from builders import question_folder

from inbol_lib import paths
from inbol_lib.errors import KINDS, status
from inbol_lib.study import running

SENTENCE = "delta_known: given 2; a share is needed\nsecond line"


@pytest.fixture
def tour(tmp_path, monkeypatch):
    """A function that puts a notebook with some code in place of the tour."""
    books = tmp_path / "notebooks"
    books.mkdir()
    monkeypatch.setattr(paths, "NOTEBOOKS", books)

    def put(code):
        parameters = nbformat.v4.new_code_cell("", metadata={"tags": ["parameters"]})
        python = {"kernelspec": {"name": "python3", "language": "python", "display_name": ""}}
        cells = [parameters, nbformat.v4.new_code_cell(code)]
        nbformat.write(
            nbformat.v4.new_notebook(cells=cells, metadata=python), books / "00_tour.ipynb"
        )

    return put


@pytest.mark.parametrize("kind", KINDS)
def test_an_error_for_people_in_a_kernel_is_its_message_alone(runs, tour, capsys, kind):
    tour(f"from inbol_lib.errors import {kind}\nraise {kind}({SENTENCE!r})")
    code = running.main(["tour"])
    assert capsys.readouterr().err == SENTENCE + "\n"
    assert code == status(KINDS[kind]("")) == {"ParameterError": 2, "DryRun": 0}.get(kind, 1)


def test_an_error_that_nobody_foresaw_says_where_it_was_and_where_more_is(runs, tour, capsys):
    tour("import json\n\ndef inner():\n    return {}['nothing']\n\ninner()")
    assert running.main(["tour"]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert said[0] == "00_tour failed in its cell [2]: KeyError: 'nothing'"
    assert said[1] == "  at: return {}['nothing']"
    book = Path(said[2].removeprefix("  the whole traceback: "))
    assert len(said) == 3
    assert "inner()" in book.read_text()


@pytest.mark.parametrize("end", ["stage.save({})", "raise ValueError('broken')"])
def test_what_a_stage_has_to_say_reaches_the_terminal_before_the_end(runs, tour, capsys, end):
    code = "from inbol_lib import params, progress\nfrom inbol_lib.study import stages\n"
    code += "stage = stages.open('tour', params.load('smoke'))\n"
    code += f"progress.say('a size')\nprogress.say('too few', loud=True)\n{end}"
    tour(code)
    for _ in range(2):  # a second run does not repeat what the first has said
        running.main(["tour"])
        said = capsys.readouterr().err.splitlines()
        assert said[:2] == ["00  a size", "00  WARNING: too few"]
        assert len(said) == (2 if "save" in end else 5)


def test_a_message_of_a_stage_that_is_needed_first_is_said_once(runs, tmp_path, capsys):
    """Through two kernels: the composition's asks for the confidence, which is refused."""
    question_folder(tmp_path, pictures=2)
    words = ["-p", f"dataset=folder:{tmp_path}", "-p", "unanswerable_generator=micro-s"]
    words += ["-p", "judge=string", "-p", "model=/no/such/model"]
    assert running.main(["03", *words]) in (1, 2)
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert len(said.splitlines()) <= 8, said


def test_the_message_stands_at_the_end_of_a_job_of_snakemake(tmp_path):
    question_folder(tmp_path)
    env = {**os.environ, "INBOL_RUNS": str(tmp_path / "runs")}
    env["PATH"] = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    env["PYTHONPATH"] = str(paths.ROOT)
    command = [sys.executable, "-m", "snakemake", "-s", paths.ROOT / "Snakefile", "--cores", "1"]
    command += ["--directory", paths.ROOT, "--nolock", "--quiet", "rules", "--config"]
    command += ["profile=smoke", "only=confidence", f"dataset=folder:{tmp_path}"]
    command += ["model=/no/such/model", "test_model=/no/such/model"]
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=300)
    assert done.returncode == 1
    said = done.stdout + done.stderr
    assert "/no/such/model" in said
    assert "Traceback" not in said
