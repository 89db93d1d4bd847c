"""The vision tower's unread layers, and the names of pictures."""

import numpy as np
import pytest
import torch
from PIL import Image

from inbol_lib.mllm import loading
from inbol_lib.mllm.picture_features import picture_key, skip_unread_layers


@pytest.mark.parametrize(("read", "skipped"), [(-2, 1), (-1, 0), (2, 2), ([-2, -3], 1)])
def test_skipped_layers_change_no_bit_of_the_features(read, skipped):
    model, _ = loading.load("micro-s")
    for layer in model.model.vision_tower.encoder.layers:
        vars(layer).pop("forward", None)  # undo what `load` skips
    if isinstance(read, list):  # the projector would take two layers' features
        wide = 2 * model.config.vision_config.hidden_size
        model.model.multi_modal_projector.linear_1 = torch.nn.Linear(wide, 128)
    model.config.vision_feature_layer = read
    edge = model.config.vision_config.image_size
    pixels = torch.randn(3, 3, edge, edge)
    with torch.no_grad():
        before = torch.stack(model.get_image_features(pixel_values=pixels).pooler_output)
        assert skip_unread_layers(model) == skipped
        after = torch.stack(model.get_image_features(pixel_values=pixels).pooler_output)
    assert torch.equal(before, after)


def test_the_loaded_model_skips_what_it_does_not_read():
    model, _ = loading.load("micro-s")
    layers = model.model.vision_tower.encoder.layers
    assert [("forward" in vars(layer)) for layer in layers] == [False, False, False, True]


def test_equal_pictures_have_equal_keys():
    pixels = np.random.default_rng(0).integers(0, 256, (4, 6, 3), dtype=np.uint8)
    image = Image.fromarray(pixels)
    assert picture_key(image) == picture_key(image.copy())
    turned = Image.frombytes("RGB", (4, 6), image.tobytes())
    others = [turned, image.convert("L"), image.rotate(180)]
    assert len({picture_key(other) for other in [image, *others]}) == 4
