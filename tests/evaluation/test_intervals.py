import tracemalloc

import numpy as np
import pandas as pd
import pytest
from builders import outcome_table

from inbol_lib.evaluation import intervals, metrics

WORDS = np.array(["correct", "refusal", "incorrect"])


def spread(table, per_image=2):
    """The same outcomes with `per_image` questions on each image."""
    return table.assign(image_id=[f"i{i // per_image}" for i in range(len(table))])


def width(table):
    lo, hi = intervals.interval(table)
    return hi - lo


def test_the_spread_is_that_of_the_cluster_formula():
    rng = np.random.default_rng(0)
    table = spread(outcome_table(list(np.repeat(rng.choice(WORDS, 150), 3))), 5)
    worth = table.outcome.map(intervals.WORTH)
    per_image = (worth - worth.mean()).groupby(table.image_id).sum()
    by_formula = np.sqrt((per_image**2).sum()) / len(table)
    drawn = metrics.score(intervals.replicates(table, n=4000)[0])["s_trust"]
    assert drawn.std() == pytest.approx(by_formula, rel=0.05)
    assert drawn.mean() == pytest.approx(worth.mean(), abs=3 * by_formula / np.sqrt(4000))


def test_a_95_percent_interval_covers_the_truth_95_times_in_100():
    rng = np.random.default_rng(1)
    hits = 0
    for _ in range(200):
        ease = np.repeat(rng.beta(2, 2, 120), 2)  # questions on one image are alike
        words = np.where(rng.random(240) < ease, "correct", "incorrect")
        lo, hi = intervals.interval(outcome_table(list(words)), n=300)
        hits += lo <= 0 <= hi
    assert 180 <= hits <= 198


def test_intervals_cover_and_widen_with_clusters():
    rng = np.random.default_rng(0)
    words = np.where(rng.random(400) < 0.5, "correct", "incorrect")
    table = outcome_table(list(words))
    lo, hi = intervals.interval(table)
    assert lo < metrics.summary(table, ["method"]).s_trust[0] < hi
    alike = spread(outcome_table(list(np.repeat(words[:100], 4))), 4)
    independent = alike.assign(image_id=[str(i) for i in range(400)])
    assert width(alike) > 1.5 * width(independent)


def test_seeds_that_differ_widen_the_interval():
    rng = np.random.default_rng(2)
    parts = []
    for seed, share in enumerate((0.3, 0.5, 0.7, 0.9)):
        words = np.where(rng.random(400) < share, "correct", "incorrect")
        parts.append(outcome_table(list(words)).assign(seed=seed))
    seeded = pd.concat(parts, ignore_index=True)
    assert width(seeded) > 3 * width(seeded.assign(seed=0))


def pair(n=600, better=0.0, seed=3):
    """Two methods; the second turns a share `better` of the wrong answers into refusals."""
    rng = np.random.default_rng(seed)
    words = rng.choice(WORDS, n)
    changed = np.where((words == "incorrect") & (rng.random(n) < better), "refusal", words)
    return outcome_table(list(words)), outcome_table(list(changed), method="idk_it")


def test_a_paired_difference_is_narrow_and_marked_only_when_it_excludes_0():
    a, b = pair(better=0.1)
    found = intervals.difference(a, b)
    gain = b.outcome.map(intervals.WORTH) - a.outcome.map(intervals.WORTH)
    assert found["diff"] == pytest.approx(gain.mean())
    assert found["diff_lo"] < found["diff"] < found["diff_hi"]
    assert found["mark"] == "*"
    apart = b.assign(id=b.id + "x", image_id=b.image_id + "x")

    def gap(before, after):
        return metrics.score(after)["s_trust"] - metrics.score(before)["s_trust"]

    unpaired = intervals.interval(a, apart, statistic=gap)
    assert np.diff(unpaired)[0] > 2 * (found["diff_hi"] - found["diff_lo"])
    assert intervals.difference(a, a) == {"diff": 0, "diff_lo": 0, "diff_hi": 0, "mark": ""}
    backwards = intervals.difference(b, a)
    assert (backwards["diff"], backwards["mark"]) == (pytest.approx(-found["diff"]), "*")


