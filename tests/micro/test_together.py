"""Two processes train one model as one process does."""

import pytest
import torch

from inbol_lib.micro.models import architecture, pretrain, seeing, together
from inbol_lib.micro.models.batches import Batcher
from inbol_lib.micro.models.optimization import backward


def _gradients(out):
    """Save a model's gradients after one shared batch of sights and one of conversations."""
    torch.set_num_threads(1)
    tokenizer = architecture.train_tokenizer(["What colour is the star? red"] * 9)
    processor = architecture.processor(tokenizer)
    net = architecture.build("tiny", tokenizer).train()
    batcher = Batcher(processor, net.config.image_seq_length)
    talks = pretrain.conversations_of(200, pretrain.Recipe("tiny", 300, batch=16))
    loss = backward(net, batcher, talks, parts=2)
    seen = seeing.learn_to_see(net, processor.image_processor, steps=2, batch=24)
    if together.part()[0] == 0:
        tower = net.model.vision_tower.state_dict()
        grads = {name: w.grad for name, w in net.named_parameters() if w.grad is not None}
        torch.save({"loss": loss, "seen": seen, "grads": grads, "tower": tower}, out)


def test_two_processes_give_the_gradients_of_one(tmp_path):
    for processes in (1, 2):
        together.launch(_gradients, tmp_path / f"{processes}.pt", processes=processes)
    one, two = (torch.load(tmp_path / f"{n}.pt", weights_only=True) for n in (1, 2))
    assert two["loss"] == pytest.approx(one["loss"], rel=1e-3)
    assert two["seen"] == pytest.approx(one["seen"], rel=1e-3)
    assert one["grads"].keys() == two["grads"].keys()
    for name, gradient in one["grads"].items():
        scale = gradient.abs().max()
        torch.testing.assert_close(two["grads"][name], gradient, rtol=0.05, atol=0.02 * scale)


def test_an_error_in_one_process_is_raised():
    with pytest.raises(Exception, match="no-such-size"):
        together.launch(architecture.build, "no-such-size", None)
