"""Worlds side by side, and a world from a public package."""

import json

import pandas as pd
import pytest
from PIL import Image

from inbol_lib import paths
from inbol_lib.data import folder
from inbol_lib.errors import ParameterError
from inbol_lib.report.worlds import easy_vqa, verdicts


def claim(words, ours, verdict, model="micro-s", paper=5.0):
    row = {"claim": words, "where": "Table 1", "model": model, "statistic": "difference"}
    return row | {"ours": ours, "lo": ours - 1, "hi": ours + 1, "paper": paper, "verdict": verdict}


def test_a_claim_has_one_row_for_all_worlds_and_gaps_where_a_world_is_silent():
    both = {
        "first": pd.DataFrame([claim("A", 3, "reproduced"), claim("B", -2, "not")]),
        "second": pd.DataFrame([claim("A", 0.5, "undecided"), claim("C", 4, "reproduced")]),
    }
    found = verdicts.side_by_side(both).set_index("claim")
    assert found.loc["A", "first"] == "reproduced: +3.0 [+2.0, +4.0]"
    assert found.loc["A", "second"] == "undecided: +0.5 [-0.5, +1.5]"
    assert found.loc["B", "second"] == ""
    assert found.loc["C", "first"] == ""
    assert (found.paper == 5).all()


@pytest.mark.parametrize("world", [verdicts.HOUR, verdicts.ONE_SEED])
def test_a_shorter_study_of_this_world_contradicts_no_published_verdict(world):
    published, shorter = (
        pd.read_csv(paths.ROOT / "figures" / name).set_index(verdicts.KEYS).verdict
        for name in ("claims.csv", world[1])
    )
    assert set(shorter.index) == set(published.index)
    both = pd.DataFrame({"published": published, "shorter": shorter})
    against = both[(both != "undecided").all(axis=1) & (both.published != both.shorter)]
    assert against.empty, against


def test_tables_of_easy_vqa_follow_from_its_outcomes(tmp_path):
    figures = paths.ROOT / "figures"
    easy_vqa.publish(pd.read_parquet(figures / "easy_vqa_outcomes.parquet"), tmp_path)
    made = sorted(file.name for file in tmp_path.glob("*.csv"))
    assert made == sorted(file.name for file in figures.glob("easy_vqa_*.csv"))
    for name in made:
        assert (tmp_path / name).read_text() == (figures / name).read_text(), name


@pytest.fixture
def package(tmp_path):
    """A package's data in the format of easy-VQA: two parts whose pictures share numbers."""
    for part, images in (("train", 12), ("test", 3)):
        (tmp_path / "data" / part / "images").mkdir(parents=True)
        asked = []
        for number in range(images):
            picture = Image.new("RGB", (64, 64), (20 * number, 0, 0))
            picture.save(tmp_path / "data" / part / "images" / f"{number}.png")
            asked += [["what color is it?", "red", number], ["is it blue?", "no", number]]
        (tmp_path / "data" / part / "questions.json").write_text(json.dumps(asked))
    return tmp_path / "data"


def test_an_exported_package_is_read_as_a_folder(package, tmp_path):
    place = easy_vqa.export(package, tmp_path / "folder")
    sizes = {name: len(folder.load(place, name, 100, 0)) for name in folder.SPLITS}
    assert sizes["test"] == 6
    assert sizes["train"] + sizes["validation"] == 24
    assert min(sizes.values()) > 0
    shown = folder.load(place, "test", 100, 0)
    assert set(shown["question"]) == {"what color is it?", "is it blue?"}
    assert easy_vqa.export(package, place) == place


def test_without_the_package_one_is_told_how_to_get_it(monkeypatch):
    monkeypatch.setattr(easy_vqa, "NAME", "no_such_package")
    with pytest.raises(ParameterError, match="pip install"):
        easy_vqa.installed()
