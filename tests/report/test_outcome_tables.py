"""Tables made from outcomes: the paper's numbered ones, and ours beside them."""

from typing import get_args

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from builders import outcome_table, scored_outcomes

from inbol_lib import params, paths
from inbol_lib.evaluation import metrics, risk, selective
from inbol_lib.params import Method
from inbol_lib.report import claims, paper, reading
from inbol_lib.report.plots import charts, looks
from inbol_lib.report.tables import control_tables, files, layout, numbered, refusal_costs

UNANSWERABLE = ("uavqa", "beyondvisqa", "vizwiz", "vqav2_idk")


@pytest.fixture
def outcomes():
    """Random outcomes of three methods on every data set of the tables."""
    rng = np.random.default_rng(0)
    parts = []
    for method in ("original", "idk_it", "ca_dpo"):
        for source in layout.NAMES:
            possible = ["correct", "refusal", "incorrect"]
            answerable = source not in UNANSWERABLE
            words = rng.choice(possible if answerable else possible[1:], 40)
            parts.append(outcome_table(list(words), source, method, answerable))
    return pd.concat(parts, ignore_index=True)


def test_tables_obey_equation_5_and_the_paper_s_columns(outcomes):
    for table, number in ((numbered.table1(outcomes), 1), (numbered.table2(outcomes), 2)):
        answered = table.dropna(subset="acc")
        assert np.allclose(answered.s_trust, 2 * answered.acc + answered.refr - 100)
        assert set(paper.table(number).columns) <= set(table.columns)
        assert set(paper.table(number).dataset) <= set(table.dataset)
    assert set(numbered.table3(outcomes).dataset) == set(paper.table(3).dataset)
    assert set(paper.table(4).columns) <= set(numbered.table4(outcomes).columns)


def test_the_paper_s_numbers_stand_only_beside_the_paper_s_data(outcomes):
    smoke, mine = params.load("smoke"), params.load("smoke", dataset="folder:/mine")
    table = numbered.table1(outcomes)
    assert "paper_s_trust" in paper.compare(table, 1, smoke)
    assert "paper_s_trust" in paper.compare(table, 1, params.load("llava-1.5-7b"))
    assert paper.compare(table, 1, mine).equals(table)
    assert "paper" not in claims.judged(mine, outcomes)
    assert paths.figures("micro-full", mine.dataset).is_relative_to(paths.runs())


def test_overall_is_the_item_mean(outcomes):
    first = numbered.table1(outcomes).query("method == 'ca_dpo' and dataset == 'Overall'").iloc[0]
    mine = layout.in_domain(outcomes).query("method == 'ca_dpo'")
    assert first.acc == pytest.approx(100 * (mine.outcome == "correct").mean())


def test_the_printed_tables_obey_equation_5_but_for_three_cells():
    for number in (1, 2):
        printed = paper.table(number).dropna(subset=["acc"])
        off = printed[(2 * printed.acc + printed.refr - 100 - printed.s_trust).abs() > 0.05]
        cells = {tuple(row) for row in off[["model", "method", "dataset"]].to_numpy()}
        assert cells == (set(paper.NOTES) if number == 1 else set())


def test_table_4_s_out_of_domain_mean_is_the_paper_s():
    of_ca_dpo = "model == 'llava-1.5-7b' and method == 'ca_dpo'"
    outside = paper.table(2).query(of_ca_dpo)
    four = outside[outside.dataset.isin(["AOKVQA", "GQA", "MMMU", "MMBench"])]
    printed = paper.table(4).query(of_ca_dpo).iloc[0]
    assert four[["acc", "refr", "s_trust"]].mean().round(2).tolist() == pytest.approx(
        [printed.ood_acc, printed.ood_refr, printed.ood_s_trust], abs=0.011
    )


