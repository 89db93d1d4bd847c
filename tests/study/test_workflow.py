"""A run of the Snakefile goes on by itself after a kill, whatever its paths are called."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

from inbol_lib import params, paths
from inbol_lib.study import graph, workflow
from inbol_lib.study.workflow import changes, snake


@pytest.fixture
def study(tmp_path, monkeypatch):
    """A function that starts Snakemake on the tour, in a folder of its own; and the artefact."""
    odd = tmp_path / "it's an odd $(place) & more"
    place = odd / "work"
    place.mkdir(parents=True)
    for name in ("notebooks", "inbol_lib"):
        (place / name).symlink_to(paths.ROOT / name)
    profile = odd / "my {profile}'s.yaml"
    profile.write_bytes((paths.PARAMS / "smoke.yaml").read_bytes())
    monkeypatch.setenv("INBOL_RUNS", str(odd / "runs"))
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    command = [sys.executable, "-m", "snakemake", "-s", paths.ROOT / "Snakefile", "--cores", "1"]
    command += ["--directory", place, "--rerun-triggers", "mtime", "--quiet", "rules", "--config"]
    command += [f"profile={profile}", "only=tour"]
    started = []

    def start(*changes):
        pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        started.append(subprocess.Popen([*command, *changes], **pipes))
        return started[-1]

    yield start, graph.path("tour", params.load("smoke"))
    for process in started:
        if process.poll() is None:
            process.kill()


def until(done, process):
    end = time.monotonic() + 120
    while not done():
        assert process.poll() is None, process.stdout.read()
        assert time.monotonic() < end
        time.sleep(0.01)


def kill(process):
    """Kill Snakemake alone: its job goes on, as after a kill by the system."""
    process.send_signal(signal.SIGKILL)
    process.wait()


def test_a_study_goes_on_after_any_kill_and_two_at_once_are_safe(study):
    start, folder = study
    metrics = folder / "metrics.json"
    first = start()
    until((folder / "partial").exists, first)
    second = start()
    said, _ = second.communicate(timeout=120)
    assert second.returncode == 1
    assert "LockException" in said, "two at once are refused"
    jobs = psutil.Process(first.pid).children(recursive=True)
    kill(first)
    third = start()
    until(metrics.exists, third)
    kill(third)  # the job is not finished, though the artefact is
    made = metrics.stat().st_mtime_ns
    last = start()
    said, _ = last.communicate(timeout=120)
    assert last.returncode == 0, said
    assert metrics.stat().st_mtime_ns == made, "what is complete is not made again"
    psutil.wait_procs(jobs, timeout=60)


def test_a_killed_run_goes_on_while_another_one_lives(study):
    start, folder = study
    other = graph.path("tour", params.load("smoke", data_seed=5))
    living = start("data_seed=5")
    until((other / "partial").exists, living)
    living.send_signal(signal.SIGSTOP)  # it lives, and does not end before we look
    first = start()
    until((folder / "partial").exists, first)
    kill(first)
    again = start()
    said, _ = again.communicate(timeout=120)
    assert again.returncode == 0, said
    assert (folder / "metrics.json").is_file()
    living.send_signal(signal.SIGCONT)
    said, _ = living.communicate(timeout=120)
    assert living.returncode == 0, said


def test_what_is_stale_goes_only_if_nobody_is_alive(tmp_path):
    state = tmp_path / ".snakemake"
    lock = state / "locks" / "0.output.lock"
    lock.parent.mkdir(parents=True)
    lock.touch()
    held = workflow.begin(state)
    assert not lock.exists()
    lock.touch()
    code = "import sys\nfrom pathlib import Path\nfrom inbol_lib.study import workflow\n"
    code += "kept = workflow.begin(Path(sys.argv[1]))"
    command = [sys.executable, "-c", code, state]
    subprocess.run(command, check=True)
    assert lock.exists(), "the first run is alive"
    workflow.claim(held, [str(lock)])
    lock.with_name("1.output.lock").touch()
    subprocess.run(command, check=True)
    assert lock.exists(), "the first run's"
    assert not lock.with_name("1.output.lock").exists(), "nobody's, now that the first has claimed"
    held.release()
    subprocess.run(command, check=True)
    assert not lock.exists()


def test_wildcards_in_the_folder_of_artefacts_are_refused(tmp_path):
    env = {**os.environ, "INBOL_RUNS": str(tmp_path / "{x}")}
    command = [sys.executable, "-m", "snakemake", "-s", str(paths.ROOT / "Snakefile"), "-n"]
    command += ["--directory", str(tmp_path), "--config", "profile=smoke"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 1
    assert "INBOL_RUNS: given " in done.stdout + done.stderr
    assert not Path(tmp_path, "{x}").exists()


def test_make_hands_on_a_profile_s_name_as_it_is(tmp_path):
    name = "it's a $x profile"
    command = ["make", "-n", "-o", ".venv/.ready", "study", f"PROFILE={name.replace('$', '$$')}"]
    done = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=True)
    (line,) = [line for line in done.stdout.splitlines() if "inbol_lib study" in line]
    words = subprocess.run(
        ["bash", "-c", f"printf '%s\\n' {line.partition(' -f ')[2]}"],
        capture_output=True,
        text=True,
    )
    assert words.stdout == f"{name}\n"


def test_no_module_of_the_package_stands_in_the_way_of_a_name(tmp_path):
    """Whoever imports `whole` first leaves `begin` and `claim` as they were."""
    import inbol_lib.study.workflow.whole  # noqa: F401  (here: it is what could do harm)

    held = workflow.begin(tmp_path / ".snakemake")
    workflow.claim(held, [])
    held.release()


def test_snakemake_finds_this_python_and_forked_kernels_their_environment(monkeypatch):
    here = str(Path(sys.executable).parent)
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert snake.environment()["PATH"] == f"{here}:/usr/bin:/bin"
    monkeypatch.setenv("PATH", f"{here}:/usr/bin:/bin")
    assert snake.environment() == dict(os.environ)


@pytest.fixture
def seen(tmp_path):
    """A function that looks at two stages' code as a run does; and code, artefacts and times."""
    made = time.time() - 1000
    places = {}
    for stage, place in {"confidence": "asking.py", "composition": "mixing.py"}.items():
        places[place] = tmp_path / place
        places[place].write_text("old")
        os.utime(places[place], (made - 9, made - 9))
        places[stage] = tmp_path / "runs" / stage / "x" / "metrics.json"
        places[stage].parent.mkdir(parents=True)
        places[stage].write_text("{}")
        os.utime(places[stage], (made, made))
    code = {"confidence": [str(places["asking.py"])], "composition": [str(places["mixing.py"])]}
    reads = {"composition": {"confidence"}}

    def look():
        return changes.age(tmp_path / ".snakemake", tmp_path / "runs", code, reads)

    assert look() == []
    return look, places, made


