"""Trainings in one and in two processes, which are started as `accelerate launch` starts them."""

import multiprocessing
import os
import socket
import traceback

import numpy as np
import pandas as pd
import pytest
import torch
from datasets import load_from_disk
from safetensors.torch import load_file

from inbol_lib import params, paths
from inbol_lib.mllm import loading
from inbol_lib.training import ca_dpo, idk_it


def prefer(folder, tiny, start, rows):
    """Train on preferences."""
    p = params.load("smoke").replace(batch_size=4, dpo_learning_rate=0.003, lora_dropout=0.0)
    model, processor = loading.load(str(tiny), device="cpu")
    cache = paths.runs() / "reference"
    ca_dpo.train(p, model, processor, load_from_disk(rows), folder, start, cache)


def instruct(folder, tiny, rows):
    """Train on instructions."""
    p = params.load("smoke").replace(batch_size=6, learning_rate=0.003, shuffle="pictures")
    model, processor = loading.load(str(tiny), device="cpu")
    idk_it.train(p, model, processor, load_from_disk(rows), folder)


def place(environment, errors, train, arguments):
    """Be one of the processes: take its environment, then train; what goes wrong is written."""
    os.environ.clear()
    os.environ.update(environment)
    torch.set_num_threads(1)
    try:
        train(*arguments)
    except BaseException:
        errors.write_text(traceback.format_exc())
        raise


@pytest.fixture(scope="module")
def processes():
    """Starts processes as copies of one that has loaded the libraries and done nothing else.

    They are as good as new ones, and six of them need not load PyTorch six times.
    """
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([ca_dpo.__name__, idk_it.__name__])
    return context.Process


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_in_processes(processes, n, train, arguments, runs):
    """Train in `n` processes on the CPU, each in the environment that `accelerate launch` gives."""
    common = {
        "WORLD_SIZE": str(n),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "ACCELERATE_USE_CPU": "true",
        "INBOL_RUNS": str(runs),
    }
    started = []
    for rank in range(n):
        own = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        errors = runs.with_name(f"{runs.name}-errors-of-{rank}-of-{n}")
        given = (dict(os.environ) | common | own, errors, train, arguments)
        started.append((processes(target=place, args=given), errors))
        started[-1][0].start()
    for process, errors in started:
        process.join(timeout=300)
        assert process.exitcode == 0, errors.read_text() if errors.exists() else "killed, or stuck"


def test_two_processes_train_as_one(processes, adapted, preferences, tmp_path):
    rows = tmp_path / "rows"
    preferences.save_to_disk(rows)
    adapters, references = [], []
    for n in (1, 2):
        folder, own_runs = tmp_path / str(n), tmp_path / f"runs{n}"
        given = (folder, adapted.name, adapted.folder, rows)
        run_in_processes(processes, n, prefer, given, own_runs)
        adapters.append(load_file(folder / "adapter" / "adapter_model.safetensors"))
        references.append(np.load(next((own_runs / "reference").glob("*.npy"))))
    one, two = adapters
    assert all(torch.allclose(one[name], two[name], rtol=1e-3, atol=1e-5) for name in one)
    begun = load_file(adapted.folder / "adapter_model.safetensors")
    assert any(not torch.allclose(one[name], begun[name], atol=1e-3) for name in one)
    assert np.allclose(references[0], references[1], rtol=1e-5, atol=1e-5)


def test_two_processes_learn_from_instructions_as_one(
    processes, adapted, instructions, tmp_path, runs
):
    """The mean is over the tokens of both, though each has responses of other lengths."""
    rows = tmp_path / "rows"
    instructions.save_to_disk(rows)
    histories = []
    for n in (1, 2):
        run_in_processes(processes, n, instruct, (tmp_path / str(n), adapted.name, rows), runs)
        histories.append(pd.read_csv(tmp_path / str(n) / "history.csv"))
    one, two = histories
    for name in ("loss", "entropy", "mean_token_accuracy", "grad_norm"):
        assert np.allclose(one[name], two[name], rtol=1e-3), name
