import numpy as np
import pytest
import torch
import torch.nn.functional as F
from datasets import concatenate_datasets

from inbol_lib.training import packing, preference_loss
from inbol_lib.training.passes import lora_layers, masks, shortcuts

ALL = list(range(12))  # the numbers of all questions of `preferences`


def alone(model, item, number, image):
    """Log-probability of one response in an ordinary sequence of its own."""
    response = item["responses"][number]
    if not response:
        return torch.zeros(())
    ids = torch.tensor([item["prompt_ids"] + response])
    output = model(input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=image[None])
    n = len(response)
    logps = torch.log_softmax(output.logits[0, -n - 1 : -1], -1)
    return logps.gather(1, ids[0, -n:, None]).sum()


def unpacked(model, collator):
    """`response_logps`, one sequence at a time."""
    rows = []
    images = collator.pictures.processed(ALL)["pixel_values"]
    for item, image in zip(collator.items, images, strict=True):
        rows.append(torch.stack([alone(model, item, number, image) for number in range(3)]))
    return torch.stack(rows)


def test_packed_log_probabilities_equal_those_of_each_sequence(adapted, preferences):
    collator = adapted.packed(preferences)
    batch = collator.read(ALL)
    with torch.no_grad():
        ours = packing.response_logps(adapted.policy, batch)
        theirs = unpacked(adapted.policy, collator)
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    there = [[bool(response) for response in item["responses"]] for item in collator.items]
    assert ((ours != 0) == torch.tensor(there)).all()


def test_questions_about_a_picture_share_a_row(adapted, preferences):
    collator = adapted.packed(of_few_pictures(preferences))
    batch = collator.read(ALL)
    distinct = len(set(collator.pictures.keys))
    assert distinct <= 3
    assert len(batch["pictures"]) == len(batch["images"]["pixel_values"]) == distinct
    tokens = sum(collator.length([number]) for number in ALL)
    assert sum(map(collator.length, collator.trees(ALL))) < 0.75 * tokens


def test_a_row_of_many_questions_fits_into_a_part(adapted, preferences):
    rows = of_few_pictures(preferences, 1)
    collator = adapted.packed(rows)
    collator.token_budget = 200
    trees = collator.trees(ALL)
    assert len(trees) > 1
    assert all(collator.length(tree) <= 200 for tree in trees)
    with torch.no_grad():
        cut = packing.response_logps(adapted.policy, collator.read_trees(trees))
        whole = packing.response_logps(adapted.policy, adapted.packed(rows).read(ALL))
    assert torch.allclose(cut, whole, rtol=1e-5, atol=1e-5)


def test_padding_and_the_order_of_responses_change_nothing(adapted, preferences):
    policy = adapted.policy
    collator, turned = adapted.packed(preferences), adapted.packed(preferences)
    for item in turned.items:
        item["responses"] = item["responses"][::-1]
    with torch.no_grad():
        together = packing.response_logps(policy, collator.read(ALL))
        single = torch.cat([packing.response_logps(policy, collator.read([i])) for i in ALL])
        reverse = packing.response_logps(policy, turned.read(ALL)).flip(1)
    assert torch.allclose(together, single, rtol=1e-5, atol=1e-5)
    assert torch.allclose(together, reverse, rtol=1e-5, atol=1e-5)


def loss_by_hand(logps, reference, kinds, confidences):
    """Eq. 6, question by question, at beta 0.1."""
    losses = []
    for row, start, kind, confidence in zip(logps, reference, kinds, confidences, strict=True):
        correct, incorrect, refusal = row - start
        first, second = {
            "known": (correct - refusal, correct - refusal),
            "unknown": (refusal - incorrect, refusal - incorrect),
            "mixed": (correct - incorrect, refusal - incorrect),
        }[kind]
        losses.append(
            -confidence * F.logsigmoid(0.1 * first) - (1 - confidence) * F.logsigmoid(0.1 * second)
        )
    return sum(losses) / len(losses)


def gradients(policy, loss):
    """The gradient of the loss by the name of each trainable weight."""
    policy.zero_grad()
    loss.backward()
    return {
        name: weight.grad.clone()
        for name, weight in policy.named_parameters()
        if weight.requires_grad
    }


def of_few_pictures(rows, pictures=3):
    """The same questions, about the first few pictures."""
    first = rows.select([number % pictures for number in range(len(rows))])
    return concatenate_datasets(
        [first.select_columns("image"), rows.remove_columns("image")], axis=1
    )


