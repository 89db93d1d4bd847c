"""CA-DPO from the base: an adapter that was not trained changes nothing."""

import torch
from peft import PeftModel

from inbol_lib.training import ca_dpo


def test_an_untrained_adapter_is_the_original_model(tiny, smoke, tmp_path):
    net, _, _ = tiny
    weights = {name: weight.clone() for name, weight in net.state_dict().items()}
    start = ca_dpo.untrained(smoke, net, tmp_path / "fresh")
    for name, weight in net.state_dict().items():
        assert torch.equal(weight, weights[name]), "the model itself is untouched"
    ids = torch.arange(20, 40)[None]
    with torch.inference_mode():
        before = net(input_ids=ids).logits
        policy = PeftModel.from_pretrained(net, str(start), is_trainable=True).eval()
        assert torch.equal(policy(input_ids=ids).logits, before)
    policy.unload()
    file = "adapter_model.safetensors"
    made = (start / file).read_bytes()
    assert (ca_dpo.untrained(smoke, net, start) / file).read_bytes() == made
    assert (ca_dpo.untrained(smoke, net, tmp_path / "again") / file).read_bytes() == made
