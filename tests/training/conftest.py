"""Rows to train on, a policy to start from, and callbacks for trainings that are killed."""

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pytest
import torch
from datasets import Dataset
from peft import PeftModel, get_peft_model
from transformers import PreTrainedModel, ProcessorMixin, TrainerCallback

from inbol_lib.data.records import prompt_text
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.micro import world
from inbol_lib.mllm import loading
from inbol_lib.params import Params
from inbol_lib.training import ca_dpo, lora, packing


@pytest.fixture(scope="module")
def instructions() -> Dataset:
    """24 questions of the micro world; a third of the responses are refusals."""
    rows = world.questions("vqav2", "train", 24)
    meta = rows.remove_columns("image").to_list()
    responses = [row["answers"][0] if i % 3 else REFUSAL_TEMPLATES[i] for i, row in enumerate(meta)]
    table = rows.select_columns(["image"])
    table = table.add_column("prompt", [prompt_text(row) for row in meta])
    return table.add_column("response", responses)


@pytest.fixture(scope="module")
def preferences() -> Dataset:
    """12 questions of the micro world: known, mixed, unknown, mixed, and so on."""
    rows = world.questions("vqav2", "train", 12)
    meta = rows.remove_columns("image").to_list()
    columns = {
        "prompt": [prompt_text(row) for row in meta],
        "kind": ["known", "mixed", "unknown", "mixed"] * 3,
        "confidence": [0.9, 0.4, 0.0, 0.7] * 3,
        "correct": [row["answers"][0] for row in meta],
        "incorrect": ["no", "a green box"] * 6,
        "refusal": list(REFUSAL_TEMPLATES[:12]),
    }
    table = rows.select_columns(["image"])
    for name, values in columns.items():
        table = table.add_column(name, values)
    return table


@dataclass
class Adapted:
    """A small model with a LoRA adapter that is not zero, and what the tests do with it."""

    policy: PeftModel
    processor: ProcessorMixin
    folder: Path  # of the adapter

    @property
    def name(self) -> str:
        """Name or folder of the original model."""
        return self.policy.base_model.model.name_or_path

    def fresh(self) -> PreTrainedModel:
        """The original model, loaded once more."""
        return loading.load(self.name, device="cpu")[0]

    def fresh_policy(self) -> PeftModel:
        """The model with its adapter, loaded once more, ready for training."""
        return PeftModel.from_pretrained(self.fresh(), self.folder, is_trainable=True)

    def packed(self, rows: Dataset, make=packing.PackingCollator) -> packing.PackingCollator:
        """A collator of preference rows."""
        return make(ca_dpo.items(self.processor, rows), rows, self.processor)

    def trained(
        self, rows: Dataset, folder: Path, p: Params, callbacks=None, cache: Path | None = None
    ) -> tuple[pd.DataFrame, PreTrainedModel]:
        """The history of CA-DPO from the adapter, and the model that it has trained."""
        model = self.fresh()
        history = ca_dpo.train(
            p, model, self.processor, rows, folder, self.folder, cache, callbacks
        )
        return history, model

    @staticmethod
    def shift(policy: PeftModel, seed: int) -> None:
        """Move the trainable weights at random, the same way for the same seed."""
        generator = torch.Generator().manual_seed(seed)
        with torch.no_grad():
            for name, weight in policy.named_parameters():
                if ".default." in name:
                    weight.add_(0.05 * torch.randn(weight.shape, generator=generator))


@pytest.fixture
def adapted(tiny, smoke, tmp_path, runs, request) -> Adapted:
    """The tiny model (or the one asked for) with an adapter, saved in tmp_path/start."""
    name = getattr(request, "param", "tiny")
    model, processor = loading.load(str(tiny[2]) if name == "tiny" else name, device="cpu")
    policy = get_peft_model(model, lora.lora_config(smoke, model))
    Adapted.shift(policy, seed=0)
    policy.save_pretrained(tmp_path / "start")
    return Adapted(policy.eval(), processor, tmp_path / "start")


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


@pytest.fixture
def kill() -> Kill:
    """A callback that ends a training at step 7, after a checkpoint at step 5."""
    return Kill()


@pytest.fixture
def count() -> Count:
    """A callback that counts the steps of a training."""
    return Count()
