"""Shared by all tests.

Quiet, offline, artefacts in a folder of their own, and a tiny random LLaVA.
"""

import gc
import os

os.environ.update(
    CI="1",
    HF_HUB_OFFLINE="1",
    TOKENIZERS_PARALLELISM="false",
    HF_DATASETS_DISABLE_PROGRESS_BARS="1",
)

import shutil
import subprocess
from pathlib import Path

import pytest
import torch

from inbol_lib import params
from inbol_lib.data.templates import REFUSAL_PROMPT, REFUSAL_TEMPLATES
from inbol_lib.micro.models import architecture

torch.set_num_threads(1)
gc.disable()  # until all is imported: libraries are no garbage, and to search them takes seconds
SHARED = Path(__file__).resolve().parents[2] / "shared" / "data"
#: Files whose tests take longest, as `--durations` shows; no process is left alone with one of them
#: at the end when they begin first.
LONGEST = (
    "test_site",
    "test_architecture_notebooks",
    "test_linear_time",
    "test_patterns",
    "test_kills",
    "test_kernels",
    "test_endpoint_faults",
    "test_processes",
    "test_figures",
    "test_finished_study",
    "test_architectures",
    "test_bench_recipes",
    "test_packing",
    "test_stages",
    "test_from_python",
    "test_terminal",
    "test_reviewing",
    "test_pinning",
    "test_illustrations",
    "test_against_trl",
    "test_bench",
)


def pytest_collection_modifyitems(items):
    """Begin with the longest files; within a file, and of all others, the order stays."""
    place = {name: index for index, name in enumerate(LONGEST)}
    items.sort(key=lambda item: place.get(item.path.stem, len(place)))


def pytest_collection_finish():
    """Search for garbage again, but not in what the libraries have made."""
    gc.enable()
    gc.freeze()


@pytest.fixture(scope="session")
def tiny(tmp_path_factory):
    """(model, processor, folder).

    Random weights of the smallest size, saved in the Hugging Face format.
    """
    from inbol_lib.mllm import loading

    folder = tmp_path_factory.mktemp("models") / "tiny"
    texts = [
        *REFUSAL_TEMPLATES,
        REFUSAL_PROMPT,
        "USER: What color is the circle? ASSISTANT: red green blue",
    ] * 3
    tokenizer = architecture.train_tokenizer(texts, 400)
    net = architecture.build("tiny", tokenizer)
    with torch.no_grad():
        net.lm_head.weight.mul_(20)  # sharp enough that rounding never changes a choice
    net.save_pretrained(folder)
    architecture.processor(tokenizer).save_pretrained(folder)
    model, processor = loading.load(str(folder), device="cpu")
    return model, processor, folder


@pytest.fixture
def smoke():
    return params.load("smoke")


@pytest.fixture
def runs(tmp_path, monkeypatch):
    """An empty runs folder."""
    monkeypatch.setenv("INBOL_RUNS", str(tmp_path / "runs"))
    return tmp_path / "runs"


@pytest.fixture
def reviews(tmp_path, monkeypatch):
    """An empty folder of decisions about unanswerable questions."""
    monkeypatch.setenv("INBOL_REVIEWS", str(tmp_path / "reviews"))
    return tmp_path / "reviews"


@pytest.fixture
def full_disk(tmp_path):
    """A function that fills a disk of 1 MB up to so many free bytes, and returns its folder."""
    folder = tmp_path / "disk"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", folder]
    if subprocess.run(command, capture_output=True).returncode:
        pytest.skip("only root may mount a small disk")

    def fill(free):
        (folder / "filling").write_bytes(bytes(shutil.disk_usage(folder).free - free))
        return folder

    yield fill
    subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def read_only(tmp_path):
    """A function that makes a folder's disk one that nobody can write to, whoever it is."""
    mounted = []

    def protect(folder):
        bound = ["mount", "--bind", folder, folder], ["mount", "-o", "remount,ro,bind", folder]
        for command in bound:
            if subprocess.run(command, capture_output=True).returncode:
                pytest.skip("only root may mount a folder")
            mounted[:] = [folder]
        return folder

    yield protect
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.fixture
def shared():
    """Real files in their real formats; a test that needs them is skipped where they are not."""
    if not SHARED.is_dir():
        pytest.skip("the folder of real data files beside the project does not exist")
    return SHARED
