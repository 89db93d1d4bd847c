"""Fixtures of this room's tests."""

import os

import numpy as np
import pytest
import torch
from datasets import Dataset
from families import MAKERS, SIZES, taught
from filelock import FileLock
from PIL import Image

from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.mllm import loading


@pytest.fixture(scope="module", params=MAKERS)
def saved(request, tmp_path_factory):
    """(name, folder): a family's taught model and its processor in the Hugging Face format.

    Taught once, for all modules and all of pytest-xdist's workers, whose folders lie side by side.
    """
    own = tmp_path_factory.getbasetemp()
    common = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own
    folder = common / f"family-{request.param}"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            config, processor = MAKERS[request.param]()
            unfinished = tmp_path_factory.mktemp("unfinished")
            taught(config, processor).save_pretrained(unfinished)
            processor.save_pretrained(unfinished)
            unfinished.rename(folder)
    return request.param, folder


@pytest.fixture(scope="module")
def family(saved):
    """(name, a function that loads the model sharpened, processor)"""
    name, folder = saved
    _, processor = loading.load(str(folder), device="cpu")

    def fresh():
        model, _ = loading.load(str(folder), device="cpu")
        with torch.no_grad():  # sharp enough that places matter and rounding never changes a choice
            model.get_output_embeddings().weight.mul_(20)
            for name in loading.language_model_linear_names(model):
                model.get_submodule(name).weight.mul_(
                    10 if name.endswith(("q_proj", "k_proj")) else 1
                )
        return model

    return name, fresh, processor


@pytest.fixture(scope="module")
def rows():
    rng = np.random.default_rng(0)
    images = [
        Image.fromarray(rng.integers(0, 256, (h, w, 3), dtype=np.uint8)) for w, h in SIZES * 2
    ]
    said = {
        "correct": ["red"] * 8,
        "incorrect": ["a green box", "no"] * 4,
        "refusal": list(REFUSAL_TEMPLATES[:8]),
    }
    kinds = {
        "kind": ["mixed", "known", "unknown", "mixed"] * 2,
        "confidence": [0.4, 1.0, 0.0, 0.7] * 2,
    }
    prompts = ["What color is the circle?" + " red" * i for i in range(8)]
    return Dataset.from_dict(
        {"image": images, "prompt": prompts, "response": said["refusal"], **kinds, **said}
    )
