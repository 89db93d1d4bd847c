"""TRL's own trainers end in the same place.

On known and unknown questions CA-DPO is ordinary DPO; IDK-IT is supervised fine-tuning.
"""

import math

import pytest
import torch
from datasets import Dataset
from trl import DPOConfig, DPOTrainer, SFTConfig, SFTTrainer

from inbol_lib.mllm import chat
from inbol_lib.training import collating, idk_it, lora, packing, preference_loss
from inbol_lib.training.passes.pictures import file_keys
from inbol_lib.training.steps import picture_order


def stock_rows(processor, rows, kind):
    """The rows of one kind as TRL wants them."""
    chosen, rejected = (packing.RESPONSES[number] for number in preference_loss.PAIRS[kind][0])
    eos = processor.tokenizer.eos_token
    return [
        {
            "image": row["image"],
            "prompt": chat.chat_prompt(processor, row["prompt"]),
            "chosen": f" {row[chosen]}{eos}",
            "rejected": f" {row[rejected]}{eos}",
        }
        for row in rows
    ]


@pytest.mark.parametrize("kind", ["known", "unknown"])
def test_known_and_unknown_questions_are_trl_s_sigmoid_dpo(
    adapted, preferences, tmp_path, smoke, kind
):
    """TRL's trainer, collator and reference adapter on the same questions, from the same start."""
    policy, processor = adapted.policy, adapted.processor
    rows = preferences.filter(lambda row: row == kind, input_columns="kind")
    batch = adapted.packed(rows).read(list(range(len(rows))))
    with torch.no_grad():
        reference = packing.response_logps(policy, batch)
    plain = stock_rows(processor, rows, kind)
    fresh = adapted.fresh_policy()
    stock = DPOTrainer(
        model=fresh,
        args=DPOConfig(**lora.arguments(smoke, fresh, tmp_path, 0.1), beta=0.2),
        processing_class=processor,
        train_dataset=Dataset.from_list(plain),
    )
    for model in (policy, fresh):
        adapted.shift(model, seed=1)
    with torch.no_grad():
        theirs = stock.data_collator([dict(row) for row in plain])
        theirs = stock.compute_loss(stock.model.eval(), theirs).item()
        logps = packing.response_logps(policy, batch)
        margin = preference_loss.margins(logps, reference, batch["kinds"])
        ours = preference_loss.ca_dpo_loss(margin, torch.rand(len(rows)), 0.2).mean().item()
    assert abs(theirs - math.log(2)) > 1e-2
    assert ours == pytest.approx(theirs, rel=1e-5)


def adapter_weights(model, prefix=""):
    return {f"{prefix}{n}": w for n, w in model.named_parameters() if ".default." in n}


def distance(first, second):
    return sum((first[name] - second[name]).norm() ** 2 for name in second).sqrt()


@pytest.mark.parametrize("kind", ["known", "unknown"])
def test_a_whole_training_ends_where_trl_s_ends(adapted, preferences, tmp_path, smoke, kind):
    p = smoke.replace(batch_size=2, dpo_learning_rate=0.003, epochs=4.0, beta=0.2, lora_dropout=0.0)
    rows = preferences.filter(
        lambda row: (row == "known") == (kind == "known"), input_columns="kind"
    ).remove_columns("kind")
    rows = rows.add_column("kind", [kind] * len(rows))
    _, model = adapted.trained(rows, tmp_path / "ours", p)
    fresh = adapted.fresh_policy()
    arguments = lora.arguments(p, fresh, tmp_path / "theirs", p.dpo_learning_rate)
    DPOTrainer(
        model=fresh,
        args=DPOConfig(**arguments, beta=p.beta),
        processing_class=adapted.processor,
        train_dataset=Dataset.from_list(stock_rows(adapted.processor, rows, kind)),
    ).train()
    ours = adapter_weights(model, prefix="base_model.model.")
    theirs, begun = adapter_weights(fresh), adapter_weights(adapted.policy)
    moved = distance(theirs, begun)
    assert moved > 0.1
    assert distance(ours, theirs) < 1e-3 * moved


@pytest.mark.parametrize("shuffle", ["questions", "pictures"])
def test_idk_it_logs_and_learns_what_trl_s_trainer_does(
    adapted, instructions, tmp_path, smoke, shuffle
):
    """TRL's loss, entropy, accuracy and gradient norm on the same batches, all to rounding."""
    p = smoke.replace(batch_size=6, learning_rate=0.003, epochs=3.0, shuffle=shuffle)
    model, processor = adapted.fresh(), adapted.processor
    ours = idk_it.train(p, model, processor, instructions, tmp_path / "ours")
    stock = adapted.fresh()
    items = collating.examples(processor, instructions)
    trainer = SFTTrainer(
        model=stock,
        args=SFTConfig(**lora.arguments(p, stock, tmp_path / "theirs", p.learning_rate)),
        peft_config=lora.lora_config(p, stock),
        processing_class=processor,
        train_dataset=collating.numbered(instructions),
        data_collator=collating.Collator(items, instructions, processor),
    )
    order = picture_order(p, file_keys(instructions))
    if order is not None:
        trainer._get_train_sampler = lambda *_: order
    trainer.train()
    theirs = lora.logged_history(trainer)
    for name in ("loss", "entropy", "mean_token_accuracy", "grad_norm", "learning_rate"):
        assert ours[name].tolist() == pytest.approx(theirs[name].tolist(), rel=1e-3), name
    learned, expected = adapter_weights(model), adapter_weights(stock)
    assert distance(learned, expected) < 1e-2 * sum(w.norm() ** 2 for w in expected.values()).sqrt()
