import pytest
from snakemake.cli import parse_config

from inbol_lib import errors, params, paths
from inbol_lib.study import experiments, graph
from inbol_lib.study.workflow import snake


def test_every_profile_is_complete_and_checked():
    for file in paths.PARAMS.glob("*.yaml"):
        p = params.load(file)
        assert p.profile == file.stem
        unknown = set(params.read(file)) - set(params.Params.model_fields)
        assert not unknown, file


def setting_lines(profile):
    """The lines of a profile's file that set a parameter."""
    lines = (paths.PARAMS / f"{profile}.yaml").read_text().splitlines()
    return [line for line in lines if line and not line.startswith("#")]


def test_smoke_names_every_parameter_with_its_source():
    lines = setting_lines("smoke")
    assert {line.split(":")[0] for line in lines} == set(params.Params.model_fields)
    for line in lines:
        assert "# (" in line, f"no source: {line}"


@pytest.mark.parametrize(
    "name", ["micro", "micro-full", "smolvlm-256m", "llava-1.5-7b", "llava-1.5-13b"]
)
def test_a_profile_for_real_results_sets_every_parameter_with_its_source(name):
    lines = setting_lines(name)
    assert [line.split(":")[0] for line in lines] == list(params.read("micro"))
    for line in lines:
        assert "# (" in line, f"no source: {line}"


PAPER = {
    "learning_rate": 2e-4,
    "dpo_learning_rate": 2e-4,
    "lora_rank": 16,
    "lora_alpha": 32,
    "batch_size": 16,
    "epochs": 1.0,
    "num_instructions": 11_000,
    "num_pairs": 24_000,
    "known_share": 0.75,
    "pair_ratio": [1.0, 1.0, 2.0],
    "delta_known": 0.8,
    "delta_unknown": 0.2,
    "choice_answer": "letter",
    "num_samples": 10,
    "known_shares": [0.65, 0.7, 0.75, 0.8, 0.85, 0.9],
    "test_per_source": 300,
    "test_unanswerable": 100,
    "probe_train": 2000,
    "probe_test": 200,
}


@pytest.mark.parametrize("name", ["llava-1.5-7b", "llava-1.5-13b"])
def test_llava_s_profiles_have_the_paper_s_values(name):
    p = params.load(name)
    assert {key: getattr(p, key) for key in PAPER} == PAPER
    assert len(experiments.threshold_cells(p)) == 21


STAGES_OF_TRAINING = {"confidence", "unanswerable", "composition", "idk_it", "ca_dpo", "evaluation"}


@pytest.mark.parametrize(
    ("name", "jobs"), [("smolvlm-256m", 33), ("llava-1.5-7b", 108), ("llava-1.5-13b", 111)]
)
def test_a_profile_of_the_real_benchmarks_has_a_plan_and_never_asks_the_program(name, jobs):
    p = params.load(name)
    made = graph.plan("paper_vs_ours", p)
    assert len(made) == jobs
    # thresholds, shares, ratios and variants share cells; another seed adds 4 jobs, and 13B also
    # needs 7B's confidence
    assert {stage for stage, _ in made.values()} >= STAGES_OF_TRAINING
    p.check_program()
    assert p.dataset.startswith("benchmarks:")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"learning_rat": 1e-4}, "did you mean learning_rate"),
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


@pytest.mark.parametrize(
    "changes",
    [
        {"sweep_seeds": [0, 1], "seeds": [0, 1], "beta": 5e-7, "seed": 1},
        {"pair_ratio": [1.0, 0.5, 2.0], "pair_ratios": [[1.0, 1.0, 1.0], [0.0, 0.0, 1.0]]},
        {"threshold_levels": [2, 8], "known_shares": [0.5], "data_sizes": []},
        {"methods": ["sft", "idk_it"], "sources": ["vqav2", "no"], "models": ["micro-s"]},
    ],
)
def test_snakemake_hands_on_what_it_was_given(changes):
    p = params.load("smoke", **changes)
    words = snake.settings("evaluation", "smoke", p, changes)[1:]
    config = parse_config(words)
    given = {key: value for key, value in config.items() if key not in ("profile", "only")}
    assert params.load(config["profile"], **params.of_snakemake(given)) == p


def test_what_snakemake_hands_on_wrongly_is_refused_with_its_key():
    with pytest.raises(errors.ParameterError, match=r"sweep_seeds\.0: given 'x'"):
        params.load(**params.of_snakemake({"sweep_seeds": ["x"]}))
