"""Large inputs: how long they take, and how much memory.

    python tests/load.py                   # everything at full size: some ten minutes
    python tests/load.py score journal     # only these
    python tests/load.py --share 0.01      # a hundredth of the rows

Each case runs in a process of its own, whose time and highest memory are measured and compared
with its bounds. The explorer's case (100,000 records, 500 interactions) is in
tests/explore/test_browsing.py.
"""

import argparse
import json
import os
import re
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from subprocess import PIPE
from typing import Any, NamedTuple
from unittest import mock

import numpy as np
import pandas as pd
from datasets import Dataset
from PIL import Image

from inbol_lib import params, paths
from inbol_lib.boundary import composition
from inbol_lib.data import folder, records
from inbol_lib.evaluation import intervals, metrics
from inbol_lib.mllm.journal import Journal

GIB = 2**30


class Case(NamedTuple):
    """What is measured, at which size, and its bounds.

    `make` gets an empty folder and the size, and returns what `run` is given; `run` alone is timed.
    """

    make: Callable[[Path, int], Any]
    run: Callable[[Any], None]
    size: int
    seconds: float
    gib: float


def responses(place: Path, size: int) -> Path:
    """Write responses of many kinds to questions about many pictures."""
    said = ("red", "The answer is blue.", "I cannot tell from the picture.", "a red ring", "7")
    rows = place / "responses.jsonl"
    with rows.open("w") as file:
        for i in range(size):
            right = ["red"] if i % 3 else []
            row = {"id": i, "question": f"What color is number {i}?", "response": said[i % 5]}
            row |= {"answers": right, "source": f"set {i % 10}", "image_id": f"picture {i // 4}"}
            file.write(json.dumps(row) + "\n")
    return rows


def score(rows: Path) -> None:
    """Score a file of responses: `inbol score`."""
    command = [sys.executable, "-m", "inbol_lib", "score", str(rows)]
    told = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert json.loads(told)["overall"]["n"] > 0


def standard_records(place: Path, size: int) -> tuple[Dataset, Dataset]:
    """Return answerable and unanswerable records, that many in all."""
    answerable = size * 9 // 10
    return _records(answerable), _records(size - answerable, answerable=False)


def compose(made: tuple[Dataset, Dataset]) -> None:
    """Compose instructions and preference pairs of the paper's sizes."""
    answerable, unanswerable = made
    p = params.load("micro-full", short_class="shrink")
    idk, sft, _ = composition.instructions(answerable, unanswerable, p)
    pairs, counts = composition.preferences(answerable, unanswerable, p)
    assert len(idk) == len(sft) <= p.num_instructions
    assert len(pairs) <= counts["pairs"] <= p.num_pairs


