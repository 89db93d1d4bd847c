"""Classes and composition at any thresholds, and the widget of `explore.thresholds`."""

import pandas as pd
import pytest

from inbol_lib import explore
from inbol_lib.boundary import composition
from inbol_lib.boundary.confidence import first_samples
from inbol_lib.errors import ParameterError
from inbol_lib.explore.composing import page, panel, stocks
from inbol_lib.study import graph

PAIRS = [(0.8, 0.2), (0.6, 0.4), (1.0, 0.0), (0.4, 0.2), (0.2, 0.0), (0.35, 0.3)]


@pytest.fixture
def stock(made):
    p = made[0]
    return stocks.stock(p, graph.path("confidence", p), graph.path("unanswerable", p))


@pytest.mark.parametrize("pair", PAIRS)
def test_class_sizes_are_those_of_the_composition(made, stock, pair):
    p, records, _ = made
    known, unknown = pair
    described = composition.describe(
        records["train"], p.replace(delta_known=known, delta_unknown=unknown)
    )
    expected = described.groupby(["source", "kind"]).size()
    found = stocks.sizes(stock, *pair).classes.stack()
    assert found[found > 0].to_dict() == expected.to_dict()


def composed(records, p):
    """What the method itself composes, instructions and preferences."""
    tables = records["train"], records["outside"]
    return composition.instructions(*tables, p), composition.preferences(*tables, p)


@pytest.mark.parametrize("rule", ["shrink", "repeat", "refuse"])
@pytest.mark.parametrize("pair", PAIRS)
def test_what_is_taken_is_what_is_composed(made, stock, pair, rule):
    p, records, _ = made
    known, unknown = pair
    changed = {"short_class": rule, "num_instructions": 24, "num_pairs": 30}
    stock.p = p.replace(**changed)
    p = stock.p.replace(delta_known=known, delta_unknown=unknown)
    found = stocks.sizes(stock, *pair)
    if found.trouble:
        with pytest.raises(ParameterError) as refused:
            composed(records, p)
        assert found.trouble == str(refused.value)
        return
    (idk, _, counts), (rows, pairs) = composed(records, p)
    assert found.instructions == counts
    assert found.pairs == pairs
    assert counts["known"] == idk["kind"].count("known")
    assert {kind: pairs[kind] for kind in composition.PAIR_KINDS} == {
        kind: rows["kind"].count(kind) for kind in composition.PAIR_KINDS
    }


def test_fewer_samples_behind_the_confidence_count_as_in_notebook_03(made):
    p = made[0].replace(confidence_samples=2)
    stock = stocks.stock(p, graph.path("confidence", p), graph.path("unanswerable", p))
    fewer = first_samples(made[1]["train"], 2, p.data_seed)
    expected = composition.describe(fewer, p).kind.value_counts()
    assert stocks.sizes(stock, 0.8, 0.2).classes.sum()[expected.index].equals(expected)


def test_levels_hold_every_judged_question_in_its_class(stock):
    found = stocks.sizes(stock, 0.8, 0.2)
    assert found.levels.questions.sum() == stock.inside.confidence.notna().sum()
    by_kind = found.levels.groupby("kind").questions.sum()
    total = found.classes.sum()
    assert by_kind.to_dict() == total[total > 0].to_dict()


def test_sliders_move_the_page_and_never_cross(stock):
    shown = panel.Panel(stock)
    before = shown.page.value
    shown.known.value = 0.6
    assert shown.page.value != before
    assert shown.page.value == page.page(stocks.sizes(stock, 0.6, 0.2), stock.note)
    shown.unknown.value = 0.75
    assert (round(shown.known.value, 6), round(shown.unknown.value, 6)) == (0.8, 0.75)
    shown.known.value = 0.1
    assert (round(shown.known.value, 6), round(shown.unknown.value, 6)) == (0.1, 0.05)
    shown.reset()
    assert shown.page.value == before


def test_too_few_questions_are_a_notice_and_no_traceback(stock):
    stock.p = stock.p.replace(short_class="refuse", num_instructions=10_000)
    shown = panel.Panel(stock)
    assert 'role="alert"' in shown.page.value
    assert "too few questions" in shown.page.value


def test_names_of_sources_are_escaped(stock):
    stock.inside = stock.inside.assign(source="<b onclick=x>$a$</b>")
    stock.inside = pd.concat([stock.inside, stock.inside.assign(source="other")])
    shown = page.page(stocks.sizes(stock, 0.8, 0.2), "<i>note</i>")
    assert "<b onclick" not in shown
    assert "&lt;b onclick" in shown
    assert "<i>note" not in shown


def test_published_levels_have_classes_and_no_composition(smoke, runs, capsys):
    table = explore.thresholds(smoke, published=True).data
    said = capsys.readouterr().out
    assert "needs training questions" in said
    assert "instructions" not in table
    totals = table[["known", "mixed", "unknown"]].sum(axis=1)
    assert totals.nunique() == 1
    assert totals.iloc[0] > 1000


def test_the_table_has_the_study_thresholds_first(made):
    table = explore.thresholds(made[0]).data
    assert table.delta_known[0] == made[0].delta_known
    assert {"known", "mixed", "unknown"} <= set(table)
