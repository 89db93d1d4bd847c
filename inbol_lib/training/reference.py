"""TODO."""

import hashlib
import json
import os
from pathlib import Path

import numpy as np
import torch
from accelerate import Accelerator
from accelerate.utils import gather_object, send_to_device
from datasets import Image
from transformers import PreTrainedModel

from inbol_lib.training.packing import PackingCollator, parts, response_logps
from inbol_lib.training.picture_features import Features


def fingerprint(collator: PackingCollator, start: Path, model: PreTrainedModel) -> str:
    """A hash of all that the reference's log-probabilities rest on: the start adapter, tokens, pictures, precision and batches."""
    digest = hashlib.sha256(f"{model.dtype} {model.device.type} {collator.token_budget}".encode())
    for file in sorted(start.glob("adapter_*")):
        digest.update(file.read_bytes())
    for item in collator.items:
        digest.update(json.dumps([item["prompt_ids"], item["responses"]]).encode())
    for row in collator.rows.select_columns("image").cast_column("image", Image(decode=False)):
        digest.update(row["image"]["bytes"])
    return digest.hexdigest()[:16]


@torch.no_grad()
def add_reference(
    model: PreTrainedModel,
    collator: PackingCollator,
    start: Path,
    accelerator: Accelerator,
    features: Features | None = None,
    cache: Path | None = None,
) -> None:
    """Write the frozen start model's log-probabilities into every item as `reference`, shape (3,). They are computed once, shared by the
    processes, and kept in `cache` (a folder, None: not kept) for every training on the same rows from the same start, such as the variants of Table 4."""
    kept = cache and cache / f"{fingerprint(collator, start, model)}.npy"
    if kept and kept.is_file():
        found = np.load(kept)
    else:
        mine = list(parts(collator.lengths, collator.token_budget))[
            accelerator.process_index :: accelerator.num_processes
        ]
        read = (send_to_device(collator.read(group), model.device) for group in mine)
        done = [
            (group, response_logps(model, part, features).float().cpu().numpy())
            for group, part in zip(mine, read, strict=True)
        ]
        done = gather_object(done)
        found = np.concatenate([rows for _, rows in done])[
            np.argsort(np.concatenate([group for group, _ in done]))
        ]
        if kept and accelerator.is_main_process:
            kept.parent.mkdir(parents=True, exist_ok=True)
            np.save(unfinished := kept.with_suffix(f".{os.getpid()}.npy"), found)
            unfinished.replace(kept)
    for item, row in zip(collator.items, found, strict=True):
        item["reference"] = row
