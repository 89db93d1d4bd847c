"""Sweeps may be smaller than the main run, and the notes under the tables say so."""

import pandas as pd
import pytest

from inbol_lib import errors, params
from inbol_lib.report import gathering
from inbol_lib.study import experiments, graph


def test_sweeps_may_be_smaller_than_the_main_run_and_say_so():
    sizes = {"num_instructions": 11_000, "num_pairs": 24_000, "test_per_source": 300}
    p = params.load("smoke", sweep_instructions=80, sweep_pairs=60, **sizes)
    cells = [
        *experiments.table4_cells(p),
        *experiments.threshold_cells(p),
        *experiments.generator_cells(p),
        *experiments.ratio_cells(p),
    ]
    assert {(cell.num_instructions, cell.num_pairs) for cell in cells} == {(80, 60)}
    assert "reduced" not in gathering.size_note(p, "table1_in_domain")
    assert "num_pairs 60 (paper: 24,000)" in gathering.size_note(p, "table4_preference_data")
    both = p.replace(seeds=[0, 1])
    probed = gathering.size_note(both, "table7_linear_probe")
    assert probed == "profile smoke, 1 training seed.", "the probe reads the models of one seed"
    assert gathering.size_note(both, "claims") == (
        "profile smoke, 2 training seeds. Claims about sweeps: 1 training seed; reduced: "
        "num_instructions 80 (paper: 11,000), num_pairs 60 (paper: 24,000)."
    )
    own = both.replace(dataset="folder:mine", verifier="micro-s", unanswerable_generator="micro-s")
    assert gathering.size_note(own, "claims") == "profile smoke, 2 training seeds."
    with pytest.raises(errors.ParameterError, match="sweep_seeds"):
        params.load("smoke", sweep_seeds=[0, 7])


def test_a_cell_with_the_main_settings_is_the_main_cell_and_is_read_for_its_own_methods(
    runs, smoke
):
    """Nothing is evaluated twice, and a sweep never mixes in the main tables' other methods."""
    p = smoke.replace(pair_ratios=[[1.0, 1.0, 1.0], [1.0, 1.0, 2.0]])
    equal, sharing = [cell == p for cell in experiments.ratio_cells(p)], experiments.share_cells(p)
    assert equal == [False, True]
    assert sharing == [p]
    trained = [graph.path(*graph.trained(cell, "idk_it")) for cell in experiments.ratio_cells(p)]
    assert len(set(trained)) == 1, "instructions do not depend on the ratio of the pairs"

    folder = graph.path("evaluation", p)
    folder.mkdir(parents=True)
    table = pd.DataFrame({"method": ["original", "ca_dpo", "idk_it"], "id": ["a", "b", "c"]})
    table.to_parquet(folder / "outcomes.parquet")
    (folder / "metrics.json").write_text("{}")
    assert gathering.gather([p]).method.tolist() == table.method.tolist()
    assert gathering.gather([p], ["ca_dpo"]).id.tolist() == ["b"]
