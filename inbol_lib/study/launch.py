"""What `accelerate launch` runs: a training in several processes or on several machines."""

from pathlib import Path

from inbol_lib.data.records import load_table
from inbol_lib.mllm import loading
from inbol_lib.params import Params
from inbol_lib.study import stages
from inbol_lib.training import ca_dpo, idk_it


def train(stage: str, p: Params) -> Path:
    """Run the training of notebook 04 or 05 without the notebook.

    Every process of `accelerate launch` calls it; params/accelerate/ has configurations. The
    notebook, run afterwards, resumes from the last step and so has nothing left to train.

    Parameters
    ----------
    stage
        "idk_it" or "ca_dpo".
    p
        The parameters of the stage.

    Returns
    -------
    Path
        The artefact's folder, which is not complete yet.
    """
    work = stages.open(stage, p)
    composition = work.upstream("composition")
    if stage == "ca_dpo":
        rows = load_table(composition / "preferences.parquet")
        start = work.upstream("idk_it") / "adapter"
        ca_dpo.train(p, *loading.load(p.model), rows, work.folder, start, work.cache)
    else:
        rows = load_table(composition / f"instructions_{p.tuning}.parquet")
        idk_it.train(p, *loading.load(p.model), rows, work.folder)
    return work.folder
