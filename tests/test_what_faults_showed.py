"""What planted faults have shown to go unseen elsewhere (`tests/faults.py`)."""

import numpy as np
import pytest
import torch
from builders import scored_outcomes
from datasets import Dataset

from inbol_lib.boundary.confidence import standard_records
from inbol_lib.data.records import QUESTION_FEATURES, save_table
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES
from inbol_lib.evaluation import asking, metrics, probing, selective
from inbol_lib.judging import hybrid
from inbol_lib.mllm import chat, loading
from inbol_lib.mllm.journal import Journal
from inbol_lib.mllm.sampling import Response, sample
from inbol_lib.params import Params
from inbol_lib.report import claim_statistics
from inbol_lib.study import graph, stages, tune
from inbol_lib.training import preference_loss

#: Parameters that no artefact is named after -> why. Any other belongs into `graph.OWN`.
IN_NO_NAME = {
    "token_budget": "how much is computed at a time changes no result",
    "test_model": "its own artefacts are among those that a composition is made from",
}


@pytest.fixture
def questions(tiny):
    """Eight questions without choices, about grey pictures of different brightness."""
    from PIL import Image

    rows = [
        {
            **{"id": f"q{i}", "image": Image.new("RGB", (48, 48), (20 * i,) * 3)},
            **{"image_id": f"i{i}", "group": f"q{i}", "source": "vqav2", "split": "validation"},
            **{"question": "What color is it?" + " Say it." * (i % 3)},
            **{"answers": ["gray"], "choices": [], "accepted": []},
        }
        for i in range(8)
    ]
    return Dataset.from_list(rows, features=QUESTION_FEATURES)


def test_every_parameter_is_in_an_artefact_s_name():
    named = {name for own in graph.OWN.values() for name in own}
    assert set(Params.model_fields) - named == set(IN_NO_NAME)


def test_a_stage_s_own_parameters_change_its_name(smoke):
    """Those of the sampled responses and of the trainings, one by one."""
    changed = {
        "confidence": {"temperature": 0.9, "top_p": 0.5, "judge": "string", "data_seed": 5},
        "idk_it": {"seed": 7, "lora_rank": 2, "lora_alpha": 5, "learning_rate": 0.1, "epochs": 2.0},
        "ca_dpo": {"beta": 0.9, "dpo_learning_rate": 0.1, "preference": "dpo_1"},
    }
    for stage, values in changed.items():
        before = graph.fingerprint(stage, smoke)
        for name, value in values.items():
            assert graph.fingerprint(stage, smoke.replace(**{name: value})) != before, name


def test_shuffled_confidences_follow_the_seed():
    kinds, confidence = ["mixed"] * 40, np.linspace(0.1, 0.9, 40)
    one, other, again = (
        preference_loss.pair_weights("ca_dpo_shuffled", kinds, confidence, seed)
        for seed in (0, 1, 0)
    )
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
    assert np.array_equal(np.sort(one[:, 0]), np.sort(confidence))


def test_the_paper_s_24_templates_are_all_drawn(questions):
    assert len(set(REFUSAL_TEMPLATES)) == len(REFUSAL_TEMPLATES) == 24
    many = questions.select([0] * 600)
    many = many.remove_columns("id").add_column("id", [f"q{i}" for i in range(600)])
    many = many.select_columns(list(QUESTION_FEATURES)).cast(QUESTION_FEATURES)
    said = [["gray"]] * 600
    records = standard_records(many, said, [["correct"]] * 600, 0)
    assert set(records["refusal"]) == set(REFUSAL_TEMPLATES)


def test_the_refusal_prompt_is_the_only_one_that_is_changed(questions):
    row = questions.remove_columns("image")[0]
    plain = asking.user_text(row, "original", "text")
    assert asking.user_text(row, "ca_dpo", "text") == plain
    assert asking.user_text(row, "refusal_prompt", "text") == f"{plain}\n{REFUSAL_PROMPT}"


