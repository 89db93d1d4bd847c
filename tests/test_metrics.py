import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from inbol_lib import intervals, metrics, paper, plots, probing, tables


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
    table = outcome_table(["correct", "correct", "correct", "refusal", "incorrect", "refusal"], "mmbench")
    assert metrics.circular(table).outcome.tolist() == ["correct", "refusal", "incorrect"]
    assert metrics.vanilla(table).outcome.tolist() == ["correct", "correct", "incorrect"]


def test_intervals_cover_and_widen_with_clusters():
    rng = np.random.default_rng(0)
    words = np.where(rng.random(400) < 0.5, "correct", "incorrect")
    table = outcome_table(list(words))
    lo, hi = intervals.interval(table)
    assert lo < metrics.summary(table, ["method"]).s_trust[0] < hi
    alike = outcome_table(list(np.repeat(words[:100], 4))).assign(image_id=[f"i{i // 4}" for i in range(400)])
    independent = alike.assign(image_id=[str(i) for i in range(400)])
    width = lambda t: np.diff(intervals.interval(t))[0]  # noqa: E731
    assert width(alike) > 1.5 * width(independent)


@pytest.fixture
def outcomes():
    rng = np.random.default_rng(0)
    parts = []
    for method in ("original", "idk_it", "ca_dpo"):
        for source in tables.NAMES:
            no = source in ("uavqa", "beyondvisqa", "vizwiz", "vqav2_idk")
            words = rng.choice(["refusal", "incorrect"] if no else ["correct", "refusal", "incorrect"], 40)
            parts.append(outcome_table(list(words), source, method, not no))
    return pd.concat(parts, ignore_index=True)


def test_tables_obey_equation_5_and_the_paper_s_columns(outcomes):
    for table, number in ((tables.table1(outcomes), 1), (tables.table2(outcomes), 2)):
        answered = table.dropna(subset="acc")
        assert np.allclose(answered.s_trust, 2 * answered.acc + answered.refr - 100)
        assert set(paper.table(number).columns) <= set(table.columns)
        assert set(paper.table(number).dataset) <= set(table.dataset)
    assert set(tables.table3(outcomes).dataset) == set(paper.table(3).dataset)
    assert set(paper.table(4).columns) <= set(tables.table4(outcomes).columns)


def test_overall_is_the_item_mean(outcomes):
    first = tables.table1(outcomes).query("method == 'ca_dpo' and dataset == 'Overall'").iloc[0]
    mine = tables.in_domain(outcomes).query("method == 'ca_dpo'")
    assert first.acc == pytest.approx(100 * (mine.outcome == "correct").mean())


def test_the_printed_tables_obey_equation_5_but_for_three_cells():
    for number in (1, 2):
        printed = paper.table(number).dropna(subset=["acc"])
        off = printed[(2 * printed.acc + printed.refr - 100 - printed.s_trust).abs() > 0.05]
        cells = {tuple(r) for r in off[["model", "method", "dataset"]].to_numpy()}
        assert cells == (set(paper.NOTES) if number == 1 else set())


def test_table_4_s_out_of_domain_mean_is_the_paper_s():
    four = paper.table(2).query("model == 'llava-1.5-7b' and method == 'ca_dpo' and dataset in ['AOKVQA', 'GQA', 'MMMU', 'MMBench']")
    printed = paper.table(4).query("model == 'llava-1.5-7b' and method == 'ca_dpo'").iloc[0]
    assert four[["acc", "refr", "s_trust"]].mean().round(2).tolist() == pytest.approx(
        [printed.ood_acc, printed.ood_refr, printed.ood_s_trust], abs=0.011
    )


def test_files_and_figures_are_written(outcomes, tmp_path):
    table = tables.table1(outcomes)
    tables.save_table_files(table, tmp_path, "t", "reduced")
    assert pd.read_csv(tmp_path / "t.csv").shape == table.shape
    assert "reduced" in (tmp_path / "t.md").read_text()
    figure, ax = plt.subplots()
    plots.method_bars(table[table.dataset == "Overall"], ax)
    tables.save_figure(figure, tmp_path, "f", table)
    assert {f.suffix for f in tmp_path.glob("f.*")} == {".svg", ".png", ".csv"}


def test_every_method_has_a_colour_of_its_own():
    from typing import get_args

    from inbol_lib.params import Method

    assert set(plots.METHODS) == set(get_args(Method))
    assert len({c for _, c, _ in plots.METHODS.values()}) == len(plots.METHODS)


def test_the_probe_finds_a_linear_difference_and_nothing_in_noise():
    rng = np.random.default_rng(0)
    y = np.tile([0, 1], 300)
    x = rng.normal(size=(600, 16))
    assert probing.probe(x[:400], y[:400], x[400:], y[400:], 0) == pytest.approx(0.5, abs=0.12)
    x[:, 0] += 4 * y
    assert probing.probe(x[:400], y[:400], x[400:], y[400:], 0) > 0.9
