"""What a training keeps is whole, and the same for the same training."""

import os
import subprocess
import sys

import pytest
from transformers import TrainerState

from inbol_lib.training import ca_dpo, lora


def checkpoint(folder, step):
    """A folder as a trainer makes it, before the last of its files."""
    made = folder / f"checkpoint-{step}"
    made.mkdir()
    (made / "adapter_model.safetensors").touch()
    return str(made / "trainer_state.json")


def test_no_checkpoint_of_a_kill_during_saving_is_taken(tmp_path):
    assert lora.last_checkpoint(tmp_path) is None
    for step in (9, 10):
        TrainerState(global_step=step).save_to_json(checkpoint(tmp_path, step))
    torn = (tmp_path / "checkpoint-10" / "trainer_state.json").read_bytes()
    checkpoint(tmp_path, 11)
    for step, kept in enumerate([0, 1, len(torn) // 2, len(torn) - 2], 12):
        with open(checkpoint(tmp_path, step), "wb") as file:
            file.write(torn[:kept])
    assert lora.last_checkpoint(tmp_path).name == "checkpoint-10"


@pytest.mark.parametrize("free", [0, 4096])
def test_no_checkpoint_of_a_full_disk_is_taken(full_disk, free):
    disk = full_disk(64 * 1024)
    TrainerState(global_step=5).save_to_json(checkpoint(disk, 5))
    (disk / "filling").unlink()
    history = [{"loss": 0.5, "step": step} for step in range(1000)]
    last = checkpoint(disk, 6)
    full_disk(free)
    with pytest.raises(OSError, match="No space left"):
        TrainerState(global_step=6, log_history=history).save_to_json(last)
    assert lora.last_checkpoint(disk).name == "checkpoint-5"


SAVE = """
import sys
from pathlib import Path
from inbol_lib import params
from inbol_lib.mllm import loading
from inbol_lib.training import ca_dpo
model, _ = loading.load(sys.argv[1], device="cpu")
ca_dpo.untrained(params.load("smoke"), model, Path(sys.argv[2]))
"""


def test_an_adapter_is_the_same_files_in_every_process(tiny, tmp_path):
    """PEFT keeps the names of layers in sets, which have another order with another hash seed."""
    saved = []
    for seed in ("1", "2"):
        folder = tmp_path / seed
        env = {**os.environ, "PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, "-c", SAVE, tiny[2], folder], env=env, check=True)
        saved.append({file.name: file.read_bytes() for file in folder.glob("adapter_*")})
    assert len(saved[0]) == 2
    assert saved[0] == saved[1]


def test_a_torn_adapter_is_saved_anew(tiny, smoke, tmp_path):
    start = ca_dpo.untrained(smoke, tiny[0], tmp_path / "fresh")
    config = start / "adapter_config.json"
    whole = config.read_bytes()
    config.write_bytes(whole[:100])
    ca_dpo.untrained(smoke, tiny[0], start)
    assert config.read_bytes() == whole
