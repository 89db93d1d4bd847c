import pytest
import yaml

from inbol_lib import errors, params, paths
from inbol_lib.study import experiments, graph


def test_every_profile_is_complete_and_checked():
    for file in paths.PARAMS.glob("*.yaml"):
        p = params.load(file)
        assert p.profile == file.stem
        unknown = set(params.read(file)) - set(params.Params.model_fields)
        assert not unknown, file


def test_smoke_names_every_parameter_with_meaning_and_source():
    lines = [
        line
        for line in (paths.PARAMS / "smoke.yaml").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert {line.split(":")[0] for line in lines} == set(params.Params.model_fields)
    for line in lines:
        assert "# (" in line, f"no source: {line}"


@pytest.mark.parametrize(
    "name", ["micro", "micro-full", "smolvlm-256m", "llava-1.5-7b", "llava-1.5-13b"]
)
def test_a_profile_for_real_results_sets_every_parameter_with_its_source(name):
    lines = [
        line
        for line in (paths.PARAMS / f"{name}.yaml").read_text().splitlines()
        if line and not line.startswith("#")
    ]
    assert [line.split(":")[0] for line in lines] == list(params.read("micro"))
    for line in lines:
        assert "# (" in line, f"no source: {line}"


@pytest.mark.parametrize("name", ["llava-1.5-7b", "llava-1.5-13b"])
def test_llava_s_profiles_have_the_paper_s_values(name):
    p = params.load(name)
    assert (
        p.learning_rate,
        p.dpo_learning_rate,
        p.lora_rank,
        p.lora_alpha,
        p.batch_size,
        p.epochs,
    ) == (2e-4, 2e-4, 16, 32, 16, 1.0)
    assert (p.num_instructions, p.num_pairs, p.known_share, p.pair_ratio) == (
        11_000,
        24_000,
        0.75,
        [1.0, 1.0, 2.0],
    )
    assert (p.delta_known, p.delta_unknown, p.choice_answer, p.num_samples) == (
        0.8,
        0.2,
        "letter",
        10,
    )
    assert p.known_shares == [0.65, 0.7, 0.75, 0.8, 0.85, 0.9]
    assert len(experiments.threshold_cells(p)) == 21
    assert (3 * p.test_per_source, p.test_unanswerable, p.probe_train, p.probe_test) == (
        900,
        100,
        2000,
        200,
    )


@pytest.mark.parametrize(
    ("name", "jobs"), [("smolvlm-256m", 37), ("llava-1.5-7b", 112), ("llava-1.5-13b", 115)]
)
def test_a_profile_of_the_real_benchmarks_has_a_plan_and_never_asks_the_program(name, jobs):
    p = params.load(name)
    made = graph.plan("paper_vs_ours", p)
    assert len(made) == jobs
    # thresholds, shares, ratios and variants share cells; another seed adds 4 jobs, and 13B needs 7B's confidence, too
    assert {stage for stage, _ in made.values()} >= {
        "confidence",
        "unanswerable",
        "composition",
        "idk_it",
        "ca_dpo",
        "evaluation",
    }
    p.check_program()
    assert p.dataset.startswith("benchmarks:")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rat": 1e-4}, "did you mean learning_rate"),
        ({"beta": "5e-7"}, "write 5.0e-7"),
        ({"seed": "1"}, "valid integer"),
        ({"delta_known": 1.5}, "less than or equal to 1"),
        ({"delta_known": 0.2, "delta_unknown": 0.2}, "must be greater"),
        ({"dataset": "vqa"}, "dataset"),
        ({"short_class": "guess"}, "short_class"),
        ({"pair_ratio": [0.0, 0.0, 0.0]}, "greater than 0"),
        ({"pair_ratio": [1.0, -1.0, 2.0]}, "greater than or equal to 0"),
        ({"pair_ratio": [1.0, 1.0]}, "at least 3"),
        ({"pair_ratio": [1.0, 1.0, float("inf")]}, "finite"),
        ({"pair_ratios": [[1.0, 1.0, 2.0], [0.0, 0.0, 0.0]]}, "greater than 0"),
        ({"pair_ratios": [[1.0, 1.0, -2.0]]}, "greater than or equal to 0"),
        ({"known_shares": [0.5, 1.5]}, "less than or equal to 1"),
        ({"known_shares": [-0.5]}, "greater than or equal to 0"),
        ({"known_shares": [0.5, 0.5]}, "twice"),
        ({"threshold_levels": [2, 11]}, "less than or equal to 10"),
        ({"threshold_levels": [-1, 5]}, "greater than or equal to 0"),
        ({"threshold_levels": [5]}, "at least 2"),
        ({"threshold_levels": [5, 5]}, "twice"),
        ({"seeds": [0, -1]}, "greater than or equal to 0"),
        ({"model": "micro-xl"}, "there are micro-judge, micro-m, micro-s"),
        ({"models": ["micro-s", "micro-xl"]}, "there are micro-judge, micro-m, micro-s"),
        ({"judge": "micro-jugde"}, "there are micro-judge, micro-m, micro-s"),
        ({"unanswerable_generator": "micro-l"}, "there are micro-judge, micro-m, micro-s"),
    ],
)
def test_bad_values_are_refused_with_key_and_reason(change, message):
    with pytest.raises(errors.ParameterError, match=message) as error:
        params.load("smoke", **change)
    assert next(iter(change)) in str(error.value)


def test_yaml_reads_small_numbers_as_text():
    assert isinstance(yaml.safe_load("5e-7"), str)  # why the message above exists


def test_unknown_profile_lists_the_known_ones():
    with pytest.raises(errors.ParameterError, match="smoke"):
        params.load("nope")


def test_notebook_scope_overrules_smoke_and_ignores_the_rest():
    p = params.parameters({"seed": 3, "np": object(), "_": 1})
    assert p.seed == 3
    assert p.beta == params.load("smoke").beta


def test_other_models_than_ours_need_not_be_packaged():
    p = params.load(
        "smoke", model="llava-hf/llava-1.5-7b-hf", verifier="endpoint:gpt-4o", judge="string"
    )
    assert p.model == "llava-hf/llava-1.5-7b-hf"


@pytest.mark.parametrize(
    ("test", "validation", "expected"), [(300, 100, 33), (300, 300, 100), (300, 1, 1)]
)
def test_validation_has_unanswerable_questions_in_the_test_set_s_proportion(
    smoke, test, validation, expected
):
    p = smoke.replace(test_per_source=test, validation_per_source=validation, test_unanswerable=100)
    assert p.validation_unanswerable == expected
