import json

import pytest
import torch
from transformers import AutoModelForImageTextToText, LlavaConfig, SmolVLMConfig

from inbol_lib import params
from inbol_lib.errors import ParameterError
from inbol_lib.study import graph, plan
from inbol_lib.study.forecast import model_sizes
from inbol_lib.study.forecast.work import Work, of_job

SEVEN, THIRTEEN, SMALL = model_sizes.SHAPES


@pytest.fixture
def seven():
    return params.load("llava-1.5-7b")


def stage(made, name):
    return next(row for row in made["stages"] if row["stage"] == name)


def test_what_smoke_asks_of_a_model(smoke):
    """Counted by hand from smoke.yaml."""
    pool = 3 * (150 + 60 + 60) + 24
    assert of_job("confidence", smoke).asked == [Work("sampling", "micro-s", pool, 5 * 10)]
    made = 94 + 19 + 19  # one and a half times 60, 10 and 10, and four each
    assert of_job("unanswerable", smoke).asked == [
        Work("sampling", "micro-s", 3 * made, 1),
        Work("sampling", "micro-s", made, 10),
    ]
    # 32 unknown, 32 mixed and 64 known questions make 160 pairs
    assert of_job("ca_dpo", smoke).asked == [Work("ca_dpo", "micro-s", 128, 25)]
    assert of_job("composition", smoke) == ([], 160 + 160 + 128 + 70 + 70)
    tested = 3 * 20 + 10 + 24 * (6 + 4)
    assert of_job("evaluation", smoke).asked == [Work("sampling", "micro-s", 5 * tested, 10)]
    assert of_job("heatmaps", smoke) == ([], 0)


def test_a_folder_is_one_source_and_has_no_out_of_domain_sets(smoke):
    alone = smoke.replace(dataset="folder:x", unanswerable_generator="micro-s")
    assert of_job("confidence", alone).asked[0].questions == 270


def test_operations_and_hours_of_the_paper_s_preference_training(seven):
    """19,200 questions of 631 tokens.

    Each takes 6 x 6.6076e9 x 631 + 2 x 0.3245e9 x 577 = 2.5391e13 FLOP.
    """
    row = stage(plan.plan(seven, "h100", "evaluation"), "ca_dpo")
    assert row["questions"] == 19_200
    assert row["prompt_tokens"] == 19_200 * 606
    assert row["said_tokens"] == 19_200 * 25
    assert row["pflop"] == pytest.approx(487.5, abs=0.05)
    assert row["hours"] == pytest.approx(487.5e15 / (0.4 * 989e12) / 3600, rel=1e-3)
    assert row["gb"] == pytest.approx(4 * 16 * 2_498_560 / 1e9)
    assert row["after"] == ["composition", "idk_it"]


def test_hours_follow_a_measurement_where_there_is_one(seven, tmp_path):
    bench = tmp_path / "bench_gpu.json"
    measured = {"ca_dpo_sdpa_questions_s": 8.0, "sampling_questions_s": 10.0}
    bench.write_text(json.dumps({"device": "NVIDIA H200", **measured}))
    same, other = (plan.plan(seven, gpu, "evaluation", bench) for gpu in ("h200", "a100"))
    here, there = stage(same, "ca_dpo"), stage(other, "ca_dpo")
    assert here["hours"] == pytest.approx(19_200 / 8 / 3600)
    assert there["hours"] == pytest.approx(here["hours"] * 989 / 312)
    assert here["speed"] == "measured"
    assert there["speed"] == "measured on NVIDIA H200, scaled by peak"
    sampled = stage(same, "confidence")["hours"]
    assert sampled == pytest.approx(41_100 / 10 / 3600), "ten samples of ten tokens, as measured"
    assert stage(same, "idk_it")["speed"].startswith("assumed"), "that key is missing"


def test_a_measurement_on_no_gpu_says_nothing_about_one(tmp_path):
    bench = tmp_path / "bench_gpu.json"
    bench.write_text(json.dumps({"device": "cpu", "ca_dpo_sdpa_questions_s": 8.0}))
    assert plan.speed("ca_dpo", "h200", bench).basis.startswith("assumed")


