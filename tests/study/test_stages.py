import json
import os
import subprocess
import sys

import pytest

from inbol_lib.study import experiments, graph, stages


def test_the_hash_follows_what_a_stage_is_made_from(smoke):
    base = graph.path("composition", smoke)
    assert graph.path("composition", smoke.replace(beta=0.7)) == base, "beta comes later"
    assert graph.path("composition", smoke.replace(token_budget=1000)) == base, (
        "the batch size changes no result"
    )
    assert graph.path("composition", smoke.replace(num_samples=7)) != base, "upstream of it"
    assert graph.path("ca_dpo", smoke.replace(learning_rate=0.1)) != graph.path("ca_dpo", smoke)


def test_another_micro_world_gives_its_artefacts_other_names_and_leaves_real_data_alone(
    smoke, monkeypatch
):
    real = smoke.replace(dataset="folder:x", unanswerable_generator="micro-s")
    before = [graph.fingerprint("evaluation", p) for p in (smoke, real)]
    monkeypatch.setattr("inbol_lib.micro.VERSION", 99)
    after = [graph.fingerprint("evaluation", p) for p in (smoke, real)]
    assert before[0] != after[0]
    assert before[1] == after[1]


def test_sweeps_share_the_sampled_responses(smoke):
    cells = [
        *experiments.threshold_cells(smoke),
        *experiments.share_cells(smoke),
        *experiments.ratio_cells(smoke),
    ]
    assert len({graph.path("confidence", cell) for cell in cells}) == 1
    thresholds = experiments.threshold_cells(smoke)
    assert len({graph.path("composition", cell) for cell in thresholds}) == len(thresholds)


def test_the_paper_s_grid_has_21_cells(smoke):
    paper = smoke.replace(threshold_levels=[2, 3, 4, 5, 6, 7, 8])
    assert len(experiments.threshold_cells(paper)) == 21


def test_a_plan_lists_everything_before_what_needs_it(smoke):
    seen = set()
    for name, (stage, p) in graph.plan("paper_vs_ours", smoke).items():
        needed = {str(graph.path(*job)) for job in graph.dependencies(stage, p)}
        assert needed <= seen, name
        seen.add(str(graph.path(stage, p)))


def test_metrics_come_last_and_partial_goes(runs, smoke):
    stage = stages.open("tour", smoke)
    assert not graph.complete("tour", smoke)
    (stage.partial / "part").write_text("x")
    stage.save({"a": 1})
    assert graph.complete("tour", smoke)
    assert json.loads((stage.folder / "metrics.json").read_text()) == {"a": 1}
    assert not stage.partial.exists()


def test_what_killed_processes_left_in_a_complete_artefact_goes(runs, smoke):
    stage = stages.open("tour", smoke)
    (stage.folder / ".table.parquet.4711").touch()
    stage.save({})
    folder, kept = stage.folder, {"made_by.json", "metrics.json", "params.json"}
    assert {file.name for file in folder.iterdir()} == kept
    (folder / "partial" / "checkpoints").mkdir(parents=True)  # killed before they could go
    (folder / ".table.parquet.4712").touch()
    for left in folder.iterdir():
        if left.name not in kept:
            os.utime(left, (1, 1))
    (folder / ".table.parquet.4713").touch()  # somebody runs the notebook once more
    later = (folder / "metrics.json").stat().st_mtime + 60
    os.utime(folder / ".table.parquet.4713", (later, later))
    stages.ensure("tour", smoke)
    assert {file.name for file in folder.iterdir()} == kept | {".table.parquet.4713"}


def test_a_stage_reads_only_what_it_is_made_from(runs, smoke):
    with pytest.raises(ValueError, match="composition"):
        stages.open("idk_it", smoke).upstream("probing")


def test_ensure_leaves_a_complete_artefact_alone(runs, smoke):
    stages.open("tour", smoke).save({})
    before = (graph.path("tour", smoke) / "metrics.json").stat().st_mtime_ns
    assert stages.ensure("tour", smoke) == graph.path("tour", smoke)
    assert (graph.path("tour", smoke) / "metrics.json").stat().st_mtime_ns == before


QUIET = """
import sys
from inbol_lib import params
from inbol_lib.study import stages
heavy = {"torch", "datasets", "transformers"} & set(sys.modules)
assert not heavy, "the graph alone must load fast"
stages.open("tour", params.load("smoke"))
from datasets import Dataset
from inbol_lib.mllm import loading
loading.load(sys.argv[1], device="cpu")[0].save_pretrained(sys.argv[2])
Dataset.from_dict({"a": [1, 2]}).map(lambda row: row)
"""


def test_the_graph_loads_without_torch_and_an_open_stage_hides_the_bars_of_loading_and_saving(
    runs, tiny, tmp_path
):
    hiding = ("CI", "HF_DATASETS_DISABLE_PROGRESS_BARS")
    env = {name: value for name, value in os.environ.items() if name not in hiding}
    command = [sys.executable, "-c", QUIET, tiny[2], tmp_path / "saved"]
    done = subprocess.run(command, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for bar in ("Loading weights", "Writing model shards", "Map"):
        assert bar not in done.stderr
