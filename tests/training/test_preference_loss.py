import math

import numpy as np
import pytest
import torch

from inbol_lib.training import preference_loss


def test_confidence_weighs_correct_over_incorrect_and_its_rest_refusal_over_incorrect():
    policy, reference = torch.tensor([[2.0, 0.0, -1.0]]), torch.zeros(1, 3)
    margin = preference_loss.margins(policy, reference, ["mixed"])
    assert margin.tolist() == [[2.0, -1.0]]

    def loss(confidence):
        return preference_loss.ca_dpo_loss(margin, torch.tensor([confidence]), 1.0).item()

    sure, unsure = loss(1.0), loss(0.0)
    assert sure == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-6)
    assert unsure == pytest.approx(math.log(1 + math.exp(1)), abs=1e-6)
    assert loss(0.3) == pytest.approx(0.3 * sure + 0.7 * unsure, abs=1e-6)
    inside = preference_loss.inside_loss(margin, torch.tensor([[0.3, 0.7]]), 1.0).item()
    assert inside == pytest.approx(math.log(1 + math.exp(0.1)), abs=1e-6)


def test_equal_policies_give_ln_2_whatever_the_confidence():
    losses = preference_loss.ca_dpo_loss(torch.zeros(5, 2), torch.linspace(0, 1, 5), 0.3)
    assert torch.allclose(losses, torch.full((5,), math.log(2)))


def test_the_modes_weigh_mixed_questions_alone():
    kinds, confidence = ["known", "mixed", "unknown", "mixed"], np.array([0.9, 0.3, 0.1, 0.6])
    expected = {
        "dpo_1": (0, 1),
        "dpo_2": (1, 0),
        "dpo_3": (1, 1),
        "ca_dpo_half": (0.5, 0.5),
        "ca_dpo": (0.3, 0.7),
    }
    for mode, pair in expected.items():
        weights = preference_loss.pair_weights(mode, kinds, confidence)
        assert np.allclose(weights[1], pair), mode
        assert np.allclose(weights[[0, 2]].sum(1), 1), mode
    shuffled = preference_loss.pair_weights("ca_dpo_shuffled", kinds, confidence, seed=1)
    assert sorted(shuffled[[1, 3], 0]) == [0.3, 0.6]
    with pytest.raises(ValueError, match="not a preference training"):
        preference_loss.pair_weights("sft", kinds, confidence)
