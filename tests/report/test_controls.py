"""What the paper leaves untested: eq. 6 without its parts, fewer samples, equal refusals, the natural distribution, the probe's controls;
and the file of outcomes from which every published number can be made again."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import Dataset
from peft import PeftModel

from inbol_lib import errors, params
from inbol_lib.boundary.confidence import first_samples, standard_records
from inbol_lib.data import records
from inbol_lib.evaluation import probe_designs, probing, selective
from inbol_lib.report import claims, gathering, publication
from inbol_lib.report.tables import control_tables, layout, numbered
from inbol_lib.study import experiments, graph, published_outcomes
from inbol_lib.training import ca_dpo


def outcomes(rows, method="idk_it", **extra):
    """(id, outcome, confidence) -> an outcome table of one source."""
    made = [
        {"id": name, "image_id": f"flag:test:{name}", "outcome": word, "confidence": level}
        for name, word, level in rows
    ]
    fixed = {"group": [r["id"] for r in made], "source": "vqav2", "split": "test", "model": "micro-s",
             "method": method, "seed": 0, "answerable": True}  # fmt: skip
    return pd.DataFrame(made).assign(**fixed | extra)


def questions(n):
    blank = {"image": None, "image_id": "i", "question": "?", "answers": ["red"], "choices": [], "source": "vqav2", "split": "train",
             "group": "g", "accepted": []}  # fmt: skip
    return Dataset.from_list([{"id": str(i), **blank} for i in range(n)]).cast(
        records.QUESTION_FEATURES
    )


def test_the_first_samples_make_the_records_as_if_no_more_had_been_drawn():
    said, found = (
        [["red", "blue", "red", "red"]] * 3,
        [["correct", "incorrect", "correct", "correct"]] * 3,
    )
    whole = standard_records(questions(3), said, found, 0)
    assert whole["confidence"][:] == [0.75] * 3
    assert first_samples(whole, 0, 0) is whole
    two = first_samples(whole, 2, 0)
    assert two["confidence"][:] == [0.5] * 3
    assert two["responses"][0] == ["red", "blue"]
    assert (
        two.to_list()
        == standard_records(
            questions(3), [s[:2] for s in said], [f[:2] for f in found], 0
        ).to_list()
    )


def test_cells_of_the_sample_control_share_sampling_and_test_sets_but_not_what_is_trained_on():
    p = params.load("smoke", sample_counts=[2, 4])
    cells = experiments.sample_cells(p)
    assert [(c.num_samples, c.confidence_samples) for c in cells] == [(4, 2), (4, 4)]
    assert len({graph.fingerprint("confidence", c) for c in cells}) == 1
    assert len({graph.fingerprint("composition", c) for c in cells}) == 2


def test_a_neutral_value_leaves_old_artefacts_their_names(smoke):
    assert "confidence_samples" in graph.OWN["composition"]
    own = graph.OWN | {
        "composition": tuple(k for k in graph.OWN["composition"] if k != "confidence_samples")
    }
    before = graph.fingerprint("composition", smoke)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(graph, "OWN", own)
        assert graph.fingerprint("composition", smoke) == before
    assert graph.fingerprint("composition", smoke.replace(confidence_samples=2)) != before


def test_sweeps_may_be_smaller_than_the_main_run_and_say_so():
    p = params.load(
        "smoke",
        sweep_instructions=80,
        sweep_pairs=60,
        num_instructions=11_000,
        num_pairs=24_000,
        test_per_source=300,
    )
    cells = [
        *experiments.table4_cells(p),
        *experiments.threshold_cells(p),
        *experiments.generator_cells(p),
        *experiments.ratio_cells(p),
    ]
    assert {(c.num_instructions, c.num_pairs) for c in cells} == {(80, 60)}
    assert "reduced" not in gathering.size_note(p, "table1_in_domain")
    assert "num_pairs 60 (paper: 24,000)" in gathering.size_note(p, "table4_preference_data")
    assert "1 training seed of" in gathering.size_note(
        p.replace(seeds=[0, 1]), "table7_linear_probe"
    ), "the probe reads the models of one seed"
    with pytest.raises(errors.ParameterError, match="sweep_seeds"):
        params.load("smoke", sweep_seeds=[0, 7])


def test_an_untrained_adapter_is_the_original_model(tiny, smoke, tmp_path):
    net, _, _ = tiny
    weights = {k: v.clone() for k, v in net.state_dict().items()}
    start = ca_dpo.untrained(smoke, net, tmp_path / "fresh")
    assert all(torch.equal(v, weights[k]) for k, v in net.state_dict().items()), (
        "the model itself is untouched"
    )
    ids = torch.arange(20, 40)[None]
    with torch.inference_mode():
        before = net(input_ids=ids).logits
        policy = PeftModel.from_pretrained(net, str(start), is_trainable=True).eval()
        assert torch.equal(policy(input_ids=ids).logits, before)
    policy.unload()
    made = (start / "adapter_model.safetensors").read_bytes()
    assert (ca_dpo.untrained(smoke, net, start) / "adapter_model.safetensors").read_bytes() == made
    assert (
        ca_dpo.untrained(smoke, net, tmp_path / "again") / "adapter_model.safetensors"
    ).read_bytes() == made


def test_controls_are_compared_with_ca_dpo_whatever_the_order():
    ids = [str(i) for i in range(40)]
    half = outcomes(
        [(i, "correct" if int(i) < 20 else "incorrect", 0.5) for i in ids], "ca_dpo_half"
    )
    best = outcomes([(i, "correct" if int(i) < 30 else "incorrect", 0.5) for i in ids], "ca_dpo")
    base = outcomes([(i, "refusal", 0.5) for i in ids], "ca_dpo_base")
    table = control_tables.controls(pd.concat([half, base, best])).set_index("method")
    assert np.isnan(table["diff"]["ca_dpo"])
    assert table["diff"]["ca_dpo_half"] == pytest.approx(-50)
    assert table["diff"]["ca_dpo_base"] == pytest.approx(-50)


def test_natural_weights_bring_back_a_level_s_own_share():
    rows = [(f"a{i}", "correct", 1.0) for i in range(10)] + [
        (f"b{i}", "incorrect", 0.0) for i in range(10)
    ]
    levels = pd.DataFrame(
        {"model": "micro-s", "source": "vqav2", "level": [0.0, 1.0], "questions": [100, 300]}
    )
    table = control_tables.natural(outcomes(rows), levels).set_index("distribution")
    assert table.acc.to_dict() == {"balanced": pytest.approx(50), "natural": pytest.approx(75)}
    assert table.s_trust["natural"] == pytest.approx(50)
    assert (table.lo <= table.s_trust).all()
    assert (table.s_trust <= table.hi).all()


def test_natural_weights_count_every_source_alike():
    rows = [
        (f"{s}{i}", "correct" if level else "incorrect", level, s)
        for s in "xy"
        for level in (0.0, 1.0)
        for i in range(5)
    ]
    made = pd.concat([outcomes([(f"{n}-{c}", o, c)], source=s) for n, o, c, s in rows])
    levels = pd.DataFrame(
        {
            "model": "micro-s",
            "source": ["x", "x", "y", "y"],
            "level": [0.0, 1.0] * 2,
            "questions": [900, 100, 0, 10],
        }
    )
    assert control_tables.natural(made, levels).set_index("distribution").acc[
        "natural"
    ] == pytest.approx(100 * (0.1 + 1) / 2)


def test_the_least_sure_answers_are_refused_until_the_share_is_reached():
    table = outcomes([(str(i), "refusal" if i == 0 else "correct", 0.5) for i in range(10)]).assign(
        sure=[0.0, 9, 1, 8, 2, 7, 3, 6, 3, 5]
    )
    refused = selective.refuse_share(table, "sure", 0.4)
    assert refused.id[refused.outcome == "refusal"].tolist() == ["0", "2", "4", "6"], (
        "of the two with 3 the first id"
    )
    assert (selective.refuse_share(table, "sure", 0.05).outcome == table.outcome).all(), (
        "its own refusals stay"
    )


def test_equal_refusals_pair_a_method_with_the_original_that_refuses_as_often():
    ids = [str(i) for i in range(40)]
    original = outcomes(
        [(i, "incorrect" if int(i) < 10 else "correct", 0.5) for i in ids], "original"
    )
    tuned = outcomes(
        [
            (i, "refusal" if int(i) >= 30 else "incorrect" if int(i) < 10 else "correct", 0.5)
            for i in ids
        ],
        "idk_it",
    )
    knows = pd.DataFrame(
        {"model": "micro-s", "id": ids, **{s: np.arange(40.0) for s in selective.SCORES}}
    )
    table = control_tables.equal_refusals(pd.concat([original, tuned]), knows)
    assert table.refr.tolist() == table.refr_score.tolist() == [25.0] * 3
    assert table.s_trust_score.tolist() == [75.0] * 3, "the ten errors are refused"
    assert table["diff"].tolist() == [pytest.approx(-50)] * 3, "right answers lost and errors kept"


def probe_rows(n, origin="program"):
    kinds = np.repeat([0, 1], n)
    return pd.DataFrame({"id": range(2 * n), "label": kinds, "origin": np.where(kinds, origin, "answerable"), "source": ["x", "y"] * n,
                         "question": np.where(kinds, "how old is the flag", "what color is it")})  # fmt: skip


def test_the_probe_s_controls_find_nothing_where_there_is_nothing():
    rng = np.random.default_rng(0)
    rows = {"train": probe_rows(300), "test": probe_rows(100)}
    states = {
        split: rng.normal(size=(len(part), 8)) + 4 * part.label.to_numpy()[:, None]
        for split, part in rows.items()
    }
    found = numbered.probe(
        probing.predictions(states, rows, 0).assign(model="micro-s", method="idk_it", seed=0)
    ).set_index("control")
    assert (found.n == 200).all()
    assert (found.n_seeds == 1).all()
    chance = found.loc["shuffled labels"]
    assert chance.lo < 50 < chance.hi < 75, "chance and how far a probe strays from it"
    right = found.accuracy
    assert right["as in the paper"] > 95
    assert right["held-out source"] > 95
    assert right["words alone"] > 95
    assert right["shuffled labels"] == pytest.approx(50, abs=5)
    assert "matched wording" not in right.index, "no question was swapped"
    noise = {split: rng.normal(size=(len(part), 8)) for split, part in rows.items()}
    right = (
        numbered.probe(
            probing.predictions(noise, rows, 0).assign(model="micro-s", method="idk_it", seed=0)
        )
        .set_index("control")
        .accuracy
    )
    assert right["as in the paper"] == pytest.approx(50, abs=12)
    assert right["words alone"] > 95


def test_matched_wording_takes_swapped_questions_and_as_many_answerable_ones():
    rows = pd.concat(
        [probe_rows(30), probe_rows(20, "swap").query("label == 1")], ignore_index=True
    )
    _, fit, asked = next(
        design for design in probe_designs.designs(rows, rows, 0) if design[0] == "matched wording"
    )
    assert fit.label.value_counts().to_dict() == {0: 20, 1: 20}
    assert set(asked[asked.label == 1].origin) == {"swap"}


def test_a_held_out_source_is_never_trained_on():
    rows = probe_rows(20)
    for name, fit, asked in probe_designs.designs(rows, rows, 0):
        if name == "held-out source":
            assert set(fit.source) & set(asked.source) == set()


@pytest.fixture
def studied(runs):
    """A finished study in small."""
    return finished(params.load("smoke", sample_counts=[2], data_sizes=[100]))


def finished(p):
    """Every evaluation that 09 reads, with random outcomes; returns `p`."""
    rng = np.random.default_rng(0)
    for cell in published_outcomes.cells(p):
        folder = graph.path("evaluation", cell)
        folder.mkdir(parents=True)
        parts = []
        for source in (*p.sources, "uavqa", *p.ood_sources):
            for method in cell.methods:
                rows = [
                    (
                        f"{source}-{i}",
                        str(rng.choice(["correct", "refusal", "incorrect"])),
                        round(rng.integers(11) / 10, 1),
                    )
                    for i in range(12)
                ]
                parts.append(
                    outcomes(
                        rows,
                        method,
                        source=source,
                        seed=cell.seed,
                        answerable=source not in ("uavqa", *layout.UNANSWERABLE),
                    )
                )
        made = pd.concat(parts, ignore_index=True)
        made.loc[~made.answerable & (made.outcome == "correct"), "outcome"] = "incorrect"
        made.assign(response="it is red").to_parquet(folder / "outcomes.parquet")
        inside = layout.in_domain(made[made.method == cell.methods[0]])
        scores = inside[["id", "split", "model"]].assign(
            **{s: rng.random(len(inside)) for s in selective.SCORES}
        )
        scores.to_parquet(folder / "scored.parquet")
        levels = pd.DataFrame(
            {"model": p.model, "level": np.arange(11) / 10, "questions": range(1, 12)}
        )
        pd.concat([levels.assign(source=source) for source in p.sources]).to_csv(
            folder / "levels.csv", index=False
        )
        (folder / "metrics.json").write_text("{}")
    folder = graph.path("probing", p)
    folder.mkdir(parents=True)
    said = pd.DataFrame(
        {
            "id": range(20),
            "label": [0, 1] * 10,
            "said": 1,
            "shuffle": 0,
            "control": probe_designs.PAPER,
        }
    )
    said.assign(model=p.model, method="idk_it", seed=0).to_csv(
        folder / published_outcomes.PROBE, index=False
    )
    (folder / "metrics.json").write_text("{}")
    return p


def numbers(p):
    main = gathering.gather(experiments.main_cells(p))
    return publication.make_tables(p, main) | gathering.sweeps(p)


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


def test_one_source_and_one_set_out_of_domain_are_enough_for_every_table(runs):
    """As params/smolvlm-256m.yaml has them; nothing is left to be averaged but A-OKVQA, and no set is unanswerable."""
    p = finished(
        params.load(
            "smoke",
            sources=["scienceqa"],
            ood_sources=["aokvqa"],
            dataset="benchmarks:data",
            second_generator="micro-m",
        )
    )
    made = numbers(p)
    assert set(made["table1_in_domain"].dataset) == {"ScienceQA", "UaVQA", "Overall"}
    assert set(made["table2_out_of_domain"].dataset) == {"AOKVQA"}
    assert made["table3_unanswerable"].empty
    assert made["thresholds"].score.between(0, 1).all()
    assert set(made["table6_generators_ood"].generator) == {"program", "micro-m"}
    judged = claims.judged(p, gathering.gather(experiments.main_cells(p)))
    assert (
        judged["where"]
        .isin(["Table 1", "Fig. 4", "Table 4", "Fig. 10", "Fig. 11a", "Fig. 11b", "Table 7"])
        .all()
    )


def test_a_cell_is_named_by_what_differs(smoke):
    assert json.loads(published_outcomes.name(smoke, smoke.replace(delta_known=0.9))) == {
        "delta_known": 0.9
    }
    cells = published_outcomes.cells(smoke)
    assert len({published_outcomes.name(smoke, c) for c in cells}) == len(cells)
    assert published_outcomes.name(smoke, cells[0]) == "{}"
