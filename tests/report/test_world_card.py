"""The card puts every printed cell of the base models beside ours."""

import json

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from inbol_lib import paths
from inbol_lib.report.tables import numbered
from inbol_lib.report.worlds import card as world_card
from inbol_lib.study import published_outcomes


@pytest.fixture(scope="module")
def outcomes() -> pd.DataFrame:
    """What is published of the methods on the card, of the main cells."""
    everything = pd.read_parquet(paths.ROOT / "figures" / published_outcomes.NAME)
    main = [cell for cell in everything.cell.unique() if set(json.loads(cell)) <= {"model", "seed"}]
    wanted = everything.cell.isin(main) & everything.method.isin(world_card.METHODS)
    return published_outcomes.in_words(everything[wanted])


@pytest.fixture(scope="module")
def card(outcomes) -> pd.DataFrame:
    return world_card.card(outcomes)


def test_each_model_has_every_cell_that_the_paper_prints(card):
    base = card[card.method.isin(world_card.BASE)]
    assert base.groupby("model").size().to_dict() == {"micro-s": 34, "micro-m": 34}
    assert not card.duplicated(["model", "method", "dataset", "metric"]).any()
    assert card.paper.between(0, 100).all()
    assert card.ours.between(0, 100).all()
    assert (card.lo <= card.ours + 1e-9).all()
    assert (card.ours <= card.hi + 1e-9).all()


def test_cells_are_those_of_the_tables(card, outcomes):
    table = pd.concat([numbered.table1(outcomes), numbered.table2(outcomes)])
    keys = ["model", "method", "dataset"]
    both = card[card.metric == "refr"].merge(table[[*keys, "refr"]], on=keys)
    assert len(both) > 40
    assert np.allclose(both.ours, both.refr)


def test_cells_are_met_within_five_points_and_missed_beyond_ten():
    gaps = [0, 4.9, 5.1, 10.1, -10.1]
    table = pd.DataFrame({"paper": 50.0, "ours": [50 + gap for gap in gaps]})
    table = table.assign(model="micro-s", method="original", dataset="VQAv2", metric="acc")
    found = world_card.met(table).iloc[0]
    assert (found.cells, found.near, found.far) == (5, 2, 2)
    assert found.largest_gap == pytest.approx(10.1)


def test_a_score_that_ranks_right_answers_first_knows_all_and_a_constant_one_nothing():
    words = ["correct", "correct", "incorrect", "incorrect", "refusal"]
    asked = pd.DataFrame({"outcome": words, "model": "micro-s", "source": "oven"})
    asked = asked.assign(sequence_probability=[0.9, 0.8, 0.7, 0.1, 1.0], self_consistency=0.5)
    all_wrong = asked.assign(source="uavqa", outcome="incorrect")
    (row,) = world_card.discrimination(pd.concat([asked, all_wrong])).itertuples()
    assert (row.dataset, row.n, row.right) == ("OVEN", 4, 50)
    assert (row.sequence_probability, row.self_consistency) == (1, 0.5)


def test_what_scores_know_in_domain_follows_from_the_published_scores(outcomes):
    scores = pd.read_parquet(paths.ROOT / "figures" / published_outcomes.SCORES)
    known = world_card.discrimination(scores[scores.split == "test"])
    published = pd.read_csv(paths.ROOT / "figures" / "world_card_auroc.csv")
    keys = ["model", "dataset"]
    assert set(published.dataset) > set(known.dataset)
    both = known.merge(published, on=keys, suffixes=("", "_published"))
    assert len(both) == len(known) == 6
    for name in ("n", "right", *world_card.SCORES):
        assert np.allclose(both[name], both[f"{name}_published"], atol=0.0051), name


def test_gains_are_differences_of_accuracy(card):
    found = world_card.gains(card).set_index(["model", "dataset"])
    assert found.loc[("micro-s", "ScienceQA"), "paper"] == pytest.approx(60 - 51.33)
    cell = card.set_index(["model", "method", "dataset", "metric"]).ours
    key = ("micro-m", "{}", "OVEN", "acc")
    ours = [cell[(key[0], method, *key[2:])] for method in ("sft", "original")]
    assert found.loc[("micro-m", "OVEN"), "ours"] == pytest.approx(ours[0] - ours[1])


def test_gains_lie_within_their_paired_intervals(card, outcomes):
    gained = world_card.gains(card).merge(world_card.gain_bounds(outcomes), on=["model", "dataset"])
    assert len(gained) == 6
    assert (gained.lo < gained.ours).all()
    assert (gained.ours < gained.hi).all()
    assert (gained.hi - gained.lo < 20).all()


def test_the_chart_shows_every_base_cell(card):
    figure, axes = plt.subplots(1, 2)
    world_card.chart(card, axes)
    for ax in axes:
        shown = sum(len(bars[0].get_xdata()) for bars in ax.containers)
        assert shown == 34
    plt.close(figure)


def test_the_published_card_belongs_to_the_packaged_weights():
    text = (paths.ROOT / "figures" / "world_card.md").read_text()
    for model, digest in world_card.world_hashes(["micro-s", "micro-m"]).items():
        assert f"- {model}: `{digest}`" in text


def test_the_published_card_follows_from_the_published_outcomes(card):
    published = pd.read_csv(paths.ROOT / "figures" / "world_card.csv")
    pd.testing.assert_frame_equal(published, card, check_exact=False, atol=0.0051)
