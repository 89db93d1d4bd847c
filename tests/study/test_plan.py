import json

import pytest

from inbol_lib import params
from inbol_lib.errors import ParameterError
from inbol_lib.study import graph, plan

SEVEN, THIRTEEN, SMALL = plan.SHAPES


@pytest.fixture
def seven():
    return params.load("llava-1.5-7b")


def stage(made, name):
    return next(row for row in made["stages"] if row["stage"] == name)


def test_what_smoke_asks_of_a_model(smoke):
    """Counted by hand from smoke.yaml."""
    assert plan.job("confidence", smoke)[0] == [
        plan.Work("sampling", "micro-s", 3 * (150 + 60 + 60) + 24, 5 * 10)
    ]
    made = 94 + 19 + 19  # one and a half times 60, 10 and 10, and four each
    assert plan.job("unanswerable", smoke)[0] == [
        plan.Work("sampling", "micro-s", 3 * made, 1),
        plan.Work("sampling", "micro-s", made, 10),
    ]
    assert plan.job("ca_dpo", smoke)[0] == [
        plan.Work("ca_dpo", "micro-s", 128, 25)
    ]  # 32 unknown, 32 mixed, 64 known: 160 pairs
    assert plan.job("composition", smoke) == ([], 160 + 160 + 128 + 70 + 70)
    tested = 3 * 20 + 10 + 24 * (6 + 4)
    assert plan.job("evaluation", smoke)[0] == [plan.Work("sampling", "micro-s", 5 * tested, 10)]
    assert plan.job("heatmaps", smoke) == ([], 0)
    alone = smoke.replace(dataset="folder:x", unanswerable_generator="micro-s")
    assert plan.job("confidence", alone)[0][0].questions == 270, (
        "a folder is one source, and has no out-of-domain sets"
    )


def test_operations_and_hours_of_the_paper_s_preference_training(seven):
    """19,200 questions of 631 tokens: 6 x 6.6076e9 x 631 + 2 x 0.3245e9 x 577 = 2.5391e13 FLOP each."""
    row = stage(plan.plan(seven, "h100", "evaluation"), "ca_dpo")
    assert (row["questions"], row["prompt_tokens"], row["said_tokens"]) == (
        19_200,
        19_200 * 606,
        19_200 * 25,
    )
    assert row["pflop"] == pytest.approx(487.5, abs=0.05)
    assert row["hours"] == pytest.approx(487.5e15 / (0.4 * 989e12) / 3600, rel=1e-3)
    assert row["gb"] == pytest.approx(4 * 16 * 2_498_560 / 1e9)
    assert row["after"] == ["composition", "idk_it"]


def test_hours_follow_a_measurement_where_there_is_one(seven, tmp_path):
    bench = tmp_path / "bench_gpu.json"
    bench.write_text(
        json.dumps(
            {"device": "NVIDIA H200", "ca_dpo_sdpa_questions_s": 8.0, "sampling_questions_s": 10.0}
        )
    )
    rows = {gpu: plan.plan(seven, gpu, "evaluation", bench) for gpu in ("h200", "a100")}
    here, there = (stage(made, "ca_dpo") for made in rows.values())
    assert here["hours"] == pytest.approx(19_200 / 8 / 3600)
    assert there["hours"] == pytest.approx(here["hours"] * 989 / 312)
    assert (here["speed"], there["speed"]) == (
        "measured",
        "measured on NVIDIA H200, scaled by peak",
    )
    assert stage(rows["h200"], "confidence")["hours"] == pytest.approx(41_100 / 10 / 3600), (
        "ten samples of ten tokens, as measured"
    )
    assert stage(rows["h200"], "idk_it")["speed"].startswith("assumed"), "that key is missing"
    bench.write_text(json.dumps({"device": "cpu", "ca_dpo_sdpa_questions_s": 8.0}))
    assert plan.speed("ca_dpo", "h200", bench)[1].startswith("assumed"), (
        "a measurement on no GPU says nothing about one"
    )