@pytest.mark.parametrize("pictures", [12, 3, 1])
@pytest.mark.parametrize("adapted", ["tiny", "micro-s"], indirect=True)
def test_the_loss_and_lora_gradients_equal_those_of_separate_sequences(
    adapted, preferences, pictures
):
    """To rounding, whether a picture has one question, four or twelve."""
    policy, collator = adapted.policy, adapted.packed(of_few_pictures(preferences, pictures))
    batch = collator.read(ALL)
    kinds = batch["kinds"]
    confidences = np.array(preferences["confidence"])
    reference = 3 * torch.randn(len(preferences), 3, generator=torch.Generator().manual_seed(0))
    reference += unpacked(policy, collator).detach()

    expected = loss_by_hand(unpacked(policy, collator), reference, kinds, confidences)
    theirs = gradients(policy, expected)
    margin = preference_loss.margins(packing.response_logps(policy, batch), reference, kinds)
    weights = preference_loss.pair_weights("ca_dpo", kinds, confidences)
    weights = torch.tensor(weights, dtype=torch.float32)
    loss = preference_loss.weighted_loss(margin, weights, 0.1).mean()
    ours = gradients(policy, loss)

    assert loss.item() == pytest.approx(expected.item(), rel=1e-5)
    flat = [torch.cat([g.flatten() for g in side.values()]) for side in (ours, theirs)]
    assert (flat[0] - flat[1]).norm() / flat[1].norm() < 1e-5
    assert all((ours[n] - theirs[n]).norm() <= 1e-4 * theirs[n].norm() for n in theirs)


@pytest.mark.parametrize("pictures", [12, 3])
def test_shortcuts_of_a_pass_change_nothing(adapted, preferences, pictures, monkeypatch):
    """To rounding: heads by themselves, the last layer where it is read, W + B A at once."""
    policy, collator = adapted.policy, adapted.packed(of_few_pictures(preferences, pictures))
    batch = collator.read(ALL)
    usual = gradients(policy, packing.response_logps(policy, batch).sum())
    monkeypatch.setattr(shortcuts, "LONG", 1)
    with lora_layers.fewer_multiplications(policy):
        assert shortcuts.applies(policy)
        short = gradients(policy, packing.response_logps(policy, batch).sum())
    policy.base_model.model.activation_checkpointing_enable()
    policy.enable_input_require_grads()
    policy.train()
    assert not shortcuts.applies(policy)
    plain = gradients(policy, packing.response_logps(policy, batch).sum())
    for name, gradient in plain.items():
        for other in (usual, short):
            assert (other[name] - gradient).norm() <= 1e-4 * gradient.norm(), name


@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_flex_attention_reads_packed_responses_alike(adapted, preferences):
    policy, batch = adapted.policy, adapted.packed(preferences).read(ALL)
    with torch.no_grad(), torch.compiler.set_stance("force_eager"):
        dense = packing.response_logps(policy, batch)
        policy.base_model.model.model.language_model.set_attn_implementation("flex_attention")
        mask = masks.tree_mask(batch["question"], batch["response"], policy)
        assert not torch.is_tensor(mask)
        assert torch.allclose(packing.response_logps(policy, batch), dense, rtol=1e-5, atol=1e-5)


class RunOn(packing.PackingCollator):
    """Packs as if positions ran on from one response to the next."""

    def joined(self, rows):
        part = super().joined(rows)
        length = part["model"]["input_ids"].shape[1]
        part["model"]["position_ids"] = torch.arange(length).expand(len(rows), -1)
        return part


def test_a_model_that_reads_packed_responses_otherwise_is_refused(adapted, preferences):
    packing.check_packing(adapted.policy, adapted.packed(preferences))
    with pytest.raises(ValueError, match="packed and .* alone"):
        packing.check_packing(adapted.policy, adapted.packed(preferences, RunOn))


def test_no_training_begins_when_packing_is_read_otherwise(
    adapted, preferences, tmp_path, smoke, monkeypatch
):
    monkeypatch.setattr(packing, "PackingCollator", RunOn)
    with pytest.raises(ValueError, match="packed and .* alone"):
        adapted.trained(preferences, tmp_path, smoke)
    assert not (tmp_path / "adapter").exists()
