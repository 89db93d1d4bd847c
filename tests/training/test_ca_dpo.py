import math
import os
import socket
import subprocess
import sys

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from datasets import Dataset
from peft import PeftModel, get_peft_model
from safetensors.torch import load_file
from transformers import TrainerCallback
from trl import DPOConfig, DPOTrainer

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.micro import world
from inbol_lib.mllm import chat, loading
from inbol_lib.training import ca_dpo, collating, lora, packing, picture_features, preference_loss

KINDS = ["known", "mixed", "unknown", "mixed"]


@pytest.fixture(scope="module")
def preferences() -> Dataset:
    rows = world.questions("vqav2", "train", 12)
    meta = rows.remove_columns("image").to_list()
    columns = {"prompt": [prompt_text(r) for r in meta], "kind": [KINDS[i % 4] for i in range(12)],
               "confidence": [[0.9, 0.4, 0.0, 0.7][i % 4] for i in range(12)], "correct": [r["answers"][0] for r in meta],
               "incorrect": ["a green box" if i % 2 else "no" for i in range(12)], "refusal": list(REFUSAL_TEMPLATES[:12])}  # fmt: skip
    table = rows.select_columns(["image"])
    for name, values in columns.items():
        table = table.add_column(name, values)
    return table


@pytest.fixture
def adapted(tiny, smoke, tmp_path, runs, request):
    """(policy, processor, adapter folder): the tiny model (or the one asked for) with a LoRA adapter that is not zero."""
    name = getattr(request, "param", "tiny")
    model, processor = loading.load(str(tiny[2]) if name == "tiny" else name, device="cpu")
    policy = get_peft_model(model, lora.lora_config(smoke, model))
    shift(policy, seed=0)
    policy.save_pretrained(tmp_path / "start")
    return policy.eval(), processor, tmp_path / "start"