@pytest.mark.parametrize("change", [{"num_samples": 20}, {"train_questions": 10_000}, {"num_pairs": 30_000}, {"num_instructions": 12_000},
                                    {"seeds": [0, 1, 2, 3]}, {"ood_questions": 2000}, {"models": [SEVEN, THIRTEEN]}])  # fmt: skip
def test_more_work_costs_more(seven, change):
    less, more = (plan.plan(p, "h200")["total"] for p in (seven, seven.replace(**change)))
    assert more["hours"] > less["hours"]
    assert more["pflop"] > less["pflop"]
    assert all(more[k] >= less[k] for k in plan.SUMS)


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
    assert {frozenset(row) for row in made["stages"]} == {
        frozenset({"stage", "after", "speed", *plan.SUMS})
    }
    for key in plan.SUMS:
        assert made["total"][key] == pytest.approx(sum(row[key] for row in made["stages"]))
    assert plan.main(["--profile", "llava-1.5-7b", "--only", "evaluation"]) == 0
    said = capsys.readouterr().out
    assert said.startswith("llava-1.5-7b on one h200")
    assert said.splitlines()[-1].split()[:2] == ["total", "8"]


@pytest.mark.parametrize(("asked", "named"), [
    (["--gpu", "tpu"], ["tpu", *plan.GPUS]), (["--only", "nope"], ["05_ca_dpo"]), (["--profile", "nope"], ["llava-1.5-7b", "smoke"]),
    (["-p", "model=someone/else", "-p", "unanswerable_generator=endpoint:x"], ["someone/else", *plan.SHAPES]),
])  # fmt: skip
def test_what_is_not_known_is_refused_with_the_choices(asked, named, capsys):
    assert plan.main(asked) == 2
    said = capsys.readouterr()
    assert not said.out
    assert all(word in said.err for word in named)


def test_a_packaged_model_is_counted_from_its_config():
    shape = plan.shape("micro-s")
    assert shape.language == 1024 * 128 + 128 + 4 * (4 * 128**2 + 3 * 128 * 341 + 2 * 128)
    assert shape.lora == 4 * (4 * 256 + 3 * (128 + 341))
    assert (shape.image_tokens, shape.patches) == (36, 37)
    with pytest.raises(ParameterError, match="no GPU"):
        plan.plan(params.load("smoke"), "tpu")


def decoder(**sizes):
    return {"model_type": "llama", "num_key_value_heads": sizes["num_attention_heads"], **sizes}


def test_the_table_s_sizes_are_those_of_the_architectures():
    """Built from the published configurations, without weights."""
    import torch
    from transformers import AutoModelForImageTextToText, LlavaConfig, SmolVLMConfig

    text = {SEVEN: {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32},
            THIRTEEN: {"hidden_size": 5120, "intermediate_size": 13824, "num_hidden_layers": 40, "num_attention_heads": 40}}  # fmt: skip
    configs = {
        name: LlavaConfig(text_config=decoder(vocab_size=32064, **sizes))
        for name, sizes in text.items()
    }  # CLIP-L/14 at 336 pixels
    sight = {"hidden_size": 768, "intermediate_size": 3072, "num_hidden_layers": 12, "num_attention_heads": 12, "patch_size": 16,
             "image_size": 512}  # fmt: skip
    words = {"model_type": "llama", "hidden_size": 576, "intermediate_size": 1536, "num_hidden_layers": 30, "num_attention_heads": 9,
             "num_key_value_heads": 3, "vocab_size": 49280}  # fmt: skip
    configs[SMALL] = SmolVLMConfig(scale_factor=4, vision_config=sight, text_config=words)
    for name, config in configs.items():
        with torch.device("meta"):
            found = plan.shape_of(AutoModelForImageTextToText.from_config(config))
        assert found[:3] == plan.SHAPES[name][:3], name
        if name != SMALL:  # which cuts pictures into tiles
            assert found == plan.SHAPES[name]