@pytest.mark.parametrize(
    "change",
    [
        {"num_samples": 20},
        {"train_questions": 10_000},
        {"num_pairs": 30_000},
        {"num_instructions": 12_000},
        {"seeds": [0, 1, 2, 3]},
        {"ood_questions": 2000},
        {"models": [SEVEN, THIRTEEN]},
    ],
)
def test_more_work_costs_more(seven, change):
    less, more = (plan.plan(p, "h200")["total"] for p in (seven, seven.replace(**change)))
    assert more["hours"] > less["hours"]
    assert more["pflop"] > less["pflop"]
    assert all(more[key] >= less[key] for key in plan.SUMS)


def test_every_job_of_the_graph_is_counted_once(smoke):
    made = plan.plan(smoke, "l4")
    wanted = graph.plan("paper_vs_ours", smoke) | graph.plan("tour", smoke)
    assert made["total"]["jobs"] == len(wanted)
    assert stage(made, "confidence")["jobs"] == 1, "shared by every cell"
    assert stage(made, "heatmaps")["jobs"] == 1


def test_json_for_programs_and_a_table_for_people(capsys):
    assert plan.main(["--profile", "llava-1.5-7b", "--gpu", "a100", "--json"]) == 0
    made = json.loads(capsys.readouterr().out)
    assert set(made) == {"profile", "gpu", "stages", "total"}
    for row in made["stages"]:
        assert set(row) == {"stage", "after", "speed", *plan.SUMS}
    for key in plan.SUMS:
        assert made["total"][key] == pytest.approx(sum(row[key] for row in made["stages"]))
    assert plan.main(["--profile", "llava-1.5-7b", "--only", "evaluation"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("llava-1.5-7b on one h200")
    assert said.splitlines()[-1].split()[:2] == ["total", "8"]


UNKNOWN_MODEL = ["-p", "model=someone/else", "-p", "unanswerable_generator=endpoint:x"]


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        (["--gpu", "tpu"], ["tpu", *plan.GPUS]),
        (["--only", "nope"], ["05_ca_dpo"]),
        (["--profile", "nope"], ["llava-1.5-7b", "smoke"]),
        (UNKNOWN_MODEL, ["someone/else", *model_sizes.SHAPES]),
    ],
)
def test_what_is_not_known_is_refused_with_the_choices(asked, named, capsys):
    assert plan.main(asked) == 2
    said = capsys.readouterr()
    assert not said.out
    assert all(word in said.err for word in named)


def test_a_packaged_model_is_counted_from_its_config():
    shape = model_sizes.shape("micro-s")
    assert shape.language == 1024 * 128 + 128 + 6 * (4 * 128**2 + 3 * 128 * 341 + 2 * 128)
    assert shape.lora == 6 * (4 * 256 + 3 * (128 + 341))
    assert (shape.image_tokens, shape.patches) == (36, 37)


def test_an_unknown_gpu_is_refused(smoke):
    with pytest.raises(ParameterError, match="no GPU"):
        plan.plan(smoke, "tpu")


def decoder(hidden, intermediate, layers, heads, groups, words):
    """The configuration of a Llama decoder with `groups` key-value heads."""
    return {
        "model_type": "llama",
        "hidden_size": hidden,
        "intermediate_size": intermediate,
        "num_hidden_layers": layers,
        "num_attention_heads": heads,
        "num_key_value_heads": groups,
        "vocab_size": words,
    }


def counted(config):
    """The sizes of an architecture, built without weights."""
    with torch.device("meta"):
        return model_sizes.shape_of(AutoModelForImageTextToText.from_config(config))


@pytest.mark.parametrize(
    ("name", "language"),
    [
        (SEVEN, decoder(4096, 11008, 32, 32, 32, 32064)),
        (THIRTEEN, decoder(5120, 13824, 40, 40, 40, 32064)),
    ],
)
def test_llava_s_sizes_are_those_of_the_published_configuration(name, language):
    """The vision tower is the default, CLIP-L/14 at 336 pixels."""
    assert counted(LlavaConfig(text_config=language)) == model_sizes.SHAPES[name]


def test_smolvlm_s_sizes_are_those_of_the_published_configuration():
    """... but for its pictures, which it cuts into tiles."""
    sight = {
        "hidden_size": 768,
        "intermediate_size": 3072,
        "num_hidden_layers": 12,
        "num_attention_heads": 12,
        "patch_size": 16,
        "image_size": 512,
    }
    language = decoder(576, 1536, 30, 9, 3, 49280)
    found = counted(SmolVLMConfig(scale_factor=4, vision_config=sight, text_config=language))
    assert found[:3] == model_sizes.SHAPES[SMALL][:3]
