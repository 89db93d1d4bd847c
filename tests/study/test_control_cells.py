"""The cells of controls: what they share, how they are named, and what leaves names alone."""

import json

from inbol_lib import params
from inbol_lib.study import experiments, graph, published_outcomes


def test_cells_of_the_sample_control_share_sampling_and_test_sets_but_not_what_is_trained_on():
    p = params.load("smoke", sample_counts=[2, 4])
    cells = experiments.sample_cells(p)
    assert [(cell.num_samples, cell.confidence_samples) for cell in cells] == [(4, 2), (4, 4)]
    assert len({graph.fingerprint("confidence", cell) for cell in cells}) == 1
    assert len({graph.fingerprint("composition", cell) for cell in cells}) == 2


def test_a_neutral_value_leaves_old_artefacts_their_names(smoke, monkeypatch):
    assert "confidence_samples" in graph.OWN["composition"]
    before = graph.fingerprint("composition", smoke)
    own = [name for name in graph.OWN["composition"] if name != "confidence_samples"]
    with monkeypatch.context() as patch:
        patch.setattr(graph, "OWN", graph.OWN | {"composition": tuple(own)})
        assert graph.fingerprint("composition", smoke) == before
    assert graph.fingerprint("composition", smoke.replace(confidence_samples=2)) != before


def test_a_cell_is_named_by_what_differs(smoke):
    name = published_outcomes.name(smoke, smoke.replace(delta_known=0.9))
    assert json.loads(name) == {"delta_known": 0.9}
    cells = published_outcomes.cells(smoke)
    assert len({published_outcomes.name(smoke, cell) for cell in cells}) == len(cells)
    assert published_outcomes.name(smoke, cells[0]) == "{}"
