import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from inbol_lib.evaluation import intervals, metrics, probing
from inbol_lib.report import diagnostics, paper
from inbol_lib.report.plots import charts, looks
from inbol_lib.report.tables import files, layout, numbered


def outcome_table(words, source="vqav2", method="original", answerable=True, **extra):
    n = len(words)
    return pd.DataFrame({"id": [f"{source}-{i}" for i in range(n)], "image_id": [f"{source}-{i // 2}" for i in range(n)],
                         "group": [f"g{i // 2}" for i in range(n)], "source": source, "split": "test", "model": "micro-s", "method": method,
                         "seed": 0, "response": "", "outcome": words,
                         "confidence": np.linspace(0, 1, n), "answerable": answerable, **extra})  # fmt: skip


WORDS = ["correct"] * 5 + ["refusal"] * 2 + ["incorrect"] * 2 + ["unjudged"]


def test_known_outcomes_give_known_metrics():
    row = metrics.summary(outcome_table(WORDS), ["method"]).iloc[0]
    assert (row.acc, row.refr, row.answered_acc, row.n, row.unjudged) == (0.5, 0.2, 0.625, 10, 1)
    assert row.s_trust == pytest.approx(2 * 0.5 + 0.2 - 1)
    assert metrics.phi(5, 2, 10, 1) == pytest.approx(metrics.s_trust(5, 2, 10))
    assert metrics.phi(5, 2, 10, 3) == pytest.approx((5 - 9) / 10)


def test_refusing_everything_has_no_answered_accuracy():
    assert np.isnan(metrics.summary(outcome_table(["refusal"] * 3), ["method"]).answered_acc[0])


def test_order_of_items_changes_nothing():
    table = outcome_table(WORDS)
    shuffled = table.sample(frac=1, random_state=1)
    assert metrics.summary(table, ["method"]).equals(metrics.summary(shuffled, ["method"]))
    assert intervals.interval(table) == intervals.interval(shuffled)


def test_an_unknown_outcome_is_refused():
    with pytest.raises(ValueError, match="allowed"):
        metrics.counts(outcome_table(["good"]))


def test_circular_scoring_takes_the_worst_rotation():
    table = outcome_table(
        ["correct", "correct", "correct", "refusal", "incorrect", "refusal"], "mmbench"
    )
    assert metrics.circular(table).outcome.tolist() == ["correct", "refusal", "incorrect"]
    assert metrics.vanilla(table).outcome.tolist() == ["correct", "correct", "incorrect"]


def test_intervals_cover_and_widen_with_clusters():
    rng = np.random.default_rng(0)
    words = np.where(rng.random(400) < 0.5, "correct", "incorrect")
    table = outcome_table(list(words))
    lo, hi = intervals.interval(table)
    assert lo < metrics.summary(table, ["method"]).s_trust[0] < hi
    alike = outcome_table(list(np.repeat(words[:100], 4))).assign(
        image_id=[f"i{i // 4}" for i in range(400)]
    )
    independent = alike.assign(image_id=[str(i) for i in range(400)])
    width = lambda t: np.diff(intervals.interval(t))[0]  # noqa: E731
    assert width(alike) > 1.5 * width(independent)


@pytest.fixture
def outcomes():
    rng = np.random.default_rng(0)
    parts = []
    for method in ("original", "idk_it", "ca_dpo"):
        for source in layout.NAMES:
            no = source in ("uavqa", "beyondvisqa", "vizwiz", "vqav2_idk")
            words = rng.choice(
                ["refusal", "incorrect"] if no else ["correct", "refusal", "incorrect"], 40
            )
            parts.append(outcome_table(list(words), source, method, not no))
    return pd.concat(parts, ignore_index=True)


def test_tables_obey_equation_5_and_the_paper_s_columns(outcomes):
    for table, number in ((numbered.table1(outcomes), 1), (numbered.table2(outcomes), 2)):
        answered = table.dropna(subset="acc")
        assert np.allclose(answered.s_trust, 2 * answered.acc + answered.refr - 100)
        assert set(paper.table(number).columns) <= set(table.columns)
        assert set(paper.table(number).dataset) <= set(table.dataset)
    assert set(numbered.table3(outcomes).dataset) == set(paper.table(3).dataset)
    assert set(paper.table(4).columns) <= set(numbered.table4(outcomes).columns)


def test_overall_is_the_item_mean(outcomes):
    first = numbered.table1(outcomes).query("method == 'ca_dpo' and dataset == 'Overall'").iloc[0]
    mine = layout.in_domain(outcomes).query("method == 'ca_dpo'")
    assert first.acc == pytest.approx(100 * (mine.outcome == "correct").mean())