def test_out_of_domain_the_rules_alone_judge(smoke, questions):
    rows = questions.select([0, 1]).add_column("confidence", [0.5, 0.5])
    rows = rows.add_column("in_domain", [True, False])
    said = [Response("grey", 0.0)] * 2  # the judge knows that it is gray
    table = asking.outcome_table(smoke.replace(judge="micro-judge"), "original", rows, said)
    assert table.outcome.tolist() == ["correct", "incorrect"]


def test_hidden_states_are_those_of_the_last_layer_at_the_prompt_s_last_token(tiny, questions):
    model, processor, _ = tiny
    states = probing.hidden_states(model, processor, questions, "text", batch=3)
    for number, row in enumerate(questions):
        alone = chat.encode(processor, [row["image"]], [row["question"]])
        with torch.no_grad():
            out = model.model(**alone)
        last = out.last_hidden_state[0, -1].numpy()
        assert np.allclose(states[number], last, atol=1e-4), number


def test_thresholds_come_from_validation(smoke):
    validation, test = (scored_outcomes(selective.SCORES, seed=seed) for seed in (0, 1))
    test = test.assign(split="test")
    test[[*selective.SCORES]] *= 0.5  # no threshold of these is one of the others
    table = selective.baselines(validation, test)
    for score in selective.SCORES:
        least = selective.threshold(validation, score)
        refused = table[table.method == score].outcome.to_numpy() == "refusal"
        expected = (test[score] < least) | (test.outcome == "refusal")
        assert np.array_equal(refused, expected.to_numpy())


def test_learning_rates_are_tried_on_the_validation_questions(smoke, questions, runs):
    """The composition has no other questions here, so whoever reads others finds none."""
    p = smoke.replace(judge="string")
    stage = stages.open("composition", p)
    rows = questions.add_column("confidence", [0.5] * len(questions))
    save_table(rows, stage.folder / "validation.parquet")
    stage.save({})
    found = tune.on_validation(p, "original")
    who = asking.Examinee(*loading.load(p.model))
    rows = rows.add_column("in_domain", [True] * len(rows))
    expected = metrics.summary(asking.outcomes(p, "original", rows, None, who), ["method"])
    assert found == expected.iloc[0].to_dict()


def test_samples_follow_the_seed(tiny, questions):
    model, processor, _ = tiny
    asked = (model, processor, questions["image"], questions["question"], 4, 2.0, 1.0, 6, 4096)
    one, other, again = (sample(*asked, seed=seed) for seed in (0, 1, 0))
    assert one == again
    assert one != other


def test_samples_behind_a_lost_line_do_not_count(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add({"key": "a", "first": 0, "texts": ["red", "blue"]})
    journal.add({"key": "a", "first": 3, "texts": ["green"]})  # the third is lost
    assert journal.answers() == {"a": ["red", "blue"]}


@pytest.mark.parametrize(
    ("judge", "said", "answers", "outcome"),
    [
        ("micro-any", "perhaps", ["gray"], "unjudged"),
        ("micro-any", "yes", ["gray"], "correct"),
        ("any", "perhaps", ["gray"], "unjudged"),
        ("any", "right", [], "incorrect"),
        ("any", "right", ["gray"], "correct"),
        ("any", "declines", [], "refusal"),
    ],
)
def test_what_a_judge_says_is_read_as_it_is_meant(monkeypatch, judge, said, answers, outcome):
    monkeypatch.setattr(hybrid, "_local", lambda _: lambda prompts, _: [said] * len(prompts))
    row = {"question": "What color is it?", "answers": answers, "choices": []}
    open_response = "I cannot say for certain, maybe it is ash" if not answers else "ash"
    assert hybrid.matched(row, open_response) == "", "the rules leave it open"
    assert hybrid.judge([row], [open_response], judge) == [outcome]


@pytest.mark.parametrize(
    ("lo", "hi", "verdict"),
    [(1, 2, "reproduced"), (-1, 2, "undecided"), (-2, -1, "not"), (0, 1, "undecided")],
)
def test_a_claim_is_decided_by_an_interval_on_one_side_of_0(lo, hi, verdict):
    assert claim_statistics.verdict(lo, hi) == verdict
