"""Where things are, whatever the kernel's working directory."""

import os
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PUBLISHED = "micro-full"  # the profile whose results the README shows
NOTEBOOKS, PARAMS = ROOT / "notebooks", ROOT / "params"
WEIGHTS = Path(__file__).resolve().parent / "micro" / "weights"  # the packaged models


def runs() -> Path:
    """The folder of artefacts: `runs/`, or wherever INBOL_RUNS points."""
    return Path(os.environ.get("INBOL_RUNS") or ROOT / "runs").resolve()


def figures(profile: str) -> Path:
    """Where notebook 09 writes: `figures/` for the profile that the README shows, else a folder in it; for smoke one under `runs()`."""
    return {"smoke": runs() / "figures-smoke", PUBLISHED: ROOT / "figures"}.get(
        profile, ROOT / "figures" / profile
    )
