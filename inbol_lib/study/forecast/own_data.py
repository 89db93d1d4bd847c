"""What a run on a folder of one's own will do: its questions, and the minutes of each stage.

Counts are upper bounds, as those of `work`. Minutes follow from the pace of the first questions on
this machine and from the operations of each stage; a training uses a machine better than sampling
does, by the ratio that is assumed of GPUs.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from inbol_lib.data import folder
from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.study import graph
from inbol_lib.study.forecast import measuring, work
from inbol_lib.study.forecast.model_sizes import Shape, shape
from inbol_lib.study.question_pools import POOLS

#: questions below which nothing is long enough to be measured first
SHORT = 200
#: sizes of a model that are not known: what counts is the number of questions and tokens
UNKNOWN = Shape(language=1, vision=0, lora=1, image_tokens=576, patches=0)


class Counted(NamedTuple):
    """Questions and pictures of a split."""

    questions: int
    pictures: int


def counts(p: Params) -> dict[str, Counted]:
    """Return split -> its questions and pictures, of the folder that `p.dataset` names."""
    rows = folder.check(Path(p.dataset.partition(":")[2]))
    asked = Counter(row["split"] for row in rows)
    shown = {split: {row["image"] for row in rows if row["split"] == split} for split in asked}
    return {split: Counted(asked[split], len(shown[split])) for split in POOLS}


def check_pictures(p: Params) -> None:
    """Refuse a folder that has too few pictures for the unanswerable questions that are wanted.

    Raises
    ------
    ParameterError
        If questions are to be swapped between the pictures of a split, and it has only one.
    """
    alone = [split for split, there in counts(p).items() if there.pictures < 2]
    if alone and p.swap_share > 0:
        have = "has" if len(alone) == 1 else "have"
        raise ParameterError(
            f"{p.dataset}: {' and '.join(alone)} {have} one picture only, but unanswerable "
            "questions are made by swapping the pictures of a split; add pictures, or set "
            "swap_share to 0"
        )


def plan(stage: str, p: Params) -> Iterator[str]:
    """Say for people what a run will do on a folder, and how long each stage takes, line by line.

    Where there are many questions, a local model's first ones are sampled and judged for that.

    Parameters
    ----------
    stage, p
        What is wanted.
    """
    there = counts(p)
    yield f"{p.dataset}: {_questions(p, there)}"
    jobs = [*graph.missing(stage, p), (stage, p)]
    stages = list(dict.fromkeys(name for name, _ in jobs))
    yield f"to make: {', '.join(graph.NOTEBOOKS[name] for name in stages)}"
    if not _worth_measuring(p, stages, there):
        return
    yield f"measuring how long the first {measuring.FIRST} questions take:"
    pace = measuring.pace(p)
    if pace is None:
        yield "  that failed; the run itself will say why"
        return
    took = dict.fromkeys(stages, 0.0)
    for name, job in jobs:
        took[name] += seconds(name, _at_most(job, there), pace)
    for name, each in took.items():
        yield f"  {graph.NOTEBOOKS[name].replace('_', ' '):<28}{_minutes(each):>8}"
    per = f"{pace.questions} questions took {pace.seconds:.1f} s"
    yield f"  {'all of it, at most about':<28}{_minutes(sum(took.values())):>8}  ({per})"


def _questions(p: Params, there: dict[str, Counted]) -> str:
    """Say how many questions of each split are taken, and how many there are."""
    taken = []
    for split, counted in there.items():
        wanted = getattr(p, POOLS[split])
        more = f" of {counted.questions:,}" if counted.questions > wanted else ""
        fewer = f" (asked for: {wanted:,})" if counted.questions < wanted else ""
        taken.append(f"{min(wanted, counted.questions):,}{more} {split}{fewer}")
    pictures = sum(counted.pictures for counted in there.values())
    return f"{', '.join(taken)} questions on {pictures:,} pictures, {p.num_samples} answers each"


def _worth_measuring(p: Params, stages: list[str], there: dict[str, Counted]) -> bool:
    """Return whether a model in this process is about to be asked many questions."""
    asked = sum(min(there[split].questions, getattr(p, POOLS[split])) for split in POOLS)
    here = not p.model.startswith("endpoint:")
    return here and "confidence" in stages and asked >= SHORT


def _at_most(p: Params, there: dict[str, Counted]) -> Params:
    """Return parameters that ask for no more questions than there are."""
    pools = {
        name: max(1, min(getattr(p, name), there[split].questions)) for split, name in POOLS.items()
    }
    tested = max(1, min(p.test_per_source, there["test"].questions))
    return p.replace(**pools, test_per_source=tested)


def seconds(stage: str, p: Params, pace: measuring.Pace) -> float:
    """Return how long one job takes at the pace of the first questions.

    Parameters
    ----------
    stage, p
        The job.
    pace
        Of `measuring.pace`, with the same model and settings.
    """
    measured = work.Work("sampling", p.model, pace.questions, p.num_samples * work.said(p))
    rate = measured.flop(_shape(p.model)) / pace.seconds
    total = pace.start
    for one in work.of_job(stage, p).asked:
        better = work.ASSUMED[one.kind] / work.ASSUMED["sampling"]
        total += one.flop(_shape(one.model)) / (rate * better)
    return total


def _shape(model: str) -> Shape:
    try:
        return shape(model)
    except ParameterError:
        return UNKNOWN


def _minutes(seconds: float) -> str:
    return "< 1 min" if seconds < 60 else f"{seconds / 60:,.0f} min"
