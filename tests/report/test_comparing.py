"""Two runs side by side, and a grid in one table."""

import json
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import outcome_table

from inbol_lib import params, paths, run
from inbol_lib.errors import ParameterError
from inbol_lib.evaluation import intervals
from inbol_lib.report.comparing import grids, runs
from inbol_lib.study import graph, stages
from inbol_lib.study.workflow import snake, sweep


def evaluated(p, seed=0, right=0.5, **methods):
    """Save an evaluation of random outcomes; further ones by method."""
    rng = np.random.default_rng(seed)
    tables = []
    for method, share in {"idk_it": right, **methods}.items():
        chances = [share, (1 - share) / 2, (1 - share) / 2]
        words = rng.choice(["correct", "refusal", "incorrect"], 200, p=chances)
        tables.append(outcome_table(list(words), method=method, seed=p.seed))
    work = stages.open("evaluation", p)
    table = pd.concat(tables, ignore_index=True)
    table.to_parquet(work.folder / "outcomes.parquet")
    work.save({})
    return work.folder, table


@pytest.fixture
def two(runs_folder, smoke):
    return [evaluated(smoke, 1, 0.4, ca_dpo=0.5), evaluated(smoke.replace(seed=1), 2, 0.6)]


@pytest.fixture
def runs_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


def compared(capsys, *words):
    assert runs.main([*words, "--json"]) == 0
    return json.loads(capsys.readouterr().out)


def test_two_seeds_are_paired_by_question(two, capsys):
    rows = compared(capsys, "seed=0", "seed=1")
    (_, first), (_, second) = two
    assert [(row["method"], row["metric"]) for row in rows] == [
        ("idk_it", name) for name in ("acc", "refr", "s_trust")
    ]
    own = first[first.method == "idk_it"]
    assert rows[0]["first"] == pytest.approx(100 * (own.outcome == "correct").mean())
    assert rows[0]["second"] == pytest.approx(100 * (second.outcome == "correct").mean())
    for row in rows:
        assert row["diff"] == pytest.approx(row["second"] - row["first"])
        assert row["diff_lo"] <= row["diff"] <= row["diff_hi"]
        assert row["n"] == 200
    assert rows[2]["mark"] == "*"
    known = intervals.difference(own, second.assign(seed=0))
    assert rows[2]["diff_lo"] == pytest.approx(100 * known["diff_lo"])


def test_a_run_goes_by_its_folder_or_a_part_of_its_name(two, capsys):
    (one, _), (other, _) = two
    by_folder = compared(capsys, str(one), str(other))
    assert compared(capsys, one.name[-8:], other.name[-8:]) == by_folder
    assert runs.main([one.name[-8:], "nothing"]) == 2
    said = capsys.readouterr().err
    assert "no evaluation" in said
    assert one.name in said
    assert runs.main(["micro-s", str(one)]) == 2
    assert "2 evaluations" in capsys.readouterr().err


def test_what_differs_between_two_runs_is_named(two, capsys):
    assert runs.main(["seed=0", "seed=1"]) == 0
    assert "\n  seed: 0 → 1\n" in capsys.readouterr().out


def test_two_methods_of_one_run(two, capsys):
    rows = compared(capsys, "seed=0", "--methods", "idk_it", "ca_dpo")
    assert {row["method"] for row in rows} == {"idk_it → ca_dpo"}
    assert runs.main(["seed=0", "--methods", "idk_it", "sft"]) == 2
    assert "given 'sft'; there are idk_it, ca_dpo" in capsys.readouterr().err
    assert runs.main(["seed=0"]) == 2
    assert runs.main(["seed=7", "seed=0"]) == 2
    assert "inbol run 06 -f smoke -p seed=7 --ensure" in capsys.readouterr().err


def test_runs_that_share_no_question_are_refused():
    a = outcome_table(["correct"] * 4)
    with pytest.raises(ParameterError, match="share no question"):
        runs.compare(a, a.assign(id=a.id + "x"))
    half = runs.compare(a, a[:2])
    assert set(half.n) == {2}
    assert (half["diff"] == 0).all()


