import numpy as np
import pytest
from trl import DPOConfig

from inbol_lib.training import ca_dpo, collating, lora, reference


def test_the_reference_is_computed_once_for_the_same_rows_and_start(
    adapted, preferences, tmp_path, smoke, runs, monkeypatch
):
    calls, whole = [], reference.response_logps

    def counting(*args):
        calls.append(1)
        return whole(*args)

    monkeypatch.setattr(reference, "response_logps", counting)
    p = smoke.replace(batch_size=12)
    cache = runs / "reference"
    first, _ = adapted.trained(preferences, tmp_path / "first", p, cache=cache)
    assert len(list(cache.glob("*.npy"))) == 1
    assert calls
    calls.clear()
    again, _ = adapted.trained(preferences, tmp_path / "again", p, cache=cache)
    variant = p.replace(preference="dpo_2")
    varied, _ = adapted.trained(preferences, tmp_path / "variant", variant, cache=cache)
    assert not calls
    assert again.equals(first)
    assert not varied.equals(first)

    def turn_the_first_picture(row):
        is_first = row["prompt"] == preferences[0]["prompt"]
        return {"image": row["image"].rotate(90)} if is_first else row

    other = preferences.map(turn_the_first_picture)
    adapted.trained(other, tmp_path / "other", p, cache=cache)
    assert calls
    assert len(list(cache.glob("*.npy"))) == 2


def test_a_wrong_reference_stops_training(adapted, preferences, tmp_path, smoke):
    collator = adapted.packed(preferences)
    for item in collator.items:
        item |= {"reference": np.zeros(3), "weights": np.array([0.5, 0.5])}
    trainer = ca_dpo.CADPOTrainer(
        model=adapted.policy,
        args=DPOConfig(**lora.arguments(smoke, adapted.policy, tmp_path, 0.01)),
        processing_class=adapted.processor,
        train_dataset=collating.numbered(preferences),
        data_collator=collator,
    )
    with pytest.raises(AssertionError, match="the reference is not the start model"):
        trainer.train()
