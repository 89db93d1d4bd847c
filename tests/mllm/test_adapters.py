"""Adapters come and go, and the model stays what it is."""

import warnings

import pytest
import torch
from peft import get_peft_model

from inbol_lib.mllm import loading
from inbol_lib.mllm.adapters import worn
from inbol_lib.training import lora


@pytest.fixture
def saved(tiny, smoke, tmp_path):
    """Folders of the tiny model and of two adapters that change it."""
    folder = str(tiny[2])
    for seed in (0, 1):
        model, _ = loading.load(folder, device="cpu")
        tuned = get_peft_model(model, lora.lora_config(smoke, model))
        torch.manual_seed(seed)
        with torch.no_grad():
            for name, weight in tuned.named_parameters():
                if "lora_" in name:
                    weight.normal_()
        tuned.save_pretrained(tmp_path / str(seed))
    return folder, [tmp_path / "0", tmp_path / "1"]


def weights(model):
    return {name: weight.detach().clone() for name, weight in model.state_dict().items()}


def equal(one, other):
    return one.keys() == other.keys() and all(torch.equal(one[name], other[name]) for name in one)


def test_a_worn_adapter_is_the_loaded_one_bit_for_bit(saved):
    folder, adapters = saved
    model, _ = loading.load(folder, device="cpu")
    bare = weights(model)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # PEFT warns where it meets another adapter
        for adapter in [*adapters, adapters[0], None]:
            with worn(model, adapter) as dressed:
                loaded = weights(loading.load(folder, adapter, device="cpu")[0])
                assert equal(weights(dressed), loaded)
                assert equal(loaded, bare) == (adapter is None)
            assert equal(weights(model), bare)


def test_weights_come_back_after_an_error(saved):
    folder, (adapter, _) = saved
    model, _ = loading.load(folder, device="cpu")
    bare = weights(model)
    with pytest.raises(KeyboardInterrupt), worn(model, adapter):
        raise KeyboardInterrupt
    assert equal(weights(model), bare)