def _records(size: int, answerable: bool = True) -> Dataset:
    """Return standard records of three sources, evenly over all levels of confidence."""
    picture = {"bytes": b"not opened", "path": None}
    numbers = np.arange(size)
    texts = [str(number) for number in numbers]
    columns = {
        "id": texts,
        "image": [picture] * size,
        "image_id": [str(number // 3) for number in numbers],
        "question": [f"What is on picture {number // 3}, {number % 3}?" for number in numbers],
        "answers": [["red"] if answerable else []] * size,
        "choices": [[]] * size,
        "source": [("vqav2", "oven", "scienceqa")[number % 3] for number in numbers],
        "split": ["train"] * size,
        "group": texts,
        "accepted": [["red"] if answerable else []] * size,
        "responses": [["red", "blue"]] * size,
        "verdicts": [["correct", "incorrect"]] * size,
        "confidence": (numbers // 3 % 11 / 10) * answerable,
        "correct": ["red"] * size,
        "incorrect": ["blue"] * size,
        "refusal": ["I do not know."] * size,
        "origin": ["" if answerable else "generated"] * size,
    }
    return Dataset.from_dict(columns, features=records.RECORD_FEATURES)


def outcomes(place: Path, size: int) -> pd.DataFrame:
    """Return outcomes of five methods, that many in all."""
    rng = np.random.default_rng(0)
    per_method = size // 5
    return pd.DataFrame(
        {
            "method": np.repeat([f"method {i}" for i in range(5)], per_method),
            "image_id": np.tile([str(i // 3) for i in range(per_method)], 5),
            "id": np.tile([str(i) for i in range(per_method)], 5),
            "seed": 0,
            "outcome": rng.choice(["correct", "incorrect", "refusal"], 5 * per_method),
            "answerable": True,
            "source": "vqav2",
        }
    )


def evaluate(table: pd.DataFrame) -> None:
    """Compute all metrics, and the intervals of s_trust."""
    assert len(metrics.summary(table, ["method"])) == 5
    for _, part in table.groupby("method"):
        lo, hi = intervals.interval(part, statistic="s_trust")
        assert lo < hi


def pictures(place: Path, size: int) -> tuple[Path, int]:
    """Write a folder of one's own data with that many pictures."""
    (place / "images").mkdir()
    with (place / "questions.jsonl").open("w") as file:
        for i in range(size):
            colour = (i % 256, i // 256 % 256, i // 65536)
            Image.new("RGB", (8, 8), colour).save(place / f"images/{i}.png", compress_level=1)
            row = {"id": str(i), "image": f"images/{i}.png", "question": "?", "answers": ["red"]}
            file.write(json.dumps(row) + "\n")
    return place, size


def check(made: tuple[Path, int]) -> None:
    """Check a folder's pictures, and open none of them twice."""
    place, size = made
    with mock.patch.object(Image, "open", wraps=Image.open) as opening:
        assert len(folder.check(place)) == size
    assert opening.call_count <= size, f"{opening.call_count:,} openings"


def cells(place: Path, size: int) -> list[str]:
    """Return the words that ask for a sweep with that many cells."""
    betas = ",".join(f"{(i + 1) / 1000:g}" for i in range(max(1, size // 10)))
    return [f"beta={betas}", f"seed={','.join(map(str, range(10)))}"]


def plan(grid: list[str]) -> None:
    """Let Snakemake plan a sweep, on this machine: no cluster is waited for."""
    command = [sys.executable, "-m", "snakemake", "-n", "--quiet", "all", "--config"]
    command += ["profile=smoke", "only=ca_dpo", f"grid={json.dumps(grid)}"]
    with tempfile.TemporaryDirectory() as runs:
        environment = {**os.environ, "INBOL_RUNS": runs, "SLURM_CONF": os.devnull}
        subprocess.run(command, env=environment, cwd=paths.ROOT, check=True)


def journal(place: Path, size: int) -> Path:
    """Write a journal with that many answers."""
    file = place / "journal.jsonl"
    with file.open("w") as lines:
        for i in range(size):
            key = f"{i:064x}"
            answer = ["I cannot tell from the picture."]
            lines.write(json.dumps({"key": key, "first": 0, "texts": answer}) + "\n")
    return file


def reopen(file: Path) -> None:
    """Read all answers of a journal."""
    assert len(Journal(file).answers()) > 0


CASES = {
    "score": Case(responses, score, 1_000_000, 90, 2),
    "compose": Case(standard_records, compose, 1_000_000, 300, 4),
    "evaluate": Case(outcomes, evaluate, 1_000_000, 300, 4),
    "pictures": Case(pictures, check, 100_000, 300, 4),
    "sweep": Case(cells, plan, 1_000, 30, 4),
    "journal": Case(journal, reopen, 1_000_000, 20, 4),
}


def measured(name: str, size: int) -> tuple[float, float]:
    """Run a case in a process of its own; return its seconds and its highest memory in GiB."""
    command = [sys.executable, __file__, "--inside", name, str(size)]
    environment = {**os.environ, "PYTHONPATH": str(paths.ROOT), "CI": "1"}
    told = subprocess.run(command, check=True, env=environment, stdout=PIPE, text=True)
    seconds, gib = json.loads(told.stdout.splitlines()[-1])
    return seconds, gib


def inside(name: str, size: int) -> None:
    """Run a case here, and print what `measured` reads."""
    case = CASES[name]
    with tempfile.TemporaryDirectory() as place:
        made = case.make(Path(place), size)
        start = time.monotonic()
        case.run(made)
        seconds = time.monotonic() - start
    print(json.dumps([seconds, _highest_memory()]))


def _highest_memory() -> float:
    """Return the most GiB that this process or one of its children had at a time."""
    status = Path("/proc/self/status").read_text()  # getrusage would count what started this one
    own = int(re.search(r"VmHWM:\s+(\d+) kB", status)[1])
    children = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    return max(own, children) * 1024 / GIB


def main() -> int:
    """Measure the cases that are named, or all; return 1 if a bound is broken."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", metavar="case", help=", ".join(CASES))
    parser.add_argument("--share", type=float, default=1.0, help="of each case's size")
    given = parser.parse_args()
    broken = 0
    for name in given.cases or CASES:
        case = CASES[name]
        size = max(1, int(case.size * given.share))
        seconds, gib = measured(name, size)
        fine = seconds <= case.seconds and gib <= case.gib
        broken += not fine
        bounds = f"at most {case.seconds:.0f} s and {case.gib:.0f} GiB"
        print(f"{name}: {size:,} in {seconds:.1f} s, {gib:.2f} GiB ({bounds})", flush=True)
    return int(broken > 0)


if __name__ == "__main__":
    if sys.argv[1:2] == ["--inside"]:
        inside(sys.argv[2], int(sys.argv[3]))
    else:
        sys.exit(main())
