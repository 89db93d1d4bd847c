"""Every table from a finished study in small, and again from the one file of its outcomes."""

import numpy as np
import pandas as pd
import pytest
from builders import outcome_rows

from inbol_lib import params
from inbol_lib.evaluation import probe_designs, selective
from inbol_lib.report import claims, gathering, publication
from inbol_lib.report.tables import layout
from inbol_lib.study import experiments, graph, published_outcomes

WORDS = ("correct", "refusal", "incorrect")


@pytest.fixture
def studied(runs):
    """The parameters of a finished study in small."""
    seeds = {"seeds": [0, 1], "sweep_seeds": [0, 1]}
    p = params.load("smoke", sample_counts=[2], data_sizes=[100], **seeds)
    finish(p)
    return p


def finish(p):
    """Write every artefact that notebook 09 reads, with random outcomes."""
    rng = np.random.default_rng(0)
    for cell in published_outcomes.cells(p):
        finish_evaluation(p, cell, rng)
    for cell in experiments.probe_cells(p):
        finish_probing(cell, rng)


def finish_probing(cell, rng):
    """Write what notebook 08 leaves behind under one training seed."""
    folder = graph.path("probing", cell)
    folder.mkdir(parents=True)
    said = pd.DataFrame({"id": range(20), "label": [0, 1] * 10, "shuffle": 0})
    said = said.assign(said=rng.integers(2, size=20), control=probe_designs.PAPER)
    said = said.assign(model=cell.model, method="idk_it", seed=cell.seed)
    said.to_csv(folder / published_outcomes.PROBE, index=False)
    looked(cell, rng).to_parquet(folder / published_outcomes.LOOKED)
    (folder / "metrics.json").write_text("{}")


def looked(p, rng):
    """Outcomes of minimal pairs and blind pictures, which only the micro world can ask about."""
    pairs, blind = layout.CONTROLS
    full, grey = (answers(f"{kind}removed", "idk_it", p.seed, rng) for kind in (pairs, blind))
    empty = full.assign(answerable=False, outcome=full.outcome.replace("correct", "refusal"))
    made = pd.concat([full, empty.assign(id=empty.id + "-empty"), grey], ignore_index=True)
    return made if p.dataset == "micro" else made.head(0)


def finish_evaluation(p, cell, rng):
    """Write the outcomes, label-free scores and confidence levels of one evaluation."""
    folder = graph.path("evaluation", cell)
    folder.mkdir(parents=True)
    sources = (*p.sources, "uavqa", *p.ood_sources)
    parts = [
        answers(source, method, cell.seed, rng) for source in sources for method in cell.methods
    ]
    made = pd.concat(parts, ignore_index=True)
    made.assign(response="it is red").to_parquet(folder / "outcomes.parquet")
    inside = layout.in_domain(made[made.method == cell.methods[0]])
    scored = pd.concat([inside.assign(split=split) for split in ("validation", "test")])
    scored = scored.assign(**{score: rng.random(len(scored)) for score in selective.SCORES})
    scored.to_parquet(folder / "scored.parquet")
    levels = pd.DataFrame({"level": np.arange(11) / 10, "questions": range(1, 12)})
    levels = pd.concat([levels.assign(model=p.model, source=source) for source in p.sources])
    levels.to_csv(folder / "levels.csv", index=False)
    (folder / "metrics.json").write_text("{}")


def answers(source, method, seed, rng):
    """Twelve random outcomes; where there is no answer none is right.

    Without training they are the same under every seed.
    """
    if method in graph.PROMPTED:
        rng = np.random.default_rng(list(f"{method} {source}".encode()))
    answerable = source not in ("uavqa", *layout.UNANSWERABLE)
    rows = []
    for i in range(12):
        word, level = str(rng.choice(WORDS)), i % 11 / 10  # a question has one confidence
        if word == "correct" and not answerable:
            word = "incorrect"
        rows.append((f"{source}-{i}", word, level))
    return outcome_rows(rows, method, source=source, seed=seed, answerable=answerable)


def numbers(p):
    """Every table that notebook 09 makes, and the sweeps."""
    outcomes = gathering.gather(experiments.main_cells(p))
    return publication.make_tables(p, outcomes) | gathering.sweeps(p)


def test_the_packed_outcomes_give_every_table_again(studied, tmp_path, monkeypatch):
    before = numbers(studied)
    (tmp_path / "packed").mkdir()
    published_outcomes.pack(studied, tmp_path / "packed")
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path / "opened"))
    published_outcomes.unpack(studied, tmp_path / "packed")
    after = numbers(studied)
    assert set(before) == set(after)
    assert {"controls_eq6", "controls_samples", "controls_natural", "sizes"} <= set(before)
    for name, table in before.items():
        pd.testing.assert_frame_equal(table.round(6), after[name].round(6), obj=name)


def test_table_7_is_over_the_seeds_of_the_sweeps(studied):
    said = published_outcomes.probe_predictions(studied)
    right = 100 * (said.said == said.label).groupby(said.seed).mean()
    (row,) = publication.make_tables(studied, gathering.gather(experiments.main_cells(studied)))[
        "table7_linear_probe"
    ].itertuples()
    assert row.accuracy == pytest.approx(right.mean())
    assert right.nunique() == 2
    assert (row.n, row.n_seeds) == (20, 2)
    assert row.hi - row.lo > 35, "two seeds answer the same twenty questions"
    assert "2 training seeds" in gathering.size_note(studied, "table7_linear_probe")


def test_one_source_and_one_set_out_of_domain_are_enough_for_every_table(runs):
    """As in params/smolvlm-256m.yaml: only A-OKVQA is averaged, and no set is unanswerable."""
    data = {"sources": ["scienceqa"], "ood_sources": ["aokvqa"], "dataset": "benchmarks:data"}
    p = params.load("smoke", second_generator="micro-m", **data)
    finish(p)
    made = numbers(p)
    assert set(made["table1_in_domain"].dataset) == {"ScienceQA", "UaVQA", "Overall"}
    assert set(made["table2_out_of_domain"].dataset) == {"AOKVQA"}
    assert made["table3_unanswerable"].empty
    assert made["thresholds"].score.between(0, 1).all()
    assert set(made["table6_generators_ood"].generator) == {"program", "micro-m"}
    judged = claims.judged(p, gathering.gather(experiments.main_cells(p)))
    places = ["Table 1", "Fig. 4", "Table 4", "Fig. 10", "Fig. 11a", "Fig. 11b", "Table 7"]
    assert judged["where"].isin(places).all()


def test_the_training_seeds_need_not_hold_the_one_of_single_runs(runs, tmp_path):
    p = params.load("smoke", seeds=[1, 2], sweep_seeds=[1])
    finish(p)
    assert p.seed == 0
    made = numbers(p)
    assert set(made["table1_in_domain"].n_seeds) == {2}
    published_outcomes.pack(p, tmp_path)
    assert not graph.complete("evaluation", p), "nothing is trained for it"
