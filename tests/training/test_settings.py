"""A training has the settings of its parameters, each its own."""

import json
import math

import pytest
import torch
from transformers import TrainerCallback, TrainerState

from inbol_lib.training import lora, preference_loss, reference


class Watch(TrainerCallback):
    """Keeps the settings of a training."""

    def on_train_begin(self, args, state, control, **kwargs):
        self.args = args


def test_ca_dpo_has_its_own_rate_beta_and_seed(adapted, preferences, tmp_path, smoke):
    p = smoke.replace(dpo_learning_rate=0.002, learning_rate=0.004, beta=0.35, seed=7)
    watch = Watch()
    adapted.trained(preferences, tmp_path / "dpo", p, [watch])
    args = watch.args
    assert (args.learning_rate, args.beta) == (0.002, 0.35)
    assert (args.seed, args.data_seed) == (7, 7)


def test_lora_has_the_rank_the_alpha_and_the_dropout_asked_for(tiny, smoke):
    config = lora.lora_config(smoke.replace(lora_rank=3, lora_alpha=7, lora_dropout=0.2), tiny[0])
    assert (config.r, config.lora_alpha, config.lora_dropout) == (3, 7, 0.2)


@pytest.mark.parametrize("steps", [(5, 10), (90, 100), (200, 1000)])
def test_a_training_goes_on_from_its_newest_checkpoint(tmp_path, steps):
    for step in steps:
        folder = tmp_path / f"checkpoint-{step}"
        folder.mkdir()
        TrainerState(global_step=step).save_to_json(str(folder / "trainer_state.json"))
        assert json.loads((folder / "trainer_state.json").read_text())["global_step"] == step
    assert lora.last_checkpoint(tmp_path).name == f"checkpoint-{max(steps)}"


def test_a_loss_by_hand_with_a_reference_and_a_beta():
    """The policy prefers the correct response by 2 nats, the reference by 1.5 of them."""
    policy, base = torch.tensor([[2.0, 0.0, 1.0]]), torch.tensor([[1.5, 0.0, 3.0]])
    margin = preference_loss.margins(policy, base, ["mixed"])
    assert margin.tolist() == [[0.5, -2.0]]
    loss = preference_loss.ca_dpo_loss(margin, torch.tensor([0.25]), beta=0.3)
    by_hand = 0.25 * math.log1p(math.exp(-0.15)) + 0.75 * math.log1p(math.exp(0.6))
    assert loss.item() == pytest.approx(by_hand, abs=1e-6)


def test_a_kept_reference_is_that_of_its_start(adapted, preferences, tmp_path):
    collator = adapted.packed(preferences)
    one = reference.fingerprint(collator, adapted.folder, adapted.policy)
    adapted.shift(adapted.policy, seed=1)
    adapted.policy.save_pretrained(tmp_path / "other")
    other = reference.fingerprint(collator, tmp_path / "other", adapted.policy)
    assert one != other
    assert one == reference.fingerprint(collator, adapted.folder, adapted.policy)
