"""A pretraining that is cut goes on where it was."""

from itertools import islice

import pytest
import torch
from safetensors.torch import load_file

from inbol_lib.micro.models import pretrain, seeing

RECIPE = pretrain.Recipe("tiny", 6, batch=8)


class Cut(Exception):
    """A pretraining is stopped from outside."""


@pytest.fixture(scope="module", autouse=True)
def short():
    """Few steps and few texts, so that a whole pretraining takes seconds."""
    texts = list(islice(pretrain.tokenizer_texts(), 300))
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(pretrain.SEEING_STEPS, "tiny", 3)
        patch.setitem(pretrain.LAST_STEPS, "tiny", 2)
        patch.setattr(pretrain, "tokenizer_texts", lambda: texts)
        patch.setattr(pretrain, "_scores", lambda *_: {})
        yield


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The weights of a pretraining that nothing has cut."""
    folder = tmp_path_factory.mktemp("whole") / "model"
    pretrain.pretrain(RECIPE, folder, every=4)
    return load_file(folder / "model.safetensors")


@pytest.mark.parametrize("done", [0, 5, 7])
def test_a_cut_pretraining_ends_with_the_same_weights(whole, tmp_path, monkeypatch, done):
    """It is cut after so many steps: before the first checkpoint of a step, and after it."""
    folder = tmp_path / "model"
    batches, of_a_step = [], pretrain.conversations_of

    def until_cut(step, recipe):
        batches.append(step)
        if step == done:
            raise Cut
        return of_a_step(step, recipe)

    with monkeypatch.context() as patch:
        patch.setattr(pretrain, "conversations_of", until_cut)
        with pytest.raises(Cut):
            pretrain.pretrain(RECIPE, folder, every=4)
    assert batches[-1] == done
    with monkeypatch.context() as patch:
        patch.setattr(seeing, "learn_to_see", lambda *_, **__: pytest.fail("it sees already"))
        pretrain.pretrain(RECIPE, folder, every=4)
    weights = load_file(folder / "model.safetensors")
    assert weights.keys() == whole.keys()
    for name, weight in whole.items():
        assert torch.equal(weights[name], weight), name
    assert not list(tmp_path.glob("*.checkpoint.pt"))
