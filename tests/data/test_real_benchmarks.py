"""The readers on real files, where they are there: counts and known rows."""

import json
import warnings

import pandas as pd
import pytest
from benchmark_files import exam, parquet, put
from PIL import Image as Pictures

from inbol_lib.data import benchmarks
from inbol_lib.data.benchmarks.out_of_domain import vqav2_idk
from inbol_lib.data.records import LETTERS, prompt_text
from inbol_lib.errors import ParameterError

# The real files


def real(shared, root, name, **files):
    """The benchmark's folder with links to real files: name there -> path in the shared folder."""
    (root / name).mkdir()
    for target, source in files.items():
        (root / name / target.replace("__", ".")).symlink_to(shared / source)
    return benchmarks.get(name)


def test_real_vqav2_idk_has_the_paper_s_count(shared, tmp_path):
    benchmark = real(
        shared, tmp_path, "vqav2_idk", **{"VQAv2-IDK-val.json": "vqav2_idk/VQAv2-IDK-val.json"}
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # the count is a published one
        rows = benchmark.drawn(tmp_path, "test", None)
    assert len(rows) == 1566
    assert sum(r["id"].endswith(vqav2_idk.NONE) for r in rows) == 806


def test_real_mmbench_has_1176_base_questions(shared, tmp_path):
    benchmark = real(
        shared,
        tmp_path,
        "mmbench",
        **{"mmbench_dev_20230712.tsv": "mmbench/mmbench_dev_20230712_text_only.tsv"},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        rows = benchmark.drawn(tmp_path, "test", None)
    assert len(rows) == 4377
    groups = pd.DataFrame(rows).groupby("group")
    assert len(groups) == 1176
    assert all(
        len(set(map(tuple, part.answers))) == 1 and len(set(map(len, part.choices))) == 1
        for _, part in groups
    ), "one gold, rotated"
    assert all(r["answers"][0] in r["choices"] for r in rows)
    with pytest.raises(ParameterError, match="no picture of it"):
        benchmark.load(tmp_path, "test", 1)


def test_real_mmmu_golds_give_900_questions(shared, tmp_path):
    """The golds and options are real; the table around them has the Hub's form."""
    golds = json.loads((shared / "mmmu" / "answer_dict_val.json").read_text())
    outputs = json.loads((shared / "mmmu" / "llava1.5_13b_outputs_all_subjects.json").read_text())
    rows = []
    for item in outputs:
        options, gold = (
            [item["index2ans"][k] for k in item.get("all_choices", [])],
            golds[item["id"]]["ground_truth"],
        )
        rows.append(exam(item["id"], options, str(gold)))
    parquet(tmp_path / "mmmu", None, "validation", rows)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        read = {r["id"]: r for r in benchmarks.get("mmmu").drawn(tmp_path, "test", None)}
    assert len(read) == 900
    assert sum(bool(r["choices"]) for r in read.values()) == 847
    for name, gold in golds.items():
        gold, row = gold["ground_truth"], read[name]
        if row["choices"]:
            assert row["answers"] == [row["choices"][LETTERS.index(gold)]]
        else:
            assert row["answers"] == (gold if isinstance(gold, list) else [gold])


def test_real_scienceqa_splits_and_images(shared, tmp_path):
    benchmark = real(
        shared,
        tmp_path,
        "scienceqa",
        images="scienceqa/images",
        **{
            "problems.json": "scienceqa/problems_partial.json",
            "pid_splits.json": "scienceqa/pid_splits.json",
        },
    )
    splits = json.loads((shared / "scienceqa" / "pid_splits.json").read_text())
    assert {s: len(splits[s]) for s in benchmark.published} == {
        s: rows for s, ((rows, _),) in benchmark.published.items()
    }
    with pytest.warns(UserWarning, match="167 questions of 361 rows; published are 2,017 of 4,241"):
        assert len(benchmark.drawn(tmp_path, "test", None)) == 167
    assert [len(benchmark.drawn(tmp_path, s, None)) for s in ("train", "validation")] == [521, 191]

    problems = json.loads((shared / "scienceqa" / "problems_partial.json").read_text())
    filled = {
        pid: problems["1"] | {"image": problems.get(pid, {"image": None})["image"]}
        for s in benchmark.published
        for pid in splits[s]
    }
    (tmp_path / "scienceqa" / "problems.json").unlink()
    put(tmp_path / "scienceqa" / "problems.json", filled)
    with pytest.warns(UserWarning, match="167 questions of 4,241 rows"):
        assert len(benchmark.drawn(tmp_path, "test", None)) == 167

    there = [
        r
        for r in benchmark.drawn(tmp_path, "test", None)
        if (shared / "scienceqa" / "images" / "test" / r["id"]).is_dir()
    ]
    assert there
    assert Pictures.open(there[0]["image"]()).size[0] > 100


def test_real_vqav2_gqa_aokvqa_oven_and_vizwiz_rows(shared, tmp_path):
    named = {
        "v2_OpenEnded_mscoco_train2014_questions.json": "vqav2/questions.json",
        "v2_mscoco_train2014_annotations.json": "vqav2/annotations.json",
        "images": "vqav2/images",
    }
    vqa = real(shared, tmp_path, "vqav2", **named)
    drawn = {split: vqa.drawn(tmp_path, split, None) for split in ("train", "validation")}
    split, other = sorted(drawn, key=lambda s: -len(drawn[s]))
    rows = vqa.load(tmp_path, split, None)
    assert {r["question"]: r["answers"][0] for r in rows}[
        "What is this photo taken looking through?"
    ] == "net"
    assert rows["image_id"] == ["458752"] * 3, (
        "three questions about one photograph, so all in one split"
    )
    with pytest.raises(ParameterError, match=f"no {other} question"):
        vqa.load(tmp_path, other, None)

    gqa_ = real(
        shared,
        tmp_path,
        "gqa",
        images="gqa/allennlp_images",
        **{"testdev_balanced_questions.json": "gqa/allennlp_questions.json"},
    )
    (row,) = gqa_.load(tmp_path, "test", None)
    assert (row["id"], row["image_id"], row["answers"]) == ("202218649", "n578564", ["picture"])

    advanced = real(
        shared,
        tmp_path,
        "aokvqa",
        **{"aokvqa_v1p0_val.json": "aokvqa/documented_example_official.json"},
    )
    assert [(r["image_id"], r["answers"]) for r in advanced.drawn(tmp_path, "test", None)] == [
        ("461751", ["cigarette"])
    ]

    entities = real(
        shared, tmp_path, "oven", **{"oven_query_val.jsonl": "oven/documented_examples.jsonl"}
    )
    assert [r["answers"] for r in entities.rows(tmp_path, "test")] == [
        ["Dassault Falcon 900"],
        ["Yogurt"],
    ]

    asked = json.loads(
        (shared / "vizwiz" / "lfvqa_expert.json").read_text()
    ).values()  # 600 questions of VizWiz, another layout
    put(
        tmp_path / "vizwiz" / "val.json",
        [
            {
                "image": f"{i}-{r['image_url'].rpartition('/')[2]}",
                "question": r["question"],
                "answers": [{"answer": a} for a in r["crowd_answers"]],
                "answer_type": r["answerability"],
            }
            for i, r in enumerate(asked)
        ],
    )
    assert len(benchmarks.get("vizwiz").drawn(tmp_path, "test", None)) == 230


def test_real_transcribed_questions_of_beyondvisqa_are_asked_alone(shared, tmp_path):
    rows = json.loads((shared / "beyondvisqa" / "transcribed_examples.json").read_text())
    put(
        tmp_path / "beyondvisqa" / "rows.json",
        [r | {"image": f"{i}.jpg"} for i, r in enumerate(rows)],
    )
    read = benchmarks.get("beyondvisqa").drawn(tmp_path, "test", None)
    assert {r["question"] for r in read} == {r["question"] for r in rows}
    assert all(prompt_text(r) == r["question"] for r in read)
