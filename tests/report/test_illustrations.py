"""Figures 1, 2, 3 and 9 hold nothing but records: they are drawn from a small run, untrained."""

import matplotlib.pyplot as plt
import pandas as pd
import pytest
from datasets import concatenate_datasets
from figure_texts import SMALLEST, overlapping, texts
from matplotlib.offsetbox import AnchoredOffsetbox

from inbol_lib import params
from inbol_lib.boundary import classes, composition, confidence, test_sets, unanswerable
from inbol_lib.evaluation import asking
from inbol_lib.micro import world
from inbol_lib.mllm import loading
from inbol_lib.report import plots
from inbol_lib.report.plots import illustrations


@pytest.fixture(scope="module")
def run():
    """The parameters and everything that the figures are drawn from, by name."""
    p = params.load(
        "smoke", methods=["original", "refusal_prompt"], num_instructions=40, num_pairs=40
    )
    net, processor = loading.load(p.model)
    train, test = (
        confidence.estimate(p, net, processor, questions(p, split, n))
        for split, n in (("train", 40), ("test", 16))
    )
    beyond, _, made = unanswerable.build(p, train, 16, net, processor)
    outside, *_ = unanswerable.build(p, test, 6, net, processor)
    rows = test_sets.test_set(test, test, outside, 8, 6, 0)[0]
    flagged = rows.add_column("in_domain", [True] * len(rows))
    said = [asking.outcomes(p, method, flagged, None) for method in p.methods]
    return {
        "p": p,
        "train": train,
        "beyond": beyond,
        "made": made,
        "rows": rows,
        "outcomes": pd.concat(said, ignore_index=True),
        "idk": composition.instructions(train, beyond, p)[0],
        "pairs": composition.preferences(train, beyond, p)[0],
    }


def questions(p, split, n):
    return concatenate_datasets([world.questions(source, split, n) for source in p.sources])


@pytest.fixture(scope="module")
def drawn(run):
    """Number of a figure -> the figure and its table."""
    p, train, beyond = run["p"], run["train"], run["beyond"]
    made = {
        1: illustrations.boundaries(p, run["rows"], run["outcomes"]),
        2: illustrations.standard_records(p, train, beyond),
        3: illustrations.construction(p, train, beyond, run["idk"], run["pairs"]),
        9: illustrations.unanswerable_sheet(p, beyond, run["made"]),
    }
    yield made
    plt.close("all")


DOLLARS = ["$5_ or $6", "$\\frac{$", "$a^b^c$ \\$"]


def with_dollars(table):
    """The table with dollar signs in whatever is shown of it."""
    shown = {"question", "correct", "incorrect", "refusal", "response"}
    for name in shown & set(table.column_names):
        texts = [DOLLARS[number % len(DOLLARS)] for number in range(len(table))]
        kind = table.features[name]
        table = table.remove_columns(name).add_column(name, texts, feature=kind)
    return table


def test_dollar_signs_are_shown_as_they_are(run, tmp_path):
    """... in every illustration and in both kinds of files."""
    p = run["p"]
    names = ("train", "beyond", "rows", "idk", "pairs")
    train, beyond, rows, idk, pairs = (with_dollars(run[name]) for name in names)
    made = [
        illustrations.boundaries(p, rows, run["outcomes"])[0],
        illustrations.standard_records(p, train, beyond)[0],
        illustrations.construction(p, train, beyond, idk, pairs)[0],
        illustrations.unanswerable_sheet(p, beyond, run["made"])[0],
        plots.picture_grid([rows[0]["image"]] * 3, DOLLARS),
    ]
    for figure in made:
        figure.savefig(tmp_path / "figure.png")
        figure.savefig(tmp_path / "figure.svg")
        plt.close(figure)
        assert "$" in (tmp_path / "figure.svg").read_text()


def by_id(*tables):
    return {row["id"]: row for table in tables for row in table.remove_columns("image").to_list()}


@pytest.mark.parametrize("number", [1, 2, 3, 9])
def test_texts_lie_apart_and_are_large_enough(number, drawn):
    read = texts(drawn[number][0])
    assert len(read) >= 8
    assert list(overlapping(read)) == []
    assert min(written.size for written in read) >= SMALLEST