def test_a_difference_without_the_same_questions_is_refused():
    a, b = pair()
    for other in (b[1:], pd.concat([b[1:], b[1:2]]), b.assign(seed=1)):
        with pytest.raises(ValueError, match="same"):
            intervals.difference(a, other)
        with pytest.raises(ValueError, match="same"):
            intervals.items_needed(a, other)
    twice = [pd.concat([table, table[:1]]) for table in (a, b)]
    with pytest.raises(ValueError, match="each once"):
        intervals.difference(*twice)


def test_rows_may_stand_in_any_order():
    a, b = pair(better=0.2)
    shuffled = b.sample(frac=1, random_state=0)
    assert intervals.difference(a, b) == intervals.difference(a, shuffled)
    assert intervals.items_needed(a, b) == intervals.items_needed(a, shuffled)


def test_a_hundred_thousand_outcomes_fit_in_little_memory():
    """A weight for every image in every replicate would take 400 MB.

    A thousand draws of the 50,000 images' indices would take as much.
    """
    words = np.random.default_rng(0).choice(WORDS, 100_000)
    table = spread(pd.DataFrame({"id": np.arange(100_000), "seed": 0, "outcome": words}))
    tracemalloc.start()
    lo, hi = intervals.interval(table)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 60e6
    assert hi - lo == pytest.approx(2 * 1.96 * np.sqrt(2 / 3 / 100_000), rel=0.1)


def test_as_many_questions_as_are_said_to_be_needed_give_the_power_asked_for():
    """In the pilot the second method mends 15 % of the answers and spoils 10 %."""
    shares, steps = [0.15, 0.10, 0.75], np.array([2, -2, 0])
    pilot = (
        ["incorrect"] * 150 + ["correct"] * 100 + ["correct"] * 750,
        ["correct"] * 150 + ["incorrect"] * 100 + ["correct"] * 750,
    )
    a, b = (spread(outcome_table(words), 1) for words in pilot)
    n = intervals.items_needed(a, b, 0.10, 0.8)
    gains = steps @ np.random.default_rng(0).multinomial(n, shares, 4000).T / n
    sd = np.sqrt((steps**2 @ shares - 0.1**2) / n)
    assert (gains > 1.96 * sd).mean() == pytest.approx(0.8, abs=0.03)
    assert intervals.items_needed(a, b, 0.02) == pytest.approx(25 * n, rel=0.01)
    clustered = intervals.items_needed(spread(a, 10), spread(b, 10), 0.10)
    assert clustered > 3 * n, "ten questions on an image, all alike"


def test_a_power_question_that_has_no_answer_is_refused():
    a, b = pair()
    with pytest.raises(ValueError, match="never differ"):
        intervals.items_needed(a, a)
    for bad in ({"difference": 0.0}, {"power": 1.0}):
        with pytest.raises(ValueError, match="must be"):
            intervals.items_needed(a, b, **bad)


@pytest.mark.parametrize("better", [0, 3])
def test_the_lowest_of_many_is_covered_also_where_all_are_equal(better):
    """A best setting that has equals must not be taken for a worse one."""
    rng = np.random.default_rng(3)
    truth = np.array([-float(better)] + [0.0] * 19)
    above = below = too_low = 0
    for _ in range(400):
        observed = truth + rng.normal(size=20)
        drawn = observed[:, None] + rng.normal(size=(20, 400))
        lo, hi = intervals.of_lowest(observed, drawn)
        above += hi < truth.min()
        below += lo > truth.min()
        too_low += np.quantile(drawn.min(axis=0), 0.975) < truth.min()
    assert above <= 20, "at most 2.5 % but for chance"
    assert below <= 20
    assert better or too_low > 200, "percentiles of the lowest would be wrong"


def test_the_lowest_of_one_has_the_interval_of_that_one():
    rng = np.random.default_rng(4)
    drawn = rng.normal(2.0, 0.5, size=(1, 40_000))
    lo, hi = intervals.of_lowest(np.array([2.0]), drawn)
    assert (lo, hi) == pytest.approx((2 - 1.96 * 0.5, 2 + 1.96 * 0.5), abs=0.03)


def test_values_without_spread_are_their_own_interval():
    observed = np.array([0.3, 0.1])
    drawn = np.repeat(observed[:, None], 50, axis=1)
    assert intervals.of_lowest(observed, drawn) == (0.1, 0.1)