def test_files_and_figures_are_written(outcomes, tmp_path):
    table = numbered.table1(outcomes)
    files.save_table_files(table, tmp_path, "t", "reduced")
    assert pd.read_csv(tmp_path / "t.csv").shape == table.shape
    markdown = (tmp_path / "t.md").read_text()
    assert "reduced" in markdown
    assert "nan" not in markdown
    assert table.s_trust.isna().sum() <= markdown.count("–"), "UaVQA has no s_trust"
    figure, ax = plt.subplots()
    charts.method_bars(table[table.dataset == "Overall"], ax)
    files.save_figure(figure, tmp_path, "f", table)
    assert {file.suffix for file in tmp_path.glob("f.*")} == {".svg", ".png", ".csv"}


def test_every_method_has_a_colour_of_its_own():
    assert set(looks.METHODS) == set(get_args(Method))
    assert len({colour for _, colour, _ in looks.METHODS.values()}) == len(looks.METHODS)


def test_tables_mark_a_paired_difference_and_nothing_else():
    base = outcome_table(["correct", "incorrect"] * 50)
    same = base.assign(method="sft")
    better = base.assign(method="idk_it", outcome=["correct", "refusal"] * 50)
    one = numbered.table1(pd.concat([base, same, better])).query("dataset == 'Overall'")
    assert one["mark"].tolist() == ["", "", "*"]
    assert one["diff"].tolist()[1:] == [0, 50]
    other = numbered.table1(pd.concat([base, better[2:]]))
    assert other["diff"].isna().all(), "not the same questions, so nothing is paired"


def test_circular_scores_are_paired_by_base_question():
    base = outcome_table(["correct", "incorrect"] * 30, "mmbench")
    words = ["incorrect", "correct"] * 15 + ["refusal", "refusal"] * 15
    table = numbered.table2(pd.concat([base, base.assign(method="idk_it", outcome=words)]))
    row = table.query("dataset == 'MMBench' and method == 'idk_it'").iloc[0]
    assert (row["n"], row["diff"], row["mark"]) == (30, 50, "*")


def test_every_data_set_of_a_table_compares_the_same_two_methods():
    base = outcome_table(["correct", "incorrect"] * 50)
    after = base.assign(method="idk_it", outcome=["correct", "refusal"] * 50)
    other = pd.concat([after, base]).assign(source="oven", id=lambda table: table.id + "o")
    table = numbered.table1(pd.concat([base, after, other]))
    assert table[table.method == "idk_it"]["diff"].tolist() == [50] * 3
    assert table[table.method == "original"]["diff"].isna().all()


def test_out_of_domain_means_have_an_interval(outcomes):
    four = numbered.table4(outcomes)
    assert ((four.ood_lo < four.ood_s_trust) & (four.ood_s_trust < four.ood_hi)).all()
    single = numbered.table2(outcomes).query("dataset in @layout.OOD_AVERAGED")
    narrowest = single.eval("hi - lo").min()
    widths = four.ood_hi - four.ood_lo
    assert widths.max() < narrowest, "a mean of four sets is known better than any of them"


def test_crossover_costs_name_the_cautious_method():
    base = outcome_table(["correct"] * 50 + ["incorrect"] * 50)
    words = ["correct"] * 40 + ["refusal"] * 40 + ["incorrect"] * 20
    after = base.assign(method="idk_it", outcome=words)
    row = refusal_costs.crossovers(pd.concat([after, base])).iloc[0]
    assert (row.bold, row.cautious, row.cost) == ("original", "idk_it", pytest.approx(1 / 3))
    assert row.lo < row.cost < row.hi
    with pytest.raises(ValueError, match="idk_it and original"):
        refusal_costs.crossovers(pd.concat([after, base[1:]]))


def test_each_kind_of_question_has_its_own_rows_and_differences():
    base = outcome_table(["correct", "correct", "incorrect", "refusal"])
    base = base.assign(confidence=[1.0, 0.5, 0.2, 0.0], answerable=[True, True, True, False])
    words = ["refusal", "correct", "refusal", "refusal"]
    after = base.assign(method="ca_dpo", outcome=words)
    outcomes = pd.concat([base.assign(method="idk_it"), after])
    table = control_tables.by_kind(outcomes)
    assert table.kind.tolist() == [
        kind for kind in ("known", "mixed", "unknown", "unanswerable") for _ in range(2)
    ]
    found = table[table.method == "ca_dpo"].set_index("kind")
    # a right answer refused costs one of worth, a wrong one spares one
    assert found["diff"].to_dict() == {"known": -100, "mixed": 0, "unknown": 100, "unanswerable": 0}
    assert found.refr.to_dict() == {"known": 100, "mixed": 0, "unknown": 100, "unanswerable": 100}
    assert found.acc.dropna().to_dict() == {"known": 0, "mixed": 100, "unknown": 0}