@pytest.mark.parametrize("number", [1, 2, 3])
def test_what_is_stacked_stays_in_its_frame(number, drawn):
    figure = drawn[number][0]
    figure.canvas.draw()
    stacks = [(ax, child) for ax in figure.axes for child in ax.findobj(AnchoredOffsetbox)]
    assert stacks
    for ax, child in stacks:
        box = child.get_window_extent()
        beyond = max(ax.bbox.y0 - box.y0, box.y1 - ax.bbox.y1, box.width - ax.bbox.width)
        assert beyond < 2, "pixels"


def test_figure_1_shows_test_questions_and_what_was_said(run, drawn):
    table, asked = drawn[1][1], by_id(run["rows"])
    said = {
        (row.id, row.method): (row.response, row.outcome) for row in run["outcomes"].itertuples()
    }
    assert list(table.type) == ["known"] * 2 + ["unknown"] * 2 + ["unanswerable"] * 2
    for row in table.itertuples():
        assert asked[row.id]["question"] == row.question
        assert said[row.id, row.method] == (row.response, row.outcome)
        assert (row.type == "unanswerable") == (asked[row.id]["answers"] == [])
    shares = table[[name for name in ("correct", "refusal", "incorrect") if name in table]]
    assert shares.sum(axis=1).to_numpy() == pytest.approx(100)


def test_figure_1_takes_the_first_that_fits(run):
    """Where the last method refuses one question more, and nothing else, this one is shown."""
    outcomes = run["outcomes"].copy()
    outcomes.loc[~outcomes.answerable, ["outcome", "response"]] = ["incorrect", "red"]
    last = outcomes[~outcomes.answerable].id.unique()[-1]
    chosen = (outcomes.id == last) & (outcomes.method == "refusal_prompt")
    outcomes.loc[chosen, "outcome"] = "refusal"
    table = illustrations.boundaries(run["p"], run["rows"], outcomes)[1]
    assert set(table[table.type == "unanswerable"].id) == {last}


def test_figure_2_counts_the_samples_of_its_records(run, drawn):
    table, records, p = drawn[2][1], by_id(run["train"], run["beyond"]), run["p"]
    assert list(table["class"].unique()) == list(illustrations.CLASSES)
    for row in table.to_dict("records"):
        record = records[row["id"]]
        samples = list(zip(record["responses"], record["verdicts"], strict=True))
        assert samples.count((row["response"], row["verdict"])) == row["n"]
        for name in ("question", "confidence", "correct", "incorrect", "refusal"):
            assert record[name] == row[name]
        kind = classes.classify(record["confidence"], p.delta_known, p.delta_unknown)
        assert row["class"] == (kind if record["answers"] else "unanswerable")
    for name, n in table.groupby("id").n.sum().items():
        assert n == len(records[name]["responses"])


def test_figure_3_counts_everything_and_weighs_by_confidence(run, drawn):
    table, records, pairs = drawn[3][1], by_id(run["train"], run["beyond"]), by_id(run["pairs"])
    once = table.drop_duplicates("class")
    assert once.questions.sum() == len(records)
    assert once.instructions.sum() == len(run["idk"])
    assert once.preferences.sum() == len(run["pairs"])
    assert once.pairs.sum() == len(run["pairs"]) + run["pairs"]["kind"].count("mixed")
    weights = table.groupby("class").weight.sum().to_numpy()
    assert weights == pytest.approx(1), "eq. 6: the weights of a question sum to one"
    for row in table.to_dict("records"):
        responses = [pairs[row["id"]][name] for name in ("correct", "incorrect", "refusal")]
        assert row["chosen"] in responses
        assert row["rejected"] in responses
        assert records[row["id"]]["question"] == row["question"]
    mixed = table[table["class"] == "mixed"]
    confident = mixed.confidence.iloc[0]
    assert list(mixed.weight) == pytest.approx([confident, 1 - confident])


def test_figure_9_gives_the_reasons_and_verdicts_of_kept_questions(run, drawn):
    table, records = drawn[9][1], by_id(run["beyond"])
    assert set(table.origin) == {"swap", "program"}
    for row in table.to_dict("records"):
        assert records[row["id"]]["question"] == row["question"]
        verdicts = [row[check] for check in unanswerable.CHECKS]
        assert "yes" in verdicts, "or it would have been dropped"
        assert row["reason"]
    assert not table[table.origin == "program"].reason.duplicated().all()


def test_the_program_as_verifier_gives_one_verdict(run):
    p, made = run["p"].replace(verifier="program"), run["made"]
    once = made.assign(checks=[[True]] * len(made))
    _, table = illustrations.unanswerable_sheet(p, run["beyond"], once)
    assert set(table.unanswerable) <= {"yes", "no"}
    plt.close("all")
