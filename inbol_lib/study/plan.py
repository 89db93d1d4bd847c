"""What a profile costs before it is paid for: jobs, questions, tokens, operations, disk, GPU hours.

inbol plan --profile llava-1.5-7b --gpu a100
inbol plan --profile micro --only heatmaps -p num_pairs=9000 --json

Nothing is loaded or downloaded. Hours follow from measured throughput (figures/bench_gpu.json,
written by `python tests/bench.py --gpu`), scaled by the peaks of the GPUs and by FLOP, or from an
assumed share of the peak where nothing was measured; the last column says which. Counts are upper
bounds: classes may fall short, and benchmarks may hold fewer questions. Not counted are endpoints,
a judge's work, attention's own products (1 % at 600 tokens) and starting each notebook.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from inbol_lib import paths
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.study import graph, running
from inbol_lib.study.forecast import work
from inbol_lib.study.forecast.model_sizes import SHAPES, shape
from inbol_lib.study.forecast.work import ASSUMED

#: dense bfloat16 peak in TFLOP/s (data sheets)
GPUS = {"h200": 989, "h100": 989, "a100": 312, "l40s": 362, "rtx4090": 165, "a10g": 70, "l4": 121}
BENCH = paths.ROOT / "figures" / "bench_gpu.json"
#: the model whose throughput was measured
BENCHED = "llava-hf/llava-1.5-7b-hf"
#: kind of work -> its key among the measurements
MEASURED = {
    "sampling": "sampling_questions_s",
    "idk_it": "idk_it_questions_s",
    "ca_dpo": "ca_dpo_sdpa_questions_s",
}
#: kilobytes of a stored picture
MICRO_PICTURE_KB, PHOTOGRAPH_KB = 9, 150
#: the columns that are added up
SUMS = ("jobs", "questions", "prompt_tokens", "said_tokens", "pflop", "gb", "hours")


class Speed(NamedTuple):
    """FLOP/s of a kind of work on a GPU, and how that is known."""

    flop_per_s: float
    basis: str


def speed(kind: str, gpu: str, bench: Path = BENCH) -> Speed:
    """Return how fast a GPU does a kind of work.

    Parameters
    ----------
    kind
        "sampling", "idk_it" or "ca_dpo".
    gpu
        A key of `GPUS`.
    bench
        The file of measurements, which may be missing.

    Returns
    -------
    Speed
        Measured on this GPU, measured on another one and scaled by peak, or assumed.
    """
    found = json.loads(bench.read_text()) if bench.is_file() else {}
    measured_on = _known_gpu(str(found.get("device", "")))
    if measured_on is None or MEASURED[kind] not in found:
        share = ASSUMED[kind]
        return Speed(GPUS[gpu] * 1e12 * share, f"assumed {share:.0%} of the peak")
    said = work.LEARNED.get(kind, 10 * work.SAID)
    one_question = work.Work(kind, BENCHED, 1, said).flop(SHAPES[BENCHED])
    rate = found[MEASURED[kind]] * one_question * GPUS[gpu] / GPUS[measured_on]
    if measured_on == gpu:
        return Speed(rate, "measured")
    return Speed(rate, f"measured on {found['device']}, scaled by peak")


def _known_gpu(device: str) -> str | None:
    """Return the GPU in `GPUS` that a device's full name contains, or None."""
    name = device.lower().replace(" ", "")
    contained = [gpu for gpu in GPUS if gpu in name]
    return max(contained, key=len, default=None)


def plan(p: Params, gpu: str, only: str = "paper_vs_ours", bench: Path = BENCH) -> dict[str, Any]:
    """Return the cost of all jobs that `only` needs and of the tour, by stage and in total.

    Parameters
    ----------
    p
        The profile.
    gpu
        A key of `GPUS`.
    only
        A stage.
    bench
        The file of measurements, which may be missing.

    Returns
    -------
    dict
        "profile", "gpu", "stages" (a row for each, in the notebooks' order) and "total". A row's
        "gb" counts 10^9 bytes and "pflop" 10^15 operations.

    Raises
    ------
    ParameterError
        If the GPU or the size of a model is not known.
    """
    if gpu not in GPUS:
        raise ParameterError(f"no GPU {gpu!r}; known are {', '.join(GPUS)}")
    rows: dict[str, dict[str, Any]] = {}
    for stage, job_params in (graph.plan(only, p) | graph.plan("tour", p)).values():
        row = rows.setdefault(stage, _empty_row(stage))
        before = {name for name, _ in graph.dependencies(stage, job_params)}
        row["after"] = sorted({*row["after"], *before}, key=list(graph.NOTEBOOKS).index)
        _add_job(row, job_params, gpu, bench)
    table = [rows[stage] for stage in graph.NOTEBOOKS if stage in rows]
    total = {key: sum(row[key] for row in table) for key in SUMS}
    return {"profile": p.profile, "gpu": gpu, "stages": table, "total": total}


def _empty_row(stage: str) -> dict[str, Any]:
    return {"stage": stage, "after": [], **dict.fromkeys(SUMS, 0), "speed": ""}


def _add_job(row: dict[str, Any], p: Params, gpu: str, bench: Path) -> None:
    """Add what one job costs to the row of its stage."""
    asked, pictures = work.of_job(row["stage"], p)
    pflop = hours = 0
    for one in asked:
        size = shape(one.model)
        rate, row["speed"] = speed(one.kind, gpu, bench)
        row["questions"] += one.questions
        row["prompt_tokens"] += one.tokens(size)
        row["said_tokens"] += one.questions * one.said
        pflop += one.flop(size) / 1e15
        hours += one.flop(size) / rate / 3600
    row["jobs"] += 1
    row["pflop"] += pflop
    row["gb"] += _stored_bytes(row["stage"], p, pictures) / 1e9
    row["hours"] += hours


def _stored_bytes(stage: str, p: Params, pictures: int) -> int:
    """Return the size of a training's adapter (32-bit floats), or of a table's pictures."""
    if stage in work.LEARNED:
        return 4 * p.lora_rank * shape(p.model).lora
    return 1000 * pictures * (MICRO_PICTURE_KB if p.dataset == "micro" else PHOTOGRAPH_KB)


def text(made: dict[str, Any]) -> str:
    """Return a plan as a table for people."""
    total = {**_empty_row("total"), **made["total"]}
    table = pd.DataFrame([*made["stages"], total])
    table["after"] = table.after.map(", ".join)
    shown = table.to_string(index=False, formatters=dict.fromkeys(SUMS, _number), line_width=200)
    return f"{made['profile']} on one {made['gpu']}\n{shown}"


def _number(value: float) -> str:
    return f"{value:,.2f}" if isinstance(value, float) else f"{value:,}"


def parser() -> argparse.ArgumentParser:
    """Return the parser of `inbol plan`."""
    made = argparse.ArgumentParser(
        "inbol plan", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    running.add_profile_options(made)
    made.add_argument("--gpu", default="h200", help=f"{', '.join(GPUS)} (default: h200)")
    made.add_argument(
        "--only", default="paper_vs_ours", help="a stage: plan it and what it needs (default: all)"
    )
    made.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print the plan that `argv` asks for (default: the process's arguments).

    Returns
    -------
    int
        0, or 2 if something was asked wrongly, which is then printed.
    """
    args = parser().parse_args(argv)
    try:
        made = plan(running.profile_of(args), args.gpu, running.stage_of(args.only))
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    print(json.dumps(made, indent=1) if args.json else text(made))
    return 0


if __name__ == "__main__":
    sys.exit(main())
