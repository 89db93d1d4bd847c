"""What `accelerate launch` runs: a training in several processes, or on several machines (params/accelerate/)."""

from pathlib import Path

from inbol_lib.data.records import load_table
from inbol_lib.mllm import loading
from inbol_lib.params import Params
from inbol_lib.study import stages
from inbol_lib.training import ca_dpo, idk_it


def train(stage: str, p: Params) -> Path:
    """The training of 04 or 05 without its notebook, for the processes of `accelerate launch` (params/accelerate/). The notebook, run
    afterwards, resumes from the last step, which leaves it nothing to train. Returns the artefact's folder, not yet complete."""
    work = stages.open(stage, p)
    rows = load_table(
        work.upstream("composition")
        / ("preferences.parquet" if stage == "ca_dpo" else f"instructions_{p.tuning}.parquet")
    )
    if stage == "ca_dpo":
        start = work.upstream("idk_it") / "adapter"
        ca_dpo.train(p, *loading.load(p.model), rows, work.folder, start, work.cache)
    else:
        idk_it.train(p, *loading.load(p.model), rows, work.folder)
    return work.folder