def test_the_printed_tables_obey_equation_5_but_for_three_cells():
    for number in (1, 2):
        printed = paper.table(number).dropna(subset=["acc"])
        off = printed[(2 * printed.acc + printed.refr - 100 - printed.s_trust).abs() > 0.05]
        cells = {tuple(r) for r in off[["model", "method", "dataset"]].to_numpy()}
        assert cells == (set(paper.NOTES) if number == 1 else set())


def test_table_4_s_out_of_domain_mean_is_the_paper_s():
    four = paper.table(2).query(
        "model == 'llava-1.5-7b' and method == 'ca_dpo' and dataset in ['AOKVQA', 'GQA', 'MMMU', 'MMBench']"
    )
    printed = paper.table(4).query("model == 'llava-1.5-7b' and method == 'ca_dpo'").iloc[0]
    assert four[["acc", "refr", "s_trust"]].mean().round(2).tolist() == pytest.approx(
        [printed.ood_acc, printed.ood_refr, printed.ood_s_trust], abs=0.011
    )


def test_files_and_figures_are_written(outcomes, tmp_path):
    table = numbered.table1(outcomes)
    files.save_table_files(table, tmp_path, "t", "reduced")
    assert pd.read_csv(tmp_path / "t.csv").shape == table.shape
    assert "reduced" in (tmp_path / "t.md").read_text()
    figure, ax = plt.subplots()
    charts.method_bars(table[table.dataset == "Overall"], ax)
    files.save_figure(figure, tmp_path, "f", table)
    assert {f.suffix for f in tmp_path.glob("f.*")} == {".svg", ".png", ".csv"}


def test_every_method_has_a_colour_of_its_own():
    from typing import get_args

    from inbol_lib.params import Method

    assert set(looks.METHODS) == set(get_args(Method))
    assert len({c for _, c, _ in looks.METHODS.values()}) == len(looks.METHODS)


def test_the_probe_finds_a_linear_difference_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 300)
    x = rng.normal(size=(600, 16))
    assert (probing.probe(x[:400], y[:400], x[400:], 0) == y[400:]).mean() == pytest.approx(
        0.5, abs=0.12
    )
    x[:, 0] += 4 * y
    assert (probing.probe(x[:400], y[:400], x[400:], 0) == y[400:]).mean() > 0.9


def totals(correct, refusal, n=100):
    return {"correct": correct, "refusal": refusal, "n": n}


def test_methods_cross_at_the_cost_where_both_are_worth_the_same():
    bold, cautious = totals(50, 0), totals(40, 40)
    cost = metrics.crossover(bold, cautious)
    assert cost == pytest.approx(10 / 30)
    assert metrics.phi(**bold, cost=cost) == pytest.approx(metrics.phi(**cautious, cost=cost))
    assert metrics.phi(**bold, cost=cost + 0.1) < metrics.phi(**cautious, cost=cost + 0.1)
    assert metrics.crossover(bold, totals(60, 10)) == 0, (
        "more right and fewer wrong: better at every cost"
    )
    assert metrics.crossover(bold, totals(40, 0)) == np.inf, (
        "fewer right and more wrong: never better"
    )
    assert metrics.crossover(bold, bold) == 0


def test_refusing_the_unanswerable_is_best_at_every_cost():
    assert metrics.phi(**totals(0, 100), cost=5) == 0 > metrics.phi(**totals(0, 99), cost=0.1)


SCORED = outcome_table(["correct", "incorrect", "correct", "unjudged"]).assign(
    score=[0.9, 0.8, 0.8, 0.3]
)


def test_risk_and_coverage_as_computed_by_hand():
    curve = metrics.risk_coverage(SCORED, "score")
    assert curve.threshold.tolist() == [0.9, 0.8, 0.3]
    assert curve.coverage.tolist() == [0.25, 0.75, 1]
    assert curve.risk.tolist() == pytest.approx([0, 1 / 3, 1 / 2])
    assert curve.generalised_risk.tolist() == [0, 0.25, 0.5]
    assert metrics.aurc(curve) == pytest.approx(0.5 / 3 + 0.25 / 2)
    assert metrics.augrc(curve) == pytest.approx(0.5 * 0.25 / 2 + 0.25 * (0.25 + 0.5) / 2)
    assert metrics.risk_coverage(SCORED.iloc[[3, 2, 1, 0]], "score").equals(curve), (
        "ties have no order"
    )


def test_perfect_and_empty_scores_have_the_areas_of_theory():
    words = ["correct"] * 600 + ["incorrect"] * 400
    table = outcome_table(words).assign(perfect=np.arange(1000)[::-1], empty=0.5)
    assert metrics.augrc(metrics.risk_coverage(table, "perfect")) == pytest.approx(0.4**2 / 2)
    assert metrics.augrc(metrics.risk_coverage(table, "empty")) == pytest.approx(0.4 / 2)
    assert metrics.aurc(metrics.risk_coverage(table, "empty")) == pytest.approx(0.4)


