"""What `accelerate launch` runs: a training in several processes, or on several machines (params/accelerate/)."""

from pathlib import Path

from inbol_lib import ca_dpo, idk_it, models, stages
from inbol_lib.params import Params
from inbol_lib.records import load_table


def train(stage: str, p: Params) -> Path:
    """The training of 04 or 05 without its notebook, for the processes of `accelerate launch` (params/accelerate/). The notebook, run
    afterwards, resumes from the last step, which leaves it nothing to train. Returns the artefact's folder, not yet complete."""
    work = stages.open(stage, p)
    rows = load_table(work.upstream("composition") / ("preferences.parquet" if stage == "ca_dpo" else f"instructions_{p.tuning}.parquet"))
    if stage == "ca_dpo":
        ca_dpo.train(p, *models.load(p.model), rows, work.folder, work.upstream("idk_it") / "adapter")
    else:
        idk_it.train(p, *models.load(p.model), rows, work.folder)
    return work.folder
