"""What is missing, broken or counted otherwise is said; the study reads the rest."""

import base64
import io
import json

import pandas as pd
import pytest
from benchmark_files import pixels, put, vizwiz_hub, vqav2, vqav2_idk_file
from datasets import Dataset, Image
from PIL import Image as Pictures

from inbol_lib import params
from inbol_lib.data import benchmarks
from inbol_lib.data.benchmarks import hub_tables
from inbol_lib.data.records import RECORD_FEATURES
from inbol_lib.errors import ParameterError
from inbol_lib.study import question_pools, running


@pytest.mark.parametrize("name", benchmarks.ALL)
def test_what_is_missing_is_named_with_where_to_get_it(name, tmp_path):
    benchmark = benchmarks.get(name)
    for split, release in benchmark.splits.items():
        with pytest.raises(ParameterError) as error:
            benchmark.load(tmp_path, split, 1)
        assert str(tmp_path / name) in str(error.value)
        for file, place in benchmark.files[release].items():
            assert place in str(error.value)
            assert all(pattern in str(error.value) for pattern in file.split("|"))
        if benchmark.hub and benchmark.hub_split(release):
            assert f"hf download {benchmark.hub[0].repo}" in str(error.value)
    with pytest.raises(ParameterError, match="it has .*test"):
        benchmark.load(tmp_path, "testdev", 1)


def test_the_hub_s_refusals_are_all_shown(monkeypatch):
    def refuse(repo, config, **rest):
        raise FileNotFoundError(f"no {repo} at {rest['revision']}")

    monkeypatch.setattr(hub_tables, "load_dataset", refuse)
    with pytest.raises(
        ParameterError, match=r"(?s)no lmms-lab/VQAv2 at abc.*no lmms-lab-encoder/VQAv2 at abc"
    ):
        benchmarks.load("vqav2", None, "test", 1, revision="abc")
    with pytest.raises(ParameterError, match="v2_OpenEnded_mscoco_train2014_questions.json"):
        benchmarks.load("vqav2", None, "train", 1)
    with pytest.raises(ParameterError, match="VQAv2-IDK-val.json"):
        benchmarks.load("vqav2_idk", None, "test", 1)


def test_pictures_that_can_not_be_read_are_named_and_counted(tmp_path):
    vqav2(tmp_path / "vqav2")
    photographs = tmp_path / "coco" / "val2014"
    cut = photographs / "COCO_val2014_000000000043.jpg"
    cut.write_bytes(cut.read_bytes()[:-60])
    (photographs / "COCO_val2014_000000000042.jpg").unlink()
    with pytest.raises(
        ParameterError, match=r"(?s)3 of 3 pictures.*val2014.zip.*42000: there is no val2014/COCO"
    ) as error:
        benchmarks.load("vqav2", tmp_path, "test", 9)
    assert "43000" in str(error.value)


def test_a_grey_picture_becomes_rgb_and_an_rgb_one_stays_as_it_is():
    grey, jpeg = pixels(7, "L"), pixels(7, kind="JPEG")
    assert Pictures.open(io.BytesIO(hub_tables.rgb(grey))).getpixel((0, 0)) == (7, 7, 7)
    assert hub_tables.rgb(jpeg) is jpeg
    Pictures.effect_noise((64, 64), 90).convert("RGB").save(noise := io.BytesIO(), "JPEG")
    with pytest.raises(OSError, match="truncated"):
        hub_tables.rgb(noise.getvalue()[:-500])


@pytest.mark.filterwarnings("always:.*published are:UserWarning")
def test_another_count_than_the_published_ones_is_said(tmp_path):
    vqav2_idk_file(tmp_path / "vqav2_idk")
    with pytest.warns(UserWarning, match="2 questions of 4 rows; published are 1,566 of 6,624"):
        benchmarks.load("vqav2_idk", tmp_path, "test", 1)


