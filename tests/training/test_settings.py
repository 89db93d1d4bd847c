"""A training has the settings of its parameters, each its own."""

import json

import pytest
from transformers import TrainerCallback, TrainerState

from inbol_lib.training import lora


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
