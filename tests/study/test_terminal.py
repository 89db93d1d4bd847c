"""The live table of a run and its end page, on a real terminal and from real folders."""

import math
import re
from pathlib import Path

import pytest
from rich.console import Console
from terminals import on_a_terminal

from inbol_lib import progress
from inbol_lib.study import graph, stages
from inbol_lib.study.terminal import page, table
from inbol_lib.study.terminal.jobs import needed


def drawn(shown):
    """A table as text."""
    console = Console(width=120, record=True, file=open("/dev/null", "w"))  # noqa: SIM115
    console.print(shown)
    return console.export_text()


def line_of(text, word):
    (line,) = [line for line in text.splitlines() if word in line]
    return " ".join(line.split())


def test_a_run_on_a_terminal_is_a_table_an_end_page_and_one_path(runs):
    first = on_a_terminal("run", "tour", "-f", "smoke", "--ensure")
    assert first.code == 0, first.text
    folder = Path(first.out.strip())
    assert folder.parent.parent == runs, "standard output holds the path alone"
    assert re.search(r"▶ +00 tour +starting", first.text)
    assert re.search(r"✔ +00 tour +done", first.text)
    end = first.text.partition("Open first:")
    assert "1 made in 0:" in end[0]
    named = [Path(line.strip()) for line in end[2].splitlines() if line.startswith("  ")]
    assert named
    assert all(file.exists() for file in named)
    assert str(folder / "report.html") in end[2]
    again = on_a_terminal("run", "tour", "-f", "smoke", "--ensure")
    assert (again.code, again.out, again.text) == (0, first.out, "")


@pytest.mark.parametrize("quiet", [{"ci": True}, {"INBOL_QUIET": "1"}])
def test_in_ci_and_when_quiet_there_is_no_table_but_the_page_is_written(runs, quiet):
    shown = on_a_terminal("run", "tour", "-f", "smoke", "--ensure", **quiet)
    assert "\x1b[" not in shown.sent
    assert shown.text.splitlines() == [
        f"making tour/{Path(shown.out.strip()).name} first (00_tour)"
    ]
    assert Path(shown.out.strip(), "report.html").is_file()


def test_a_failed_run_leaves_a_red_row_and_one_message(runs):
    shown = on_a_terminal("run", "01", "-f", "smoke", "-p", "model=/no/such/model")
    assert shown.code == 2
    assert re.search(r"✘ +01 confidence estimation +failed", shown.text)
    assert shown.text.count("which cannot be read") == 1
    assert "Traceback" not in shown.text


def test_the_study_through_snakemake_has_the_same_table(runs):
    shown = on_a_terminal("study", "-f", "smoke", "--only", "tour")
    assert shown.code == 0, shown.text
    assert re.search(r"▶ +00 tour +", shown.text)
    assert re.search(r"✔ +00 tour +done", shown.text)
    assert "All of it:" in shown.text


def test_a_job_is_what_its_folder_says(runs, smoke):
    (stages.open("tour", smoke).folder / "partial" / "progress.json").write_text("{}")  # a kill's
    stages.open("confidence", smoke).save({})
    jobs = needed([("composition", smoke), ("tour", smoke)])
    shown = table.StageTable(jobs, "a run")
    by_stage = {job.stage: job for job in jobs.values()}
    states = {stage: job.state for stage, job in by_stage.items()}
    assert states == {
        "confidence": "reused",
        "unanswerable": "waiting",
        "composition": "waiting",
        "tour": "waiting",
    }
    work = stages.open("unanswerable", smoke)
    progress.leave(work.folder, {"prefix": "sampling: ", "n": 30, "total": 90, "elapsed": 60.0})
    line = line_of(drawn(shown), "02 unanswerable")
    assert line.startswith("▶ 02 unanswerable generation sampling ━━━─────── 30 of 90 0:00 2:00")
    progress.leave(work.folder, {"failed": "[bold]too few[/bold] \x1b[31m"})
    assert by_stage["unanswerable"].state == "failed"
    assert "failed" in line_of(drawn(shown), "02 unanswerable")
    work.save({})
    assert by_stage["unanswerable"].state == "done"
    assert math.isnan(by_stage["unanswerable"].minutes), "nobody ran its notebook"


def test_only_what_a_run_needs_is_in_its_table(runs, smoke):
    stages.open("composition", smoke).save({})
    named = {name.partition("/")[0] for name in needed([("idk_it", smoke)])}
    assert named == {"composition", "idk_it"}


def test_many_jobs_of_a_stage_are_a_row_with_a_count(runs, smoke):
    cells = [("idk_it", smoke.replace(seed=seed)) for seed in range(3)]
    jobs = needed(cells)
    shown = table.StageTable(jobs, "a grid")
    stages.open(*cells[0]).save({})
    progress.leave(
        graph.path(*cells[1]), {"prefix": "training: ", "n": 1, "total": 4, "elapsed": 9}
    )
    text = drawn(shown)
    assert "1 of 3" in line_of(text, "04 idk it")
    assert "1 of 4 0:00 0:27" in line_of(text, graph.path(*cells[1]).name)


def test_a_page_escapes_what_comes_from_data_and_loads_nothing(runs, smoke):
    p = smoke.replace(dataset="folder:/data/<b>photos</b>", unanswerable_generator="micro-s")
    jobs = needed([("confidence", p)])
    work = stages.open("confidence", p)
    progress.say("<script>alert(1)</script> & more", loud=True)
    work.save({})
    made = page.page("confidence", p, jobs, 61.0)
    text = page.write(made, work.folder).read_text()
    assert "&lt;script&gt;alert(1)&lt;/script&gt; &amp; more" in text
    assert "<script" not in text
    assert "<b>photos" not in text
    assert "http" not in text
    assert "1 made in 1:01, 0 reused" in text
    assert [file.name for file in made.first] == ["metrics.json", "params.json"]
    assert "<img" not in text


def test_a_page_shows_the_figure_that_is_worth_opening(runs, smoke):
    work = stages.open("evaluation", smoke)
    (work.folder / "in_domain.png").touch()
    work.save({})
    made = page.page("evaluation", smoke, needed([("evaluation", smoke)]), 61.0)
    shown = re.findall(
        r'<img src="file://([^"]*)" alt="in domain">', page.write(made, work.folder).read_text()
    )
    assert [Path(place).name for place in shown] == ["in_domain.png"]
