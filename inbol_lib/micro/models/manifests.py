"""What a folder of weights says about itself: `manifest.json`."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path


def sha256(folder: Path) -> str:
    """Return the hash of a model folder's weights."""
    return hashlib.sha256((folder / "model.safetensors").read_bytes()).hexdigest()


def write(folder: Path, manifest: Mapping[str, object]) -> None:
    """Write a manifest beside the weights that it describes."""
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n")
