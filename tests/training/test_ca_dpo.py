import math

import numpy as np
import pytest
import torch

from inbol_lib.mllm import loading
from inbol_lib.training import ca_dpo, packing, preference_loss


@pytest.mark.parametrize("budget", [256, 400])
def test_parts_of_a_batch_add_up_to_it(adapted, preferences, tmp_path, smoke, budget):
    p = smoke.replace(batch_size=6, dpo_learning_rate=0.003, epochs=5.0)
    whole, _ = adapted.trained(preferences, tmp_path / "whole", p)
    split, _ = adapted.trained(preferences, tmp_path / "split", p.replace(token_budget=budget))
    assert np.allclose(whole.loss, split.loss, rtol=1e-4)
    assert whole.loss.nunique() > 1


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"incorrect": " "}, "lacks its incorrect"),
        ({"kind": "easy"}, "known, unknown, mixed"),
        ({"confidence": 1.2}, "between 0 and 1"),
        ({"confidence": float("nan")}, "between 0 and 1"),
    ],
)
def test_bad_preferences_are_refused(preferences, change, message):
    row = preferences.remove_columns("image")[1]
    ca_dpo.check_rows([row])
    with pytest.raises(ValueError, match=message):
        ca_dpo.check_rows([{**row, **change}])


def test_a_response_that_the_kind_does_not_compare_may_be_missing(preferences):
    row = preferences.remove_columns("image")[1]
    ca_dpo.check_rows([{**row, "kind": "known", "incorrect": ""}])


@pytest.mark.parametrize("mode", ["ca_dpo", "dpo_1", "dpo_3", "ca_dpo_inside"])
def test_training_starts_at_ln_2_a_pair(adapted, preferences, tmp_path, smoke, mode):
    p = smoke.replace(batch_size=12, dpo_learning_rate=0.01, preference=mode)
    history, _ = adapted.trained(preferences, tmp_path / mode, p)
    # Half of the questions are mixed, and dpo_3 gives these two whole pairs.
    pairs = 1.5 if mode == "dpo_3" else 1
    assert history.loss[0] == pytest.approx(pairs * math.log(2), abs=1e-5)
    by_kind = {
        f"{name}/{kind}" for name in ("margin", "accuracy") for kind in preference_loss.PAIRS
    }
    assert {"accuracy", *by_kind} <= set(history)


def test_training_learns_the_preferences_and_the_saved_adapter_is_the_policy(
    adapted, preferences, tmp_path, smoke
):
    p = smoke.replace(batch_size=4, dpo_learning_rate=0.003, epochs=4.0)
    history, live = adapted.trained(preferences, tmp_path / "dpo", p)
    again, _ = adapted.trained(preferences, tmp_path / "again", p)
    assert history.equals(again)
    assert history.loss.iloc[-1] < history.loss[0]
    saved, _ = loading.load(adapted.name, tmp_path / "dpo" / "adapter", device="cpu")
    batch = adapted.packed(preferences).read(list(range(len(preferences))))
    with torch.no_grad():
        start, end, stored = (
            packing.response_logps(model, batch) for model in (adapted.policy, live.eval(), saved)
        )
    assert torch.allclose(stored, end, rtol=1e-4, atol=1e-4)
    assert not torch.allclose(stored, start, atol=0.1)


def test_a_killed_training_resumes_to_the_same_end(
    adapted, preferences, tmp_path, smoke, kill, count
):
    p = smoke.replace(batch_size=1, dpo_learning_rate=0.01)
    whole, expected = adapted.trained(preferences, tmp_path / "whole", p)
    with pytest.raises(KeyboardInterrupt):
        adapted.trained(preferences, tmp_path / "killed", p, [kill])
    resumed, got = adapted.trained(preferences, tmp_path / "killed", p, [count])
    assert count.steps == 7  # twelve, less the five that were kept
    assert len(whole) == 3
    assert resumed.equals(whole)
    pairs = zip(expected.parameters(), got.parameters(), strict=True)
    assert all(torch.equal(ours, theirs) for ours, theirs in pairs)