def edited(file, at):
    """Edit a file by a clock that shows another time."""
    file.write_text(f"new at {at}")
    os.utime(file, (at, at))


def test_code_edited_by_a_clock_that_is_behind_makes_its_artefacts_again(seen):
    look, places, made = seen
    edited(places["mixing.py"], made - 5)
    assert look() == ["composition/x"]
    changed = places["mixing.py"].stat().st_mtime
    assert places["composition"].stat().st_mtime < changed
    assert places["confidence"].stat().st_mtime == made
    assert look() == [], "once"
    edited(places["asking.py"], made - 4)
    os.utime(places["composition"], (made, made))  # made again since
    assert look() == ["confidence/x", "composition/x"], "and what reads them"


def test_code_edited_by_a_clock_that_is_right_is_left_to_its_time(seen):
    look, places, made = seen
    edited(places["mixing.py"], time.time() + 5)
    assert look() == []
    assert places["composition"].stat().st_mtime == made
    os.utime(places["asking.py"], (made - 5, made - 5))
    assert look() == [], "touched, not changed"


def test_what_was_seen_may_be_torn(seen, tmp_path):
    look, places, made = seen
    for torn in ("", "{", "[]", '{"a": 1}', '{"a": ["b", 1]}'):
        (tmp_path / ".snakemake" / "code.json").write_text(torn)
        assert look() == []


def test_a_study_sees_a_notebook_that_was_put_back_with_its_old_time(study, tmp_path):
    start, folder = study
    place = tmp_path / "it's an odd $(place) & more" / "work"
    (place / "notebooks").unlink()
    shutil.copytree(paths.NOTEBOOKS, place / "notebooks")
    said, _ = start().communicate(timeout=300)
    metrics = folder / "metrics.json"
    made = metrics.stat().st_mtime_ns
    book = place / "notebooks" / "00_tour.ipynb"
    book.write_text(book.read_text() + "\n")
    os.utime(book, (1_000_000, 1_000_000))
    said, _ = start().communicate(timeout=300)
    assert "its code has changed, though not by the clock" in said
    again = metrics.stat().st_mtime_ns
    assert again > made
    said, _ = start().communicate(timeout=300)
    assert metrics.stat().st_mtime_ns == again, said
