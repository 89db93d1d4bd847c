"""What notebook 06 shows beside the paper's tables."""

import pandas as pd
import pytest
from datasets import concatenate_datasets

from inbol_lib import params
from inbol_lib.micro import world
from inbol_lib.report import diagnostics


@pytest.fixture
def p():
    return params.load("smoke", methods=["original", "idk_it"])


def outcomes_of(rows, word):
    """The same outcome for every question, under both methods."""
    asked = rows.select_columns(["id", "source", "answers"]).to_pandas()
    asked = asked.assign(
        response="a long refusal that does not fit into the line",
        outcome=word,
        answerable=True,
        model="micro-s",
        seed=0,
    )
    methods = ("original", "idk_it")
    return pd.concat([asked.assign(method=method) for method in methods], ignore_index=True)


def test_cases_take_the_sources_in_turn_and_mark_what_is_cut(p, tmp_path):
    parts = [world.questions(source, "test", 12) for source in ("vqav2", "oven")]
    rows = concatenate_datasets(parts)
    figure = diagnostics.case_studies(p, rows, outcomes_of(rows, "incorrect"), tmp_path)
    titles = [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes]
    assert len(titles) == diagnostics.CASES
    for answers in rows["answers"][:4] + rows["answers"][12:16]:
        assert any(f"({answers[0]})" in title for title in titles)
    assert all(title.count("…") == 2 for title in titles)
    assert (tmp_path / "fig12_case_studies.png").is_file()


def test_without_errors_there_are_no_cases(p, tmp_path):
    rows = world.questions("vqav2", "test", 4)
    assert diagnostics.case_studies(p, rows, outcomes_of(rows, "correct"), tmp_path) is None


def test_a_refusal_that_the_judge_calls_right_is_listed(p):
    rows = world.questions("vqav2", "test", 4)
    said = [answers[0] for answers in rows["answers"]] * 2
    table = outcomes_of(rows, "refusal").assign(response=said)
    found = diagnostics.refusals_called_right(p, rows, table)
    assert len(found) >= 4  # of 8: the judge can err
    assert set(found.method) == {"original", "idk_it"}
    refused = table.assign(response="Sorry, I can not help with it.")
    assert diagnostics.refusals_called_right(p, rows, refused).empty


def test_a_folder_s_truth_is_not_audited(p, tmp_path):
    (found,) = diagnostics.audit(p.replace(dataset="folder:/somewhere"), tmp_path, tmp_path)
    assert list(found.reader) == ["rules", "a second person"]
