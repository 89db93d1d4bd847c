"""The order of the methods at any cost, and the widget of `explore.costs`."""

import numpy as np
import pandas as pd
import pytest
from builders import outcome_table

from inbol_lib import explore
from inbol_lib.errors import ParameterError
from inbol_lib.evaluation import intervals, metrics
from inbol_lib.explore import material
from inbol_lib.explore.pricing import gains, page, panel
from inbol_lib.report.tables.layout import in_domain

COSTS = [0, 0.3, 1, 2.5, 10]


@pytest.fixture(scope="module")
def outcomes():
    rng = np.random.default_rng(3)
    parts = []
    for seed in (0, 1):
        for method, shares in (
            ("original", (0.5, 0.0, 0.5)),
            ("idk_it", (0.3, 0.6, 0.1)),
            ("ca_dpo", (0.42, 0.35, 0.23)),
        ):
            words = rng.choice(metrics.COUNTS[:3], 200, p=shares)
            parts.append(outcome_table(words, method=method, seed=seed))
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def resampled(outcomes):
    return gains.Resampled.of(outcomes)


@pytest.mark.parametrize("cost", COSTS)
def test_methods_stand_in_the_order_of_phi(outcomes, resampled, cost):
    totals = metrics.counts(outcomes).groupby(outcomes.method).sum()
    phi = metrics.phi(totals.correct, totals.refusal, totals.n, cost)
    table = gains.ranking(resampled, cost)
    assert table.method.tolist() == phi.sort_values(ascending=False).index.tolist()
    assert np.allclose(table.gain, 100 * phi[table.method])


@pytest.mark.parametrize("cost", COSTS)
def test_intervals_are_those_of_the_report(outcomes, resampled, cost):
    tables = [outcomes[outcomes.method == name] for name in resampled.methods]
    for place, name in enumerate(resampled.methods):

        def gain(*totals, place=place):
            mine = totals[place]
            return metrics.phi(mine.correct, mine.refusal, mine.n, cost)

        expected = intervals.interval(*tables, statistic=gain)
        row = gains.ranking(resampled, cost).set_index("method").loc[name]
        assert np.allclose([row.lo, row.hi], 100 * np.array(expected))


def test_at_a_cost_of_one_the_gain_is_s_trust(outcomes, resampled):
    table = gains.ranking(resampled, 1).set_index("method")
    trust = metrics.summary(outcomes, ["method"]).set_index("method").s_trust
    assert np.allclose(table.gain, 100 * trust[table.index])


def test_equal_gains_keep_the_order_of_the_figures(outcomes):
    original = outcomes[outcomes.method == "original"]
    both = [original.assign(method="ca_dpo"), original.assign(method="sft")]
    table = gains.ranking(gains.Resampled.of(pd.concat(both)), 1)
    assert table.method.tolist() == ["sft", "ca_dpo"]
    assert table["first"].tolist() == [1.0, 0.0]


def test_the_strip_names_the_best_method_at_every_cost(resampled):
    strip = gains.best_by_cost(resampled)
    assert strip[0][0] == 0
    assert strip[-1][1] == gains.MOST
    for start, end, method in strip:
        for cost in (start, max(start, end - 0.1)):
            assert gains.ranking(resampled, cost).method[0] == method
    assert [a[1] for a in strip[:-1]] == [b[0] for b in strip[1:]]


def test_the_slider_reorders_the_page(outcomes):
    shown = panel.Panel(gains.test_sets(outcomes), "made for a test")
    places = {}
    for cost in (0.0, 10.0):
        shown.cost.value = cost
        body = shown.page.value[shown.page.value.index("<tbody>") :]
        places[cost] = [body.index(name) for name in ("Original", "CA-DPO", "IDK-IT")]
    assert places[0.0] == sorted(places[0.0])
    assert places[10.0] == sorted(places[10.0], reverse=True)


def test_five_hundred_costs_are_quick_and_keep_one_resampling_a_set(outcomes):
    sets = gains.test_sets(outcomes)
    shown = panel.Panel(sets, "made for a test")
    for number in range(500):
        shown.cost.value = number % 100 / 10
    for name in sets:
        shown.chosen.value = name
    assert len(shown._kept) == len(sets)


def test_notes_are_escaped(resampled):
    shown = page.page(resampled, 1, page.lines(resampled), "<script>x</script>")
    assert "<script" not in shown
    assert "&lt;script&gt;" in shown


def test_artefacts_and_published_outcomes_are_ranked(made, capsys):
    p, _, outcomes = made
    table = explore.costs(p).data
    assert table.method.tolist() == ["Original", "IDK-IT", "CA-DPO"]
    totals = metrics.summary(in_domain(outcomes), ["method"]).set_index("method")
    said = table.set_index("method")["cost 1"]
    for label, method in (("Original", "original"), ("CA-DPO", "ca_dpo")):
        assert f"{100 * totals.s_trust[method]:+.1f}" in said[label]
    assert "artefacts of smoke, micro-s, seed 0" in capsys.readouterr().out


def test_published_outcomes_need_no_runs_and_say_what_they_are(smoke, runs, capsys):
    cell, outcomes, note = material.outcomes("costs", smoke, None)
    assert "No artefacts of smoke yet (`inbol run 06_evaluation -f smoke` makes" in (
        capsys.readouterr().out
    )
    assert outcomes.seed.nunique() == len(cell.seeds)
    assert note.startswith("published outcomes of")
    assert set(cell.methods) <= set(outcomes.method)
    with pytest.raises(ParameterError, match="seed 77 is not published"):
        explore.costs(smoke.replace(seed=77, seeds=[77], sweep_seeds=[77]), published=True)
