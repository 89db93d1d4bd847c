"""One loaded model answers for every method, and for each as if loaded for it alone."""

import pandas as pd
import pytest
import torch
from datasets import concatenate_datasets
from peft import get_peft_model

from inbol_lib import params
from inbol_lib.evaluation import asking
from inbol_lib.micro import world
from inbol_lib.mllm import loading
from inbol_lib.study import graph
from inbol_lib.training import lora


@pytest.fixture(scope="module")
def rows():
    sources = [world.questions(source, "test", 12, 0) for source in ("vqav2", "scienceqa")]
    rows = concatenate_datasets(sources)
    return rows.add_column("confidence", [0.5] * 24).add_column("in_domain", [True] * 24)


@pytest.fixture(scope="module")
def p():
    return params.load("smoke", judge="string", methods=["original", "sft", "refusal_prompt"])


@pytest.fixture(scope="module")
def adapters(p, tmp_path_factory):
    """SFT's adapter changes a few answers."""
    folder = tmp_path_factory.mktemp("adapter")
    model, _ = loading.load(p.model)
    tuned = get_peft_model(model, lora.lora_config(p, model))
    torch.manual_seed(0)
    with torch.no_grad():
        for name, weight in tuned.named_parameters():
            if "lora_" in name:
                weight.normal_(0, 0.05)
    tuned.save_pretrained(folder)
    return {"original": None, "sft": folder, "refusal_prompt": None}


def test_a_shared_model_gives_each_method_the_answers_of_its_own(p, rows, adapters, tmp_path):
    together = asking.evaluate(p, rows, tmp_path, adapters)
    alone = [asking.outcomes(p, method, rows, adapters[method]) for method in p.methods]
    pd.testing.assert_frame_equal(together, pd.concat(alone, ignore_index=True))
    said = together.groupby("method").response.agg(list)
    assert said["sft"] != said["original"]


def test_a_training_that_changes_no_answer_is_said_aloud(
    p, rows, adapters, tmp_path, monkeypatch, capsys
):
    monkeypatch.setattr(asking, "TELLING", 24)
    asking.evaluate(p, rows, tmp_path, adapters)
    assert "WARNING" not in capsys.readouterr().err
    untrained = {**adapters, "sft": None}
    said = pd.concat(asking.outcomes(p, method, rows, None) for method in ("original", "sft"))
    assert asking.unchanged(said) == [("sft", "original")]
    asking.evaluate(p, rows, tmp_path / "again", untrained)
    assert "on the same of all 24 questions as original" in capsys.readouterr().err
    after = said.assign(method=said.method.replace({"original": "idk_it", "sft": "ca_dpo"}))
    assert asking.unchanged(after) == [("ca_dpo", "idk_it")]


def test_finished_methods_are_not_asked_again(p, rows, adapters, tmp_path, monkeypatch):
    first = asking.evaluate(p, rows, tmp_path, adapters)
    (tmp_path / "sft.parquet").unlink()
    asked = []

    def counted(p, method, *others):
        asked.append(method)
        return outcomes(p, method, *others)

    outcomes = asking.outcomes
    monkeypatch.setattr(asking, "outcomes", counted)
    pd.testing.assert_frame_equal(asking.evaluate(p, rows, tmp_path, adapters), first)
    assert asked == ["sft"]


def test_bfloat16_answers_are_its_own_artefact_and_nearly_all_the_same(p, rows, recwarn):
    half = p.replace(precision="bfloat16")
    assert graph.path("evaluation", half) != graph.path("evaluation", p)
    one, other = (asking.outcomes(each, "original", rows, None) for each in (p, half))
    assert (one.response == other.response).mean() > 0.9
    told = [str(warning.message) for warning in recwarn if "bfloat16" in str(warning.message)]
    assert len(told) == (0 if loading._computes_bfloat16() else 1)
