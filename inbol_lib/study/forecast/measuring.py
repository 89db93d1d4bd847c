"""How long this machine takes for the first questions: a process of its own, which frees its model.

`python -m inbol_lib.study.forecast.measuring` reads parameters as JSON on standard input, and
writes a `Pace` as JSON on standard output.
"""

import json
import subprocess
import sys
import time
from typing import NamedTuple

from inbol_lib.params import Params

#: questions that are measured
FIRST = 50


class Pace(NamedTuple):
    """What the first questions took.

    Attributes
    ----------
    questions
        How many were sampled and judged, `num_samples` responses each; at most `FIRST`.
    seconds
        What that took.
    start
        Seconds before, in which libraries and the model were loaded; every stage takes as long.
    """

    questions: int
    seconds: float
    start: float


def pace(p: Params) -> Pace | None:
    """Measure the first training questions, None where that fails; the run itself says why then."""
    command = [sys.executable, "-m", "inbol_lib.study.forecast.measuring"]
    done = subprocess.run(command, input=p.model_dump_json(), capture_output=True, text=True)
    if done.returncode:
        return None
    return Pace(**json.loads(done.stdout.splitlines()[-1]))


def _measured(p: Params, begun: float) -> Pace:
    """Sample and judge the first training questions in this process, as notebook 01 does."""
    import torch  # here, as all that follows: the parent process needs none of it

    from inbol_lib.boundary.confidence import estimate  # loads torch
    from inbol_lib.mllm import loading  # loads torch
    from inbol_lib.study import question_pools  # loads datasets

    torch.set_num_threads(1)
    rows = question_pools.pool(p.replace(train_questions=FIRST), "train")[0]
    model, processor = loading.load(p.model, precision=p.precision)
    estimate(p, model, processor, rows.select([0]))  # the judge is loaded, and all is warm
    ready = time.monotonic()
    estimate(p, model, processor, rows)
    return Pace(len(rows), time.monotonic() - ready, ready - begun)


if __name__ == "__main__":
    print(json.dumps(_measured(Params(**json.load(sys.stdin)), time.monotonic())._asdict()))