def shift(policy, seed):
    """Moves the trainable weights at random, the same way for the same seed."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, weight in policy.named_parameters():
            if ".default." in name:
                weight.add_(0.05 * torch.randn(weight.shape, generator=generator))


def trainable(policy):
    return {n: w for n, w in policy.named_parameters() if w.requires_grad}


def packed(processor, preferences):
    return packing.PackingCollator(ca_dpo.items(processor, preferences), preferences, processor)


def batch_of(collator, numbers=None):
    return collator.read(list(range(len(collator.items)) if numbers is None else numbers))


def alone(model, item, k, image):
    """Log-probability of one response in an ordinary sequence of its own."""
    ids = torch.tensor([item["prompt_ids"] + item["responses"][k]])
    logits = model(
        input_ids=ids, attention_mask=torch.ones_like(ids), pixel_values=image[None]
    ).logits
    n = len(item["responses"][k])
    return torch.log_softmax(logits[0, -n - 1 : -1], -1).gather(1, ids[0, -n:, None]).sum()


def unpacked(model, collator, batch):
    """`response_logps`, one sequence at a time."""
    images, rows = batch["model"]["pixel_values"], []
    for item, image in zip(collator.items, images, strict=True):
        rows.append(
            torch.stack(
                [
                    alone(model, item, k, image) if item["responses"][k] else torch.zeros(())
                    for k in range(3)
                ]
            )
        )
    return torch.stack(rows)


def test_packed_log_probabilities_equal_those_of_each_sequence(adapted, preferences):
    policy, processor, _ = adapted
    collator = packed(processor, preferences)
    batch = batch_of(collator)
    with torch.no_grad():
        ours, theirs = packing.response_logps(policy, batch), unpacked(policy, collator, batch)
    assert torch.allclose(ours, theirs, rtol=1e-5, atol=1e-5)
    assert (
        (ours != 0) == torch.tensor([[bool(r) for r in i["responses"]] for i in collator.items])
    ).all()


def test_padding_and_the_order_of_responses_change_nothing(adapted, preferences):
    policy, processor, _ = adapted
    collator = packed(processor, preferences)
    turned = packed(processor, preferences)
    for item in turned.items:
        item["responses"] = item["responses"][::-1]
    with torch.no_grad():
        together = packing.response_logps(policy, batch_of(collator))
        single = torch.cat(
            [
                packing.response_logps(policy, batch_of(collator, [i]))
                for i in range(len(preferences))
            ]
        )
        reverse = packing.response_logps(policy, batch_of(turned)).flip(1)
    assert torch.allclose(together, single, rtol=1e-5, atol=1e-5)
    assert torch.allclose(together, reverse, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize("adapted", ["tiny", "micro-s"], indirect=True)
def test_the_loss_and_lora_gradients_equal_those_of_separate_sequences(adapted, preferences):
    policy, processor, _ = adapted
    collator = packed(processor, preferences)
    batch = batch_of(collator)
    conf = np.array([i["confidence"] for i in collator.items])
    reference = 3 * torch.randn(len(preferences), 3, generator=torch.Generator().manual_seed(0))
    reference += unpacked(policy, collator, batch).detach()

    def loss_and_gradient(logps):
        policy.zero_grad()
        losses = []
        for row, ref, kind, c in zip(logps, reference, batch["kinds"], conf, strict=True):
            r = row - ref
            m = {
                "known": [r[0] - r[2]] * 2,
                "unknown": [r[2] - r[1]] * 2,
                "mixed": [r[0] - r[1], r[2] - r[1]],
            }[kind]
            losses.append(-(c * F.logsigmoid(0.1 * m[0]) + (1 - c) * F.logsigmoid(0.1 * m[1])))
        return finish(sum(losses) / len(losses))

    def finish(loss):
        loss.backward()
        return loss.item(), {n: w.grad.clone() for n, w in trainable(policy).items()}

    expected, theirs = loss_and_gradient(unpacked(policy, collator, batch))
    policy.zero_grad()
    margin = preference_loss.margins(
        packing.response_logps(policy, batch), reference, batch["kinds"]
    )
    weights = torch.tensor(
        preference_loss.pair_weights("ca_dpo", batch["kinds"], conf), dtype=torch.float32
    )
    loss, ours = finish(preference_loss.weighted_loss(margin, weights, 0.1).mean())
    assert loss == pytest.approx(expected, rel=1e-5)
    flat = [torch.cat([g.flatten() for g in side.values()]) for side in (ours, theirs)]
    assert (flat[0] - flat[1]).norm() / flat[1].norm() < 1e-5
    assert all((ours[n] - theirs[n]).norm() <= 1e-4 * theirs[n].norm() for n in theirs)


@pytest.mark.parametrize("kind", ["known", "unknown"])
def test_known_and_unknown_questions_are_trl_s_sigmoid_dpo(
    adapted, preferences, tmp_path, smoke, kind
):
    """TRL's own trainer, collator and reference adapter on the same questions, from the same start, at the same policy."""
    policy, processor, start = adapted
    rows = preferences.filter(lambda k: k == kind, input_columns="kind")
    collator = packed(processor, rows)
    batch = batch_of(collator)
    with torch.no_grad():
        reference = packing.response_logps(policy, batch)
    plain = stock_rows(processor, rows, kind)
    fresh = PeftModel.from_pretrained(
        loading.load(policy.base_model.model.name_or_path, device="cpu")[0],
        start,
        is_trainable=True,
    )
    config = DPOConfig(**lora.arguments(smoke, fresh, tmp_path, 0.1), beta=0.2)
    stock = DPOTrainer(
        model=fresh, args=config, processing_class=processor, train_dataset=Dataset.from_list(plain)
    )
    for model in (policy, fresh):
        shift(model, seed=1)
    with torch.no_grad():
        theirs = stock.compute_loss(
            stock.model.eval(), stock.data_collator([dict(r) for r in plain])
        ).item()
        margin = preference_loss.margins(
            packing.response_logps(policy, batch), reference, batch["kinds"]
        )
        ours = preference_loss.ca_dpo_loss(margin, torch.rand(len(rows)), 0.2).mean().item()
    assert abs(theirs - math.log(2)) > 1e-2
    assert ours == pytest.approx(theirs, rel=1e-5)