@pytest.mark.parametrize(
    ("words", "grid"),
    [
        (["beta=0.1,0.3,1"], {"beta": [0.1, 0.3, 1]}),
        (
            ["seed=0", "pair_ratio=[1,1,2],[1,1,1]"],
            {"seed": [0], "pair_ratio": [[1, 1, 2], [1, 1, 1]]},
        ),
        (["short_class=shrink,repeat"], {"short_class": ["shrink", "repeat"]}),
        (["learning_rate=5e-4,1e-3"], {"learning_rate": [5e-4, 1e-3]}),
    ],
)
def test_a_grid_is_read_and_multiplied(words, grid, smoke):
    assert sweep.grid_of(words) == grid
    made = sweep.cells(smoke, grid)
    assert len(made) == np.prod([len(values) for values in grid.values()])
    assert len(set(map(str, made))) == len(made)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["beta"], "takes `parameter=value,value`, given 'beta'"),
        (["beta="], "given 'beta='"),
        (["beta=0.1", "beta=0.2"], "beta is given twice"),
        (["beta=0.1,0.1"], "a value is given twice"),
        (["beta=-1"], "beta: given -1"),
        (["bta=1"], "did you mean beta"),
        (["dataset=micro"], "dataset cannot be swept"),
        (["beta=0.1,0.2"], "changes nothing about 04_idk_it"),
    ],
)
def test_a_grid_that_makes_no_sense_starts_nothing(words, message, runs_folder, capsys):
    assert run.main(["04", "--grid", *words]) == 2
    assert message in capsys.readouterr().err
    assert not runs_folder.exists()


def test_a_grid_s_table_joins_its_seeds(runs_folder, smoke):
    grid = {"beta": [0.1, 0.3], "seed": [0, 1]}
    tables = {}
    for number, cell in enumerate(sweep.cells(smoke, grid)[:3]):
        _, tables[cell.beta, cell.seed] = evaluated(cell, number, 0.3 + cell.beta)
    made = grids.table("evaluation", smoke, grid)
    assert list(made.beta) == [0.1, 0.3], "a cell that failed leaves the others"
    assert list(made.seeds) == [2, 1]
    both = [tables[0.1, seed].outcome == "correct" for seed in (0, 1)]
    assert made.acc[0] == pytest.approx(100 * np.mean(both))
    assert ((made.lo <= made.s_trust) & (made.s_trust <= made.hi)).all()


def test_a_grid_runs_through_snakemake_and_ends_in_one_table(runs_folder, capfd):
    """The real thing, with the cheapest notebook."""
    assert run.main(["tour", "-f", "smoke", "--grid", "data_seed=3,4"]) == 0
    said = capfd.readouterr()
    folder = Path(said.out.strip().splitlines()[-1])
    assert folder.parent == runs_folder / "grids"
    for seed in (3, 4):
        assert graph.complete("tour", params.load("smoke", data_seed=seed))
    rows = (folder / "table.csv").read_text().splitlines()
    assert [row.split(",")[0] for row in rows] == ["data_seed", "3", "4"]
    page = (folder / "report.html").read_text()
    assert "2 made in" in page
    assert re.search(r'href="file://[^"]*table.md"', page)


def test_a_cluster_gets_the_same_cells(runs_folder, smoke):
    """As far as Snakemake plans them; tests/study/test_slurm.py has a real cluster."""
    config = snake.settings("tour", "smoke", smoke, {}, ["data_seed=3,4"])
    words = snake.command(config, 1, paths.PARAMS / "slurm", "--dry-run")
    done = subprocess.run(words, env=snake.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert re.search(r"(?m)^tour +2$", done.stdout + done.stderr)
    assert run.main(["tour", "--grid", "data_seed=3", "--cluster", "/nowhere"]) == 2
