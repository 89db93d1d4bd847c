"""What a study took: jobs, questions, tokens and minutes for each part of it."""

from pathlib import Path
from typing import Any

from inbol_lib.params import Params
from inbol_lib.study import experiments, graph
from inbol_lib.study.forecast.model_sizes import shape
from inbol_lib.study.forecast.work import of_job
from inbol_lib.study.terminal.jobs import minutes

Job = tuple[str, Params]  # a stage and its parameters


def costs(p: Params) -> list[dict[str, Any]]:
    """Return what each part of a study took beyond the parts above it.

    Returns
    -------
    list of dict
        part, jobs, questions, tokens (upper bounds, as `of_job` counts them) and minutes of one
        process, as measured.
    """
    done: set[Path] = set()
    rows = []
    for part, wanted in _parts(p).items():
        needed = {path: one for want in wanted for path, one in graph.plan(*want).items()}
        new = [one for path, one in needed.items() if path not in done]
        done |= set(needed)
        rows.append({"part": part, **_sums(new)})
    return rows


def _parts(p: Params) -> dict[str, list[Job]]:
    """Return the parts of a study in the order in which they are counted, without empty ones."""
    sweeps = {
        "Tables 5 and 6": experiments.generator_cells(p),
        "Fig. 10": experiments.threshold_cells(p),
        "Fig. 11": [*experiments.share_cells(p), *experiments.ratio_cells(p)],
        "growth with data": experiments.size_cells(p),
        "samples behind the confidence": experiments.sample_cells(p),
    }
    cells = {
        "Tables 1 to 3, Figs. 4 and 12": experiments.main_cells(p),
        "Table 4 and the controls of eq. 6": experiments.table4_cells(p),
        **{name: experiments.over_seeds(each) for name, each in sweeps.items()},
    }
    evaluated = {
        name: [("evaluation", cell) for cell in each] for name, each in cells.items() if each
    }
    return {**evaluated, "Table 7": [("probing", cell) for cell in experiments.probe_cells(p)]}


def _sums(jobs: list[Job]) -> dict[str, Any]:
    asked = [work for stage, p in jobs for work in of_job(stage, p).asked]
    tokens = sum(work.tokens(shape(work.model)) + work.questions * work.said for work in asked)
    return {
        "jobs": len(jobs),
        "questions": sum(work.questions for work in asked),
        "tokens": tokens,
        "minutes": sum(minutes(graph.path(stage, p)) for stage, p in jobs),
    }
