"""The probe of the last hidden state, and the controls of its designs."""

import numpy as np
import pandas as pd
import pytest
from datasets import Dataset

from inbol_lib.evaluation import probe_designs, probing
from inbol_lib.report.tables import numbered


def test_the_probe_finds_a_linear_difference_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 300)
    x = rng.normal(size=(600, 16))

    def accuracy():
        return (probing.probe(x[:400], y[:400], x[400:], 0) == y[400:]).mean()

    assert accuracy() == pytest.approx(0.5, abs=0.12)
    x[:, 0] += 4 * y
    assert accuracy() > 0.9


def probe_rows(n, origin="program"):
    """`n` answerable and `n` unanswerable questions, in the columns of `probe_designs.frame`."""
    labels = np.repeat([0, 1], n)
    wording = np.where(labels, "how old is the flag", "what color is it")
    return pd.DataFrame(
        {
            "id": range(2 * n),
            "label": labels,
            "origin": np.where(labels, origin, "answerable"),
            "source": ["x", "y"] * n,
            "question": wording,
        }
    )


def table_of(states, rows):
    """Table 7 and its controls."""
    said = probing.predictions(states, rows, 0)
    fixed = {"model": "micro-s", "method": "idk_it", "seed": 0}
    return numbered.probe(said.assign(**fixed)).set_index("control")


def test_the_probe_s_controls_find_nothing_where_there_is_nothing():
    rng = np.random.default_rng(0)
    rows = {"train": probe_rows(300), "test": probe_rows(100)}
    states = {
        split: rng.normal(size=(len(part), 8)) + 4 * part.label.to_numpy()[:, None]
        for split, part in rows.items()
    }
    found = table_of(states, rows)
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
    right = table_of(noise, rows).accuracy
    assert right["as in the paper"] == pytest.approx(50, abs=12)
    assert right["words alone"] > 95


def test_matched_wording_takes_swapped_questions_and_as_many_answerable_ones():
    swapped = probe_rows(20, "swap").query("label == 1")
    rows = pd.concat([probe_rows(30), swapped], ignore_index=True)
    designs = {design.name: design for design in probe_designs.designs(rows, rows, 0)}
    matched = designs["matched wording"]
    assert matched.train.label.value_counts().to_dict() == {0: 20, 1: 20}
    assert set(matched.test[matched.test.label == 1].origin) == {"swap"}


def test_a_held_out_source_is_never_trained_on():
    rows = probe_rows(20)
    held_out = [
        design
        for design in probe_designs.designs(rows, rows, 0)
        if design.name == "held-out source"
    ]
    assert len(held_out) == 2
    for design in held_out:
        assert set(design.train.source) & set(design.test.source) == set()


def test_half_of_the_unknown_questions_are_of_each_kind():
    known = Dataset.from_dict({"id": list("abcdef"), "confidence": [0.0, 0.1, 0.2, 1.0, 0.1, 0.0]})
    beyond = Dataset.from_dict({"id": list("uvwxyz"), "confidence": [0.0] * 6})
    rows, labels = probing.unknown_questions(known, beyond, 100, 0)
    assert rows["id"][:4] == list("abef"), "confidence below 0.2"
    assert set(rows["id"][4:]) < set("uvwxyz")
    assert labels.tolist() == [0] * 4 + [1] * 4