@pytest.mark.parametrize(
    ("name", "rows"),
    [
        ("rows.jsonl", [{"question": "Who?", "image": "1.jpg", "A": "x", "B": "y"}]),
        (
            "rows.tsv",
            [{"index": "3", "question": "Who?", "image": base64.b64encode(pixels() * 9).decode()}],
        ),
        (
            "rows.parquet",
            [{"id": "q", "question": "Who?", "image": {"bytes": pixels(), "path": None}}],
        ),
        ("rows.json", {"5": {"question": "Who?", "img": "1"}}),
    ],
)
def test_beyondvisqa_reads_whatever_table_it_comes_as(tmp_path, name, rows):
    home = tmp_path / "beyondvisqa"
    put(home / "images" / "1.jpg", pixels())
    match name.split(".")[1]:
        case "jsonl":
            put(home / name, "\n".join(map(json.dumps, rows)))
        case "json":
            put(home / name, rows)
        case "tsv":
            pd.DataFrame(rows).to_csv(home / name, sep="\t", index=False)
        case "parquet":
            pd.DataFrame(rows).to_parquet(home / name)
    (row,) = benchmarks.load("beyondvisqa", tmp_path, "test", 9)
    assert (row["question"], row["answers"], row["choices"], row["image"].size) == (
        "Who?",
        [],
        [],
        (6, 4),
    )


def test_the_study_reads_them_by_its_parameter(everything, monkeypatch):
    p = params.load(
        "smoke", dataset=f"benchmarks:{everything}", sources=["scienceqa"], train_questions=5
    )
    assert (
        question_pools.load(p, "vqav2", "test", 2).to_list()
        == benchmarks.load("vqav2", everything, "test", 2, p.data_seed).to_list()
    )
    assert [t["id"] for t in question_pools.pool(p, "train")] == [["9"]]
    assert question_pools.ood_sources(p) == p.ood_sources
    assert question_pools.ood_sources(p.replace(dataset="folder:x")) == []
    benchmarks.check(everything, ["scienceqa"], p.ood_sources)
    with pytest.raises(
        ParameterError, match=r"(?s)train2014_questions.json.*oven_entity_train.jsonl"
    ):
        benchmarks.check(everything, ["vqav2", "oven"], p.ood_sources)


def test_out_of_domain_benchmarks_are_evaluated_beside_the_in_domain_test_set(everything, tmp_path):
    inside = benchmarks.load("scienceqa", everything, "test", 1).to_list()
    rows = [
        row
        | {"confidence": 0.5, "responses": [], "verdicts": []}
        | dict.fromkeys(("correct", "incorrect", "refusal", "origin"), "")
        for row in inside
    ]
    Dataset.from_list(rows, features=RECORD_FEATURES).to_parquet(
        tmp_path / "in_domain_test.parquet"
    )
    p = params.load(
        "smoke",
        dataset=f"benchmarks:{everything}",
        ood_sources=["mmbench", "vizwiz"],
        ood_questions=1,
    )
    asked = question_pools.test_questions(p, tmp_path, tmp_path / "nothing")
    assert [(r["source"], r["in_domain"]) for r in asked] == [
        ("scienceqa", True),
        ("mmbench", False),
        ("mmbench", False),
        ("vizwiz", False),
    ]


def test_a_row_without_a_picture_is_named(tmp_path):
    vizwiz_hub(tmp_path / "vizwiz")
    table = next((tmp_path / "vizwiz").rglob("*.parquet"))
    Dataset.from_list([r | {"image": None} for r in Dataset.from_parquet(str(table))]).cast_column(
        "image", Image()
    ).to_parquet(table)
    with pytest.raises(ParameterError, match="VizWiz_val_0.jpg: its row holds none"):
        benchmarks.load("vizwiz", tmp_path, "test", 1)


def test_a_run_on_benchmarks_that_are_not_there_stops_before_a_kernel_starts(tmp_path, capsys):
    assert running.main(["confidence", "-p", f"dataset=benchmarks:{tmp_path}"]) == 2
    said = capsys.readouterr().err
    for benchmark in benchmarks.ALL.values():
        assert str(tmp_path / benchmark.name) in said


def test_a_question_with_a_mark_is_refused_by_its_id(tmp_path):
    home = tmp_path / "vizwiz"
    home.mkdir()
    rows = [{"image": "a.jpg", "question": "What is <image>?", "answer_type": "unanswerable"}]
    (home / "val.json").write_text(json.dumps(rows))
    with pytest.raises(ParameterError, match="'a.jpg' holds '<image>'"):
        benchmarks.get("vizwiz").drawn(tmp_path, "test", None)