def test_over_refusal_counts_answers_lost_and_errors_averted():
    base = outcome_table(["correct", "correct", "incorrect", "incorrect", "refusal", "unjudged"])
    base["confidence"] = [1.0, 0.5, 0.5, 0.2, 0.0, np.nan]
    words = ["refusal", "correct", "refusal", "refusal", "refusal", "incorrect"]
    after = base.assign(method="idk_it", outcome=words)
    split = refusal_costs.over_refusal(pd.concat([base, after])).set_index(["kind", "effect"])
    assert split.refused.to_dict() == {
        ("known", "answer lost"): 1,
        ("mixed", "answer lost"): 0,
        ("mixed", "error averted"): 1,
        ("unknown", "error averted"): 1,
        ("unknown", "refused before"): 1,
        ("not estimated", "error averted"): 0,
    }
    assert ((split.lo <= split.refr) & (split.refr <= split.hi)).all()


def test_baselines_stand_in_the_table_with_their_areas():
    validation = scored_outcomes(selective.SCORES)
    test = scored_outcomes(selective.SCORES, seed=1).assign(split="test")
    outcomes = pd.concat([test, test.assign(method="idk_it")])
    scores = pd.concat([validation, test])
    table = control_tables.selective_prediction(outcomes, scores)
    assert table.method.tolist() == ["original", *selective.SCORES, "idk_it"]
    assert (table.s_trust[1:4] > table.s_trust[0]).all()
    assert (table["mark"][1:2] == "*").all()
    thresholds = [selective.threshold(validation, score) for score in selective.SCORES]
    assert table.threshold[1:4].tolist() == thresholds
    assert table.augrc[1:4].between(5, 25).all()
    assert table.ece[1:4].max() < 10, "the score is the chance of being right"
    assert table.threshold[[0, 4]].isna().all()


def test_trained_methods_are_points_on_the_plane():
    test = scored_outcomes(selective.SCORES, seed=1)
    curves = pd.concat(
        [risk.risk_coverage(test, score).assign(score=score) for score in selective.SCORES]
    )
    points = metrics.summary(test.assign(method="idk_it"), ["method"]).assign(lo=0.1, hi=0.9)
    ax = charts.risk_coverage(curves, points, plt.figure().gca())
    lines = {line.get_label(): line for line in ax.lines}
    assert set(lines) == {"Self-consistency", "Sequence probability", "P(True)", "IDK-IT"}
    row = metrics.score(metrics.counts(test).sum())
    point, curve = lines["IDK-IT"], lines["P(True)"]
    assert point.get_xdata()[0] == pytest.approx(100 * (1 - row["refr"]))
    assert curve.get_xdata()[-1] == pytest.approx(point.get_xdata()[0]), (
        "a curve ends where the model itself stands"
    )
    assert curve.get_ydata()[-1] == pytest.approx(point.get_ydata()[0])


def test_a_table_that_is_shown_is_rounded_and_has_dashes_and_names():
    table = pd.DataFrame(
        {
            "method": ["idk_it", "p_true"],
            "refr": [1.26, np.nan],
            "n": [40, 340],
            "wanted": [3.0, np.nan],
            "cost": [np.inf, 0.5],
        }
    )
    shown = reading.shown(table)
    assert shown.values.tolist() == [["IDK-IT", 1.3, 40, 3, "∞"], ["P(True)", "–", 340, "–", 0.5]]
    assert list(shown.index) == ["", ""]
    assert list(reading.shown(table.set_index("method")).index) == ["IDK-IT", "P(True)"]
    assert table.n.dtype == int, "the table itself is left alone"
