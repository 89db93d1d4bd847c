"""A training of few steps learns all the same, and one that learns nothing is no result."""

import pytest
import torch
from safetensors.torch import load_file

from inbol_lib import progress
from inbol_lib.errors import ParameterError
from inbol_lib.mllm import loading
from inbol_lib.training import ca_dpo, idk_it


def rates_of(tiny, instructions, folder, p):
    """The learning rate of the logged steps of a training of the tiny model."""
    model, processor = loading.load(str(tiny[2]), device="cpu")
    return list(idk_it.train(p, model, processor, instructions, folder).learning_rate)


@pytest.mark.parametrize("ratio", [0.03, 0.5, 1.0])
def test_a_training_of_one_step_has_a_learning_rate(
    tiny, instructions, tmp_path, smoke, capsys, ratio
):
    p = smoke.replace(batch_size=24, warmup_ratio=ratio, learning_rate=0.003)
    progress.report_to(tmp_path)
    rates = rates_of(tiny, instructions, tmp_path, p)
    assert rates == [0.003]
    (notice,) = progress.notices(tmp_path)
    assert notice.loud
    assert "24 rows make 1 training step, all of which the warm-up would take" in notice.text
    assert notice.text in capsys.readouterr().err, "in the notebook as well"
    weights = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    assert any(value.any() for name, value in weights.items() if "lora_B" in name)


def test_a_warm_up_that_leaves_steps_is_what_was_asked_for(tiny, instructions, tmp_path, smoke):
    p = smoke.replace(batch_size=4, warmup_ratio=0.5, learning_rate=0.004)
    progress.report_to(tmp_path)
    rates = rates_of(tiny, instructions, tmp_path, p)
    assert progress.notices(tmp_path) == []
    assert rates[0] == 0, "step 1 of 6, three of them warm-up"


def test_a_training_that_changes_nothing_is_an_error_and_leaves_no_adapter(
    tiny, instructions, tmp_path, smoke
):
    p = smoke.replace(learning_rate=1e-300)  # 0 in the floats of the weights
    with pytest.raises(ParameterError, match="the training changed nothing: 2 steps on 24 rows"):
        rates_of(tiny, instructions, tmp_path, p)
    assert not (tmp_path / "adapter").exists()


def test_a_preference_training_must_leave_its_start(tiny, adapted, preferences, tmp_path, smoke):
    p = smoke.replace(dpo_learning_rate=1e-300)
    model, processor = loading.load(str(tiny[2]), device="cpu")
    asked = (model, processor, preferences, tmp_path, adapted.folder, tmp_path / "cache")
    with pytest.raises(ParameterError, match="the training changed nothing: 1 steps on 12 rows"):
        ca_dpo.train(p, *asked)
    assert not (tmp_path / "adapter").exists()
    assert torch.isfinite(next(iter(adapted.policy.parameters()))).all()