def stock_rows(processor, rows, kind):
    """The rows of one kind as TRL wants them."""
    chosen, rejected = (packing.RESPONSES[k] for k in preference_loss.PAIRS[kind][0])
    eos = processor.tokenizer.eos_token
    return [{"image": r["image"], "prompt": chat.chat_prompt(processor, r["prompt"]), "chosen": f" {r[chosen]}{eos}",
             "rejected": f" {r[rejected]}{eos}"} for r in rows]  # fmt: skip


@pytest.mark.parametrize("kind", ["known", "unknown"])
def test_a_whole_training_ends_where_trl_s_ends(adapted, preferences, tmp_path, smoke, kind):
    policy, processor, start = adapted
    p = smoke.replace(batch_size=2, dpo_learning_rate=0.003, epochs=4.0, beta=0.2, lora_dropout=0.0)
    rows = preferences.filter(
        lambda k: (k == "known") == (kind == "known"), input_columns="kind"
    ).remove_columns("kind")
    rows = rows.add_column("kind", [kind] * len(rows))
    _, model = trained(adapted, rows, tmp_path / "ours", p)
    ours = {f"base_model.model.{n}": w for n, w in model.named_parameters() if ".default." in n}
    fresh = PeftModel.from_pretrained(
        loading.load(policy.base_model.model.name_or_path, device="cpu")[0],
        start,
        is_trainable=True,
    )
    config = DPOConfig(
        **lora.arguments(p, fresh, tmp_path / "theirs", p.dpo_learning_rate), beta=p.beta
    )
    plain = Dataset.from_list(stock_rows(processor, rows, kind))
    DPOTrainer(model=fresh, args=config, processing_class=processor, train_dataset=plain).train()
    theirs, begun = (
        {n: w for n, w in side.named_parameters() if ".default." in n} for side in (fresh, policy)
    )
    moved = sum((theirs[n] - begun[n]).norm() ** 2 for n in theirs).sqrt()
    assert moved > 0.1
    assert sum((ours[n] - theirs[n]).norm() ** 2 for n in theirs).sqrt() < 1e-3 * moved


@pytest.mark.parametrize("budget", [256, 400])
def test_parts_of_a_batch_add_up_to_it(adapted, preferences, tmp_path, smoke, budget):
    p = smoke.replace(batch_size=6, dpo_learning_rate=0.003, epochs=5.0)
    whole, _ = trained(adapted, preferences, tmp_path / "whole", p)
    split, _ = trained(adapted, preferences, tmp_path / "split", p.replace(token_budget=budget))
    assert np.allclose(whole.loss, split.loss, rtol=1e-4)
    assert whole.loss.nunique() > 1


def test_parts_hold_alike_lengths_within_the_budget():
    lengths = [5, 90, 7, 6, 30, 31]
    groups = list(packing.parts(lengths, 64))
    assert groups == [[0, 3, 2], [4, 5], [1]]
    assert all(len(g) * max(lengths[i] for i in g) <= 64 for g in groups[:-1]), (
        "only an item that is too long alone may exceed it"
    )


def test_the_reference_is_computed_once_for_the_same_rows_and_start(
    adapted, preferences, tmp_path, smoke, runs, monkeypatch
):
    p = smoke.replace(batch_size=12)
    cache = runs / "reference"
    first, _ = trained(adapted, preferences, tmp_path / "first", p, cache=cache)
    (kept,) = (runs / "reference").glob("*.npy")
    calls, whole = [], packing.response_logps
    monkeypatch.setattr(packing, "response_logps", lambda *a: calls.append(1) or whole(*a))
    again, _ = trained(adapted, preferences, tmp_path / "again", p, cache=cache)
    q = p.replace(preference="dpo_2")
    variant, _ = trained(adapted, preferences, tmp_path / "variant", q, cache=cache)
    assert len(calls) == 2, "the two checks of packing alone"
    assert again.equals(first)
    assert not variant.equals(first)
    other = preferences.map(
        lambda row: (
            {"image": row["image"].rotate(90)} if row["prompt"] == preferences[0]["prompt"] else row
        )
    )
    trained(adapted, other, tmp_path / "other", p, cache=cache)
    assert len(list((runs / "reference").glob("*.npy"))) == 2