def test_what_the_model_refused_itself_is_never_covered():
    refused = SCORED.assign(outcome=["correct", "refusal", "correct", "unjudged"])
    assert metrics.risk_coverage(refused, "score").coverage.tolist() == [0.25, 0.5, 0.75]
    assert len(metrics.risk_coverage(refused.assign(score=[0.9, np.nan, 0.8, 0.3]), "score")) == 3
    with pytest.raises(ValueError, match="1 of 4 answers"):
        metrics.risk_coverage(SCORED.assign(score=[0.9, np.nan, 0.8, 0.3]), "score")


def test_calibration_error_as_computed_by_hand():
    assert metrics.ece([1, 1, 0.5, 0.5], [1, 0, 1, 0]) == pytest.approx(0.25)
    assert metrics.ece([0.78, 0.82], [1, 0]) == pytest.approx(0.3), "both lie at the level 0.8"
    assert metrics.ece([0.1] * 10, [1] + [0] * 9) == pytest.approx(0)
    for bad in (1.2, np.nan):
        with pytest.raises(ValueError, match="confidence"):
            metrics.ece([bad], [1])


def test_refusals_are_split_into_answers_lost_and_errors_averted():
    base = outcome_table(["correct", "correct", "incorrect", "incorrect", "refusal", "unjudged"])
    base["confidence"] = [1.0, 0.5, 0.5, 0.2, 0.0, np.nan]
    after = base.assign(
        method="idk_it",
        outcome=["refusal", "correct", "refusal", "refusal", "refusal", "incorrect"],
    )
    rows = metrics.against(pd.concat([base, after]))
    assert rows.kind.tolist() == ["known", "mixed", "mixed", "unknown", "unknown", "not estimated"]
    assert rows.effect.tolist() == [
        "answer lost",
        "answer lost",
        *["error averted"] * 2,
        "refused before",
        "error averted",
    ]
    split = diagnostics.over_refusal(pd.concat([base, after])).set_index(["kind", "effect"])
    assert split.refused.to_dict() == {("known", "answer lost"): 1, ("mixed", "answer lost"): 0, ("mixed", "error averted"): 1,
                                       ("unknown", "error averted"): 1, ("unknown", "refused before"): 1,
                                       ("not estimated", "error averted"): 0}  # fmt: skip
    assert ((split.lo <= split.refr) & (split.refr <= split.hi)).all()
    with pytest.raises(ValueError, match="1 of 6"):
        metrics.against(pd.concat([base[1:], after]))


def test_tables_mark_a_paired_difference_and_nothing_else():
    base = outcome_table(["correct", "incorrect"] * 50)
    same, better = (
        base.assign(method="sft"),
        base.assign(method="idk_it", outcome=["correct", "refusal"] * 50),
    )
    one = numbered.table1(pd.concat([base, same, better])).query("dataset == 'Overall'")
    assert one["mark"].tolist() == ["", "", "*"]
    assert one["diff"].tolist()[1:] == [0, 50]
    other = numbered.table1(pd.concat([base, better[2:]]))
    assert other["diff"].isna().all(), "not the same questions, so nothing is paired"


def test_circular_scores_are_paired_by_base_question():
    base = outcome_table(["correct", "incorrect"] * 30, "mmbench")
    after = base.assign(
        method="idk_it", outcome=["incorrect", "correct"] * 15 + ["refusal", "refusal"] * 15
    )
    row = (
        numbered.table2(pd.concat([base, after]))
        .query("dataset == 'MMBench' and method == 'idk_it'")
        .iloc[0]
    )
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
    widest = (
        numbered.table2(outcomes).query("dataset in @layout.OOD_AVERAGED").eval("hi - lo").min()
    )
    assert (four.ood_hi - four.ood_lo).max() < widest, (
        "a mean of four sets is known better than any of them"
    )


def test_crossover_costs_name_the_cautious_method():
    base = outcome_table(["correct"] * 50 + ["incorrect"] * 50)
    after = base.assign(
        method="idk_it", outcome=["correct"] * 40 + ["refusal"] * 40 + ["incorrect"] * 20
    )
    row = diagnostics.crossovers(pd.concat([after, base])).iloc[0]
    assert (row.bold, row.cautious, row.cost) == ("original", "idk_it", pytest.approx(1 / 3))
    assert row.lo < row.cost < row.hi
    with pytest.raises(ValueError, match="idk_it and original"):
        diagnostics.crossovers(pd.concat([after, base[1:]]))
