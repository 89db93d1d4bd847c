import os
import socket
import subprocess
import sys

import numpy as np
import pandas as pd
import torch
from safetensors.torch import load_file

SCRIPT = """
import sys
from pathlib import Path
from datasets import load_from_disk
from inbol_lib import params, paths
from inbol_lib.mllm import loading
from inbol_lib.training import ca_dpo

folder, tiny, start, rows = map(Path, sys.argv[1:])
p = params.load("smoke").replace(batch_size=4, dpo_learning_rate=0.003, lora_dropout=0.0)
model, processor = loading.load(str(tiny), device="cpu")
cache = paths.runs() / "reference"
ca_dpo.train(p, model, processor, load_from_disk(rows), folder, start, cache)
"""

INSTRUCTED = """
import sys
from pathlib import Path
from datasets import load_from_disk
from inbol_lib import params
from inbol_lib.mllm import loading
from inbol_lib.training import idk_it

folder, tiny, rows = map(Path, sys.argv[1:])
p = params.load("smoke").replace(batch_size=6, learning_rate=0.003, shuffle="pictures")
model, processor = loading.load(str(tiny), device="cpu")
idk_it.train(p, model, processor, load_from_disk(rows), folder)
"""


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def run_in_processes(n, command, runs):
    """Run the command as `accelerate launch` would, in `n` processes on the CPU."""
    common = {
        "WORLD_SIZE": str(n),
        "MASTER_ADDR": "127.0.0.1",
        "MASTER_PORT": str(free_port()),
        "ACCELERATE_USE_CPU": "true",
        "INBOL_RUNS": str(runs),
    }
    processes = []
    for rank in range(n):
        place = {"RANK": str(rank), "LOCAL_RANK": str(rank)}
        environment = os.environ | common | place
        processes.append(subprocess.Popen(command, env=environment, stderr=subprocess.PIPE))
    for process in processes:
        _, errors = process.communicate(timeout=300)
        assert process.returncode == 0, errors.decode()


def test_two_processes_train_as_one(adapted, preferences, tmp_path, runs):
    script, rows = tmp_path / "train.py", tmp_path / "rows"
    script.write_text(SCRIPT)
    preferences.save_to_disk(rows)
    adapters, references = [], []
    for n in (1, 2):
        folder, own_runs = tmp_path / str(n), tmp_path / f"runs{n}"
        command = [sys.executable, script, folder, adapted.name, adapted.folder, rows]
        run_in_processes(n, command, own_runs)
        adapters.append(load_file(folder / "adapter" / "adapter_model.safetensors"))
        references.append(np.load(next((own_runs / "reference").glob("*.npy"))))
    one, two = adapters
    assert all(torch.allclose(one[name], two[name], rtol=1e-3, atol=1e-5) for name in one)
    begun = load_file(adapted.folder / "adapter_model.safetensors")
    assert any(not torch.allclose(one[name], begun[name], atol=1e-3) for name in one)
    assert np.allclose(references[0], references[1], rtol=1e-5, atol=1e-5)


def test_two_processes_learn_from_instructions_as_one(adapted, instructions, tmp_path, runs):
    """The mean is over the tokens of both, though each has responses of other lengths."""
    script, rows = tmp_path / "train.py", tmp_path / "rows"
    script.write_text(INSTRUCTED)
    instructions.save_to_disk(rows)
    histories = []
    for n in (1, 2):
        command = [sys.executable, script, tmp_path / str(n), adapted.name, rows]
        run_in_processes(n, command, runs)
        histories.append(pd.read_csv(tmp_path / str(n) / "history.csv"))
    one, two = histories
    for name in ("loss", "entropy", "mean_token_accuracy", "grad_norm"):
        assert np.allclose(one[name], two[name], rtol=1e-3), name