@pytest.mark.parametrize("limit", [0, 20_000, 2**30])
def test_kept_picture_features_change_nothing(adapted, preferences, limit):
    policy, processor, _ = adapted
    collator, features = packed(processor, preferences), picture_features.Features(limit)
    asked, tower = [], policy.get_image_features
    policy.get_image_features = lambda pixel_values: (
        asked.append(len(pixel_values)) or tower(pixel_values=pixel_values)
    )
    with torch.no_grad():
        plain = packing.response_logps(policy, batch_of(collator))
        for numbers in (range(0, 7), range(3, 12), range(0, 12)):
            reused = packing.response_logps(policy, batch_of(collator, numbers), features)
            assert torch.allclose(reused, plain[list(numbers)], rtol=1e-5, atol=1e-5)
    one = (
        tower(pixel_values=batch_of(collator, [0])["model"]["pixel_values"]).pooler_output[0].nbytes
    )
    kept = min(limit // one, 12)
    assert len(features.kept) == kept
    assert asked == ([7, 5] if kept == 12 else [7, 9 - max(kept - 3, 0), 12 - kept])


@pytest.mark.filterwarnings("ignore:flex_attention called without")
def test_flex_attention_reads_packed_responses_alike(adapted, preferences):
    policy, processor, _ = adapted
    batch = batch_of(packed(processor, preferences))
    with torch.no_grad(), torch.compiler.set_stance("force_eager"):
        dense = packing.response_logps(policy, batch)
        policy.base_model.model.model.language_model.set_attn_implementation("flex_attention")
        assert not torch.is_tensor(packing.block_mask(batch["segments"], policy))
        assert torch.allclose(packing.response_logps(policy, batch), dense, rtol=1e-5, atol=1e-5)


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


TWO = """
import sys
from pathlib import Path
from datasets import load_from_disk
from inbol_lib import params, paths
from inbol_lib.mllm import loading
from inbol_lib.training import ca_dpo
folder, tiny, start, rows = map(Path, sys.argv[1:])
p = params.load("smoke").replace(batch_size=4, dpo_learning_rate=0.003, lora_dropout=0.0)
ca_dpo.train(
    p, *loading.load(str(tiny), device="cpu"), load_from_disk(rows), folder, start, paths.runs() / "reference"
)
"""


def test_two_processes_train_as_one(adapted, preferences, tmp_path, runs):
    policy, _, start = adapted
    script, rows = tmp_path / "two.py", tmp_path / "rows"
    script.write_text(TWO)
    preferences.save_to_disk(rows)
    found = []
    for n in (1, 2):
        work = [
            sys.executable,
            script,
            tmp_path / str(n),
            policy.base_model.model.name_or_path,
            start,
            rows,
        ]
        common = {
            "WORLD_SIZE": str(n),
            "MASTER_ADDR": "127.0.0.1",
            "MASTER_PORT": str(free_port()),
            "ACCELERATE_USE_CPU": "true",
        }
        places = [
            common
            | {"RANK": str(k), "LOCAL_RANK": str(k), "INBOL_RUNS": str(tmp_path / f"runs{n}")}
            for k in range(n)
        ]
        ranks = [
            subprocess.Popen(work, env=os.environ | place, stderr=subprocess.PIPE)
            for place in places
        ]
        for rank in ranks:
            _, said = rank.communicate(timeout=300)
            assert rank.returncode == 0, said.decode()
        found.append(load_file(tmp_path / str(n) / "adapter" / "adapter_model.safetensors"))
    one, two = found
    assert all(torch.allclose(one[name], two[name], rtol=1e-3, atol=1e-5) for name in one)
    begun = load_file(start / "adapter_model.safetensors")
    assert any(not torch.allclose(one[name], begun[name], atol=1e-3) for name in one)
    a, b = (np.load(next((tmp_path / f"runs{n}" / "reference").glob("*.npy"))) for n in (1, 2))
    assert np.allclose(a, b, rtol=1e-5, atol=1e-5)


class RunOn(packing.PackingCollator):
    """Packs as if positions ran on from one response to the next."""

    def read(self, numbers):
        out = super().read(numbers)
        out["model"]["position_ids"] = torch.arange(out["model"]["input_ids"].shape[1])[
            None
        ].expand(len(numbers), -1)
        return out


def test_a_model_that_reads_packed_responses_otherwise_is_refused(adapted, preferences):
    policy, processor, _ = adapted
    packing.check_packing(policy, packed(processor, preferences))
    with pytest.raises(ValueError, match="packed and .* alone"):
        packing.check_packing(
            policy, RunOn(ca_dpo.items(processor, preferences), preferences, processor)
        )


def test_no_training_begins_when_packing_is_read_otherwise(
    adapted, preferences, tmp_path, smoke, monkeypatch
):
    monkeypatch.setattr(ca_dpo, "PackingCollator", RunOn)
    with pytest.raises(ValueError, match="packed and .* alone"):
        trained(adapted, preferences, tmp_path, smoke)
    assert not (tmp_path / "adapter").exists()


def test_bad_preferences_are_refused(preferences):
    row = preferences.remove_columns("image")[1]
    ca_dpo.check_rows([row])
    for change, message in (({"incorrect": " "}, "lacks its incorrect"), ({"kind": "easy"}, "known, unknown, mixed"),
                            ({"confidence": 1.2}, "between 0 and 1"), ({"confidence": float("nan")}, "between 0 and 1")):  # fmt: skip
        with pytest.raises(ValueError, match=message):
            ca_dpo.check_rows([{**row, **change}])
    ca_dpo.check_rows([{**row, "kind": "known", "incorrect": ""}])


def test_confidence_weighs_correct_over_incorrect_and_its_rest_refusal_over_incorrect():
    policy, reference = torch.tensor([[2.0, 0.0, -1.0]]), torch.zeros(1, 3)
    margin = preference_loss.margins(policy, reference, ["mixed"])
    assert margin.tolist() == [[2.0, -1.0]]
    sure, unsure = (
        preference_loss.ca_dpo_loss(margin, torch.tensor([c]), 1.0).item() for c in (1.0, 0.0)
    )
    assert sure == pytest.approx(math.log(1 + math.exp(-2)), abs=1e-6)
    assert unsure == pytest.approx(math.log(1 + math.exp(1)), abs=1e-6)
    assert preference_loss.ca_dpo_loss(margin, torch.tensor([0.3]), 1.0).item() == pytest.approx(
        0.3 * sure + 0.7 * unsure, abs=1e-6
    )
    inside = preference_loss.inside_loss(margin, torch.tensor([[0.3, 0.7]]), 1.0).item()
    assert inside == pytest.approx(math.log(1 + math.exp(0.1)), abs=1e-6)


def test_equal_policies_give_ln_2_whatever_the_confidence():
    assert torch.allclose(
        preference_loss.ca_dpo_loss(torch.zeros(5, 2), torch.linspace(0, 1, 5), 0.3),
        torch.full((5,), math.log(2)),
    )


def test_the_modes_weigh_mixed_questions_alone():
    kinds, conf = ["known", "mixed", "unknown", "mixed"], np.array([0.9, 0.3, 0.1, 0.6])
    expected = {
        "dpo_1": (0, 1),
        "dpo_2": (1, 0),
        "dpo_3": (1, 1),
        "ca_dpo_half": (0.5, 0.5),
        "ca_dpo": (0.3, 0.7),
    }
    for mode, pair in expected.items():
        weights = preference_loss.pair_weights(mode, kinds, conf)
        assert np.allclose(weights[1], pair), mode
        assert np.allclose(weights[[0, 2]].sum(1), 1), mode
    shuffled = preference_loss.pair_weights("ca_dpo_shuffled", kinds, conf, seed=1)
    assert sorted(shuffled[[1, 3], 0]) == [0.3, 0.6]
    with pytest.raises(ValueError, match="not a preference training"):
        preference_loss.pair_weights("sft", kinds, conf)


def trained(adapted, preferences, folder, p, callbacks=None, cache=None):
    _, processor, start = adapted
    model, _ = loading.load(adapted[0].base_model.model.name_or_path, device="cpu")
    return ca_dpo.train(p, model, processor, preferences, folder, start, cache, callbacks), model


@pytest.mark.parametrize("mode", ["ca_dpo", "dpo_1", "dpo_3", "ca_dpo_inside"])
def test_training_starts_at_ln_2_a_pair(adapted, preferences, tmp_path, smoke, mode):
    history, _ = trained(
        adapted,
        preferences,
        tmp_path / mode,
        smoke.replace(batch_size=12, dpo_learning_rate=0.01, preference=mode),
    )
    pairs = (
        1.5 if mode == "dpo_3" else 1
    )  # half of the questions are mixed, and dpo_3 gives these two whole pairs
    assert history.loss[0] == pytest.approx(pairs * math.log(2), abs=1e-5)
    assert {
        "accuracy",
        *(f"{m}/{k}" for m in ("margin", "accuracy") for k in preference_loss.PAIRS),
    } <= set(history)


def test_a_wrong_reference_stops_training(adapted, preferences, tmp_path, smoke):
    policy, processor, _ = adapted
    collator = packed(processor, preferences)
    for item in collator.items:
        item |= {"reference": np.zeros(3), "weights": np.array([0.5, 0.5])}
    config = DPOConfig(**lora.arguments(smoke, policy, tmp_path, 0.01))
    trainer = ca_dpo.CADPOTrainer(model=policy, args=config, processing_class=processor,
                                  train_dataset=collating.numbered(preferences), data_collator=collator)  # fmt: skip
    with pytest.raises(AssertionError, match="the reference is not the start model"):
        trainer.train()


def test_training_learns_the_preferences_and_the_saved_adapter_is_the_policy(
    adapted, preferences, tmp_path, smoke
):
    policy, processor, start = adapted
    p = smoke.replace(batch_size=4, dpo_learning_rate=0.003, epochs=4.0)
    history, live = trained(adapted, preferences, tmp_path / "dpo", p)
    again, _ = trained(adapted, preferences, tmp_path / "again", p)
    assert history.equals(again)
    assert history.loss.iloc[-1] < history.loss[0]
    saved, _ = loading.load(
        policy.base_model.model.name_or_path, tmp_path / "dpo" / "adapter", device="cpu"
    )
    batch = batch_of(packed(processor, preferences))
    with torch.no_grad():
        assert torch.allclose(
            packing.response_logps(saved, batch),
            packing.response_logps(live.eval(), batch),
            rtol=1e-4,
            atol=1e-4,
        )
        assert not torch.allclose(
            packing.response_logps(saved, batch), packing.response_logps(policy, batch), atol=0.1
        )


class Kill(TrainerCallback):
    """Keeps a checkpoint at step 5 and dies at step 7."""

    def on_step_end(self, args, state, control, **kwargs):
        if state.global_step == 7:
            raise KeyboardInterrupt
        control.should_save = state.global_step == 5
        return control


class Count(TrainerCallback):
    """Counts the steps that are really made."""

    steps = 0

    def on_step_end(self, args, state, control, **kwargs):
        self.steps += 1


def test_a_killed_training_resumes_to_the_same_end(adapted, preferences, tmp_path, smoke):
    p = smoke.replace(batch_size=1, dpo_learning_rate=0.01)
    whole, expected = trained(adapted, preferences, tmp_path / "whole", p)
    with pytest.raises(KeyboardInterrupt):
        trained(adapted, preferences, tmp_path / "killed", p, [Kill()])
    count = Count()
    resumed, got = trained(adapted, preferences, tmp_path / "killed", p, [count])
    assert count.steps == 7  # twelve, less the five that were kept
    assert len(whole) == 3
    assert resumed.equals(whole)
    assert all(
        torch.equal(a, b) for a, b in zip(expected.parameters(), got.parameters(), strict=True)
    )
