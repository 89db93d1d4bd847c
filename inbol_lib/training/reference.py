"""The reference of DPO: the log-probabilities of the frozen start model, computed once.

The reference never changes during a training, so one pass before it takes the place of a second
model in every step.
"""

import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from transformers import PreTrainedModel

from inbol_lib.data.files import whole
from inbol_lib.mllm.picture_features import Features
from inbol_lib.training.packing import PackingCollator, response_logps


def fingerprint(collator: PackingCollator, start: Path, model: PreTrainedModel) -> str:
    """Return a hash of everything that the reference's log-probabilities depend on.

    That is the start adapter, tokens, pictures, precision, kind of device and size of the batches.
    The original model is not hashed: its name is part of the adapter's configuration.
    """
    digest = hashlib.sha256(f"{model.dtype} {model.device.type} {collator.token_budget}".encode())
    for file in sorted(start.glob("adapter_*")):
        digest.update(file.read_bytes())
    for item in collator.items:
        digest.update(json.dumps([item["prompt_ids"], item["responses"]]).encode())
    for key in collator.pictures.keys:
        digest.update(key)
    return digest.hexdigest()[:16]


def add_reference(
    model: PreTrainedModel,
    collator: PackingCollator,
    start: Path,
    accelerator: Accelerator,
    features: Features | None = None,
    cache: Path | None = None,
) -> None:
    """Add the start model's log-probabilities to every item of the collator.

    Each item gets `reference`, an array of shape (3,) in nats (`response_logps`).

    Parameters
    ----------
    model : PreTrainedModel
        The policy before its first step, in evaluation mode.
    collator : PackingCollator
        Its items are changed in place.
    start : Path
        Folder of the adapter that the policy starts from; part of the key of the cache.
    accelerator : Accelerator
        Its processes share the work.
    features : Features, optional
        Keeps the features of pictures for the training.
    cache : Path, optional
        Folder that keeps the numbers for other trainings on the same rows from the same start, such
        as the variants of Table 4. By default, nothing is kept.
    """
    kept = cache / f"{fingerprint(collator, start, model)}.npy" if cache else None
    if kept and kept.is_file():
        logps = np.load(kept)
    else:
        logps = reference_logps(model, collator, accelerator, features)
        if kept and accelerator.is_main_process:
            _save(logps, kept)
    for item, row in zip(collator.items, logps, strict=True):
        item["reference"] = row


@torch.no_grad()
def reference_logps(
    model: PreTrainedModel,
    collator: PackingCollator,
    accelerator: Accelerator,
    features: Features | None = None,
) -> np.ndarray:
    """Compute the log-probabilities of all responses, shared by the processes.

    Parameters
    ----------
    model, collator, accelerator, features
        As in `add_reference`.

    Returns
    -------
    numpy.ndarray, shape (questions, 3)
        In nats and in the order of the collator's items, the same in every process.
    """
    groups = collator.groups(range(len(collator.items)))
    done = []
    for trees in groups[accelerator.process_index :: accelerator.num_processes]:
        part = send_to_device(collator.read_trees(trees), model.device)
        numbers = [number for tree in trees for number in tree]
        done.append((numbers, response_logps(model, part, features).float().cpu().numpy()))
    done = gather_object(done)
    order = np.argsort(np.concatenate([numbers for numbers, _ in done]))
    return np.concatenate([logps for _, logps in done])[order]


def _save(array: np.ndarray, file: Path) -> None:
    """Write a file, whole or not at all."""
    with whole(file) as unfinished, unfinished.open("wb") as opened:
        np.save(opened, array)
