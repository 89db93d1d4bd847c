import pytest
import torch

from inbol_lib.mllm import picture_features
from inbol_lib.training import packing


def numbers_of_pictures(policy):
    """Make the policy's tower write down how many pictures it sees at a time."""
    asked, tower = [], policy.get_image_features

    def counting_tower(pixel_values):
        asked.append(len(pixel_values))
        return tower(pixel_values=pixel_values)

    policy.get_image_features = counting_tower
    return asked


@pytest.mark.parametrize("limit", [0, 12_000, 2**30])
def test_kept_picture_features_change_nothing(adapted, preferences, limit):
    """To rounding: other pictures share the tower's batch."""
    policy, plain, kept = adapted.policy, adapted.packed(preferences), adapted.packed(preferences)
    features = kept.pictures.keep(picture_features.Features(limit))
    with torch.no_grad():
        expected = packing.response_logps(policy, plain.read(list(range(12))))
        asked = numbers_of_pictures(policy)
        for numbers in (range(0, 7), range(3, 12), range(0, 12)):
            batch = kept.read(list(numbers))
            reused = packing.response_logps(policy, batch, features)
            assert torch.allclose(reused, expected[list(numbers)], rtol=1e-5, atol=1e-5)
    seen = [set(kept.pictures.keys[a:b]) for a, b in ((0, 7), (3, 12), (0, 12))]
    if limit == 0:
        assert asked == [len(keys) for keys in seen]
        assert not features.kept
    elif limit == 2**30:
        assert asked == [len(seen[0]), len(seen[1] - seen[0])]
        assert set(features.kept) == seen[2]
    else:
        assert 0 < len(features.kept) < len(seen[2])
        assert asked[2] == len(seen[2]) - len(features.kept)


def test_a_picture_whose_features_are_kept_is_not_processed_again(adapted, preferences):
    collator = adapted.packed(preferences)
    features = collator.pictures.keep(picture_features.Features())
    first = collator.read([0, 1, 2])
    with torch.no_grad():
        packing.response_logps(adapted.policy, first, features)
    assert collator.read([2, 1])["images"] == {}
    assert collator.read([0, 5])["shown"] == [collator.pictures.keys[5]]


def test_rows_that_show_the_same_picture_have_the_same_key(adapted, preferences):
    keys = adapted.packed(preferences).pictures.keys
    pictures = [image.tobytes() for image in preferences["image"]]
    assert len(set(keys)) == len(set(pictures))
    assert all(
        (keys[i] == keys[j]) == (pictures[i] == pictures[j]) for i in range(12) for j in range(12)
    )
