import pytest
import torch

from inbol_lib.mllm import picture_features
from inbol_lib.training import packing


@pytest.mark.parametrize("limit", [0, 20_000, 2**30])
def test_kept_picture_features_change_nothing(adapted, preferences, limit):
    policy, tower = adapted.policy, adapted.policy.get_image_features
    collator, features = adapted.packed(preferences), picture_features.Features(limit)
    asked = []

    def counting_tower(pixel_values):
        asked.append(len(pixel_values))
        return tower(pixel_values=pixel_values)

    policy.get_image_features = counting_tower
    with torch.no_grad():
        plain = packing.response_logps(policy, collator.read(list(range(12))))
        for numbers in (range(0, 7), range(3, 12), range(0, 12)):
            batch = collator.read(list(numbers))
            reused = packing.response_logps(policy, batch, features)
            assert torch.allclose(reused, plain[list(numbers)], rtol=1e-5, atol=1e-5)
    pixels = collator.read([0])["model"]["pixel_values"]
    one = tower(pixel_values=pixels).pooler_output[0].nbytes
    kept = min(limit // one, 12)
    assert len(features.kept) == kept
    assert asked == ([7, 5] if kept == 12 else [7, 9 - max(kept - 3, 0), 12 - kept])
