"""A training in half precision has the losses of one in single precision, up to rounding.

On a CPU trainings are in float32 whatever `precision` says, which is that of generation. On a GPU
weights and arithmetic are bfloat16, LoRA's own weights float32; the same trainers do that here.
"""

import json

import numpy as np
import pytest
import torch
from safetensors.torch import load_file

from inbol_lib.mllm import loading
from inbol_lib.paths import NOTEBOOKS
from inbol_lib.training import ca_dpo, idk_it, lora, packing, preference_loss

#: weights, and how far a loss may be from that of float32, as a share of it
HALVES = [(torch.bfloat16, 0.02), (torch.float16, 0.003)]


@pytest.fixture
def as_on_a_gpu(monkeypatch):
    """Both trainings compute in bfloat16, as `lora.arguments` lets them away from a CPU."""

    def arguments(*given):
        return lora.arguments(*given) | {"bf16": True}

    monkeypatch.setattr(idk_it, "arguments", arguments)
    monkeypatch.setattr(ca_dpo, "arguments", arguments)


def loaded(tiny, precision="float32"):
    return loading.load(str(tiny[2]), device="cpu", precision=precision)


def close(exact, rounded):
    """Losses and accuracies of two histories, which learn and stay near each other."""
    assert exact.loss.iloc[-1] < exact.loss.iloc[0] - 0.05, "there is something to compare"
    assert np.allclose(exact.loss, rounded.loss, rtol=0.05)
    assert not exact.loss.equals(rounded.loss), "it was another precision"


def test_instructions_in_bfloat16_give_the_losses_of_float32(
    tiny, instructions, tmp_path, smoke, as_on_a_gpu, monkeypatch
):
    p = smoke.replace(batch_size=8, learning_rate=0.003, epochs=4.0, lora_dropout=0.0)
    rounded = idk_it.train(p, *loaded(tiny, "bfloat16"), instructions, tmp_path / "half")
    kept = load_file(tmp_path / "half" / "adapter" / "adapter_model.safetensors")
    assert {weight.dtype for weight in kept.values()} == {torch.float32}
    monkeypatch.undo()
    exact = idk_it.train(p, *loaded(tiny), instructions, tmp_path / "whole")
    close(exact, rounded)


def test_preferences_in_bfloat16_give_the_losses_of_float32(
    tiny, adapted, preferences, tmp_path, smoke, as_on_a_gpu, monkeypatch
):
    p = smoke.replace(batch_size=6, dpo_learning_rate=0.003, epochs=4.0, lora_dropout=0.0)
    model, processor = loaded(tiny, "bfloat16")
    given = (processor, preferences, tmp_path / "half", adapted.folder)
    rounded = ca_dpo.train(p, model, *given)
    assert rounded.loss[0] == pytest.approx(np.log(2), abs=0.01), "the reference is rounded alike"
    monkeypatch.undo()
    exact, _ = adapted.trained(preferences, tmp_path / "whole", p)
    close(exact, rounded)


@pytest.mark.parametrize(("kind", "apart"), HALVES, ids=["bfloat16", "float16"])
def test_one_batch_has_the_losses_of_float32(adapted, preferences, kind, apart):
    """Log-probabilities, eq. 6 and the mean over tokens, with all weights rounded."""
    part = adapted.packed(preferences).read(range(len(preferences)))
    told = []
    for policy in (adapted.fresh_policy().eval(), adapted.fresh_policy().eval().to(kind)):
        with torch.no_grad():
            told.append(packing.response_logps(policy, part, None).float())
        assert torch.isfinite(told[-1]).all()
    exact, rounded = told
    assert not torch.equal(exact, rounded)
    assert torch.allclose(exact, rounded, rtol=apart, atol=apart)
    kinds, confidences = preferences["kind"], preferences["confidence"]
    weights = torch.tensor(preference_loss.pair_weights("ca_dpo", kinds, confidences, 0))
    losses = []
    for logps in told:
        margin = preference_loss.margins(logps, torch.zeros_like(logps), kinds)
        losses.append(preference_loss.weighted_loss(margin, weights, 0.1).mean().item())
    assert losses[0] == pytest.approx(losses[1], rel=apart)


def test_on_a_cpu_trainings_are_in_float32_whatever_the_precision(tiny, smoke, tmp_path):
    model, _ = loaded(tiny)
    told = lora.arguments(smoke.replace(precision="bfloat16"), model, tmp_path, 0.1)
    assert (told["bf16"], "fp16" in told) == (False, False)
    assert {weight.dtype for weight in model.parameters()} == {torch.float32}
    for name in ("04_idk_it", "05_ca_dpo"):
        cells = json.loads((NOTEBOOKS / f"{name}.ipynb").read_text())["cells"]
        code = "".join("".join(c["source"]) for c in cells if c["cell_type"] == "code")
        assert "loading.load(p.model)" in code
        assert "precision=" not in code
