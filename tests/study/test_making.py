"""One process makes an artefact at a time; a kill or a full disk leaves none that seems whole."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nbformat
import psutil
import pytest
from filelock import FileLock

from inbol_lib import commands, params, paths
from inbol_lib.errors import DiskFull
from inbol_lib.study import graph, running, stages
from inbol_lib.study.kernels import sockets
from inbol_lib.study.workflow import snake

OPEN = "from inbol_lib import params\nfrom inbol_lib.study import stages\n"
#: cells of a notebook that takes the place of the tour
SLOW = """
import time
stage = stages.open("tour", params.load("smoke"))
(stage.folder / "begun").touch()
while not (stage.folder / "go").exists():
    time.sleep(0.05)
(stage.folder / "times").open("a").write("x")
stage.save({})
"""
FULL = """
stage = stages.open("tour", params.load("smoke"))
(stage.folder / "table").write_bytes(bytes(2_000_000))
"""
CODE = """
import sys
from pathlib import Path
from inbol_lib import paths
from inbol_lib.study import running
paths.NOTEBOOKS = Path(sys.argv[1])
sys.exit(running.main(["tour"]))
"""


@pytest.fixture
def tour(tmp_path, monkeypatch):
    """A function that puts a notebook with some code in place of the tour."""
    books = tmp_path / "notebooks"
    books.mkdir()
    monkeypatch.setattr(paths, "NOTEBOOKS", books)

    def put(code):
        parameters = nbformat.v4.new_code_cell("", metadata={"tags": ["parameters"]})
        cells = [parameters, nbformat.v4.new_code_cell(OPEN + code)]
        python = {"kernelspec": {"name": "python3", "language": "python", "display_name": ""}}
        book = nbformat.v4.new_notebook(cells=cells, metadata=python)
        nbformat.write(book, books / "00_tour.ipynb")
        return books

    return put


def until(done):
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        time.sleep(0.05)


def started(books):
    """A process of its own that runs the tour."""
    command = [sys.executable, "-c", CODE, books]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def test_two_runs_at_once_make_an_artefact_once(runs, smoke, tour):
    folder = graph.path("tour", smoke)
    books = tour(SLOW)
    first = started(books)
    until((folder / "begun").exists)
    second = started(books)
    assert "waiting: another process makes tour/" in second.stderr.readline()
    (folder / "go").touch()
    for process in (first, second):
        said, _ = process.communicate(timeout=120)
        assert (process.returncode, said.strip()) == (0, str(folder))
    assert (folder / "times").read_text() == "x"
    assert running.main(["tour"]) == 0
    assert (folder / "times").read_text() == "xx", "whoever asks for it, gets it made again"


def kill(process):
    """Kill a process, and wait until its kernel has gone, too."""
    family = psutil.Process(process.pid).children(recursive=True)
    process.send_signal(signal.SIGKILL)
    process.communicate()
    psutil.wait_procs(family, timeout=30)


def test_the_sockets_of_a_killed_run_go_with_the_next(runs, smoke, tour, tmp_path, monkeypatch):
    short = tempfile.mkdtemp()  # a socket's path may not be long
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", short)
    runtime = tmp_path / "runtime"
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", str(runtime))
    folder = graph.path("tour", smoke)
    first = started(tour(SLOW))
    until((folder / "begun").exists)
    kill(first)
    (left,) = Path(short).glob(f"{sockets.PREFIX}*")
    assert list(left.iterdir())
    os.utime(left, (1, 1))
    with sockets.folder() as held:
        os.utime(held, (1, 1))
        (folder / "go").touch()
        assert running.main(["tour"]) == 0
        assert os.listdir(short) == [held.name]
    assert os.listdir(short) == []
    assert not list(runtime.glob("kernel*"))
    shutil.rmtree(short)


def test_a_kill_while_an_artefact_is_made_again_leaves_it_incomplete(runs, smoke, tour):
    folder = graph.path("tour", smoke)
    stages.open("tour", smoke).save({"old": 1})
    (folder / ".table.parquet.1").touch()
    process = started(tour(SLOW))
    until((folder / "begun").exists)
    kill(process)
    assert not graph.complete("tour", smoke)
    with FileLock(folder / ".lock", timeout=0):
        pass  # the lock went with the process


def test_a_dry_run_leaves_a_complete_artefact(runs, smoke, tour, monkeypatch):
    stages.open("tour", smoke).save({"old": 1})
    monkeypatch.setenv("INBOL_DRY_RUN", "1")
    tour("raise __import__('inbol_lib').errors.DryRun('nothing sent')")
    assert running.main(["tour", "--dry-run"]) == 0
    assert json.loads((graph.path("tour", smoke) / "metrics.json").read_text()) == {"old": 1}


@pytest.mark.parametrize("free", [0, 100_000])
def test_a_full_disk_is_named_in_one_line(full_disk, tour, monkeypatch, capsys, free):
    """... whether the notebook meets it, or who runs the notebook."""
    monkeypatch.setenv("INBOL_RUNS", str(full_disk(free)))
    tour(FULL)
    assert running.main(["tour"]) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert len(said) == 1, said
    assert "the disk is full" in said[0]
    assert str(paths.runs()) in said[0]


def test_a_notebook_tells_of_a_full_disk_that_another_one_met(full_disk, tour, monkeypatch):
    monkeypatch.setenv("INBOL_RUNS", str(full_disk(200_000)))
    tour("from inbol_lib.errors import DiskFull\nraise DiskFull('the disk is full: here')")
    with pytest.raises(DiskFull, match="^the disk is full: here$"):
        stages.execute("tour", params.load("smoke"))


def test_scores_that_find_no_room_are_one_line(full_disk, tmp_path, capsys):
    responses = tmp_path / "responses.jsonl"
    row = {"id": "q", "question": "What?", "response": os.urandom(9000).hex(), "answers": ["red"]}
    responses.write_text("\n".join(json.dumps(row | {"id": f"q{n}"}) for n in range(3)))
    out = full_disk(0) / "out.parquet"
    asked = ["score", str(responses), "--judge", "string", "--out", str(out)]
    assert commands.main(asked) == 1
    said = capsys.readouterr().err.strip().splitlines()
    assert said[-1].startswith("the disk is full")
    assert "Traceback" not in "".join(said)


@pytest.mark.parametrize("inner", ["", "inner"])
def test_a_folder_that_nobody_can_write_to_is_named_in_one_line(
    read_only, tmp_path, tour, monkeypatch, capsys, inner
):
    place = tmp_path / "runs"
    place.mkdir()
    monkeypatch.setenv("INBOL_RUNS", str(read_only(place) / inner))
    tour("")
    assert running.main(["tour"]) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert f"INBOL_RUNS: {place / inner} is no folder that one can write to" in said


def test_a_file_in_place_of_the_folder_is_named(tmp_path, tour, monkeypatch, capsys):
    (tmp_path / "runs").touch()
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path / "runs"))
    tour("")
    assert running.main(["tour"]) == 2
    assert "is no folder that one can write to" in capsys.readouterr().err


@pytest.mark.parametrize(
    "words", [["study", "-f", "smoke"], ["run", "06", "-f", "smoke", "--grid", "seed=0,1"]]
)
def test_a_study_starts_nothing_where_nobody_can_write(
    read_only, tmp_path, monkeypatch, capsys, words
):
    place = tmp_path / "runs"
    place.mkdir()
    monkeypatch.setattr(snake, "run", lambda *_: pytest.fail("started"))
    monkeypatch.setenv("INBOL_RUNS", str(read_only(place) / "inner"))
    assert commands.main(words) == 2
    (said,) = capsys.readouterr().err.strip().splitlines()
    assert f"is no folder that one can write to ({place}: may not be written to)" in said


def test_a_complete_artefact_can_be_read_where_nobody_can_write(
    read_only, smoke, tmp_path, monkeypatch
):
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path / "runs"))
    stages.open("tour", smoke).save({"old": 1})
    left = graph.path("tour", smoke) / ".records.parquet.4711"
    left.touch()
    os.utime(left, (1, 1))
    read_only(tmp_path / "runs")
    folder = stages.ensure("tour", smoke)
    assert json.loads((folder / "metrics.json").read_text()) == {"old": 1}
