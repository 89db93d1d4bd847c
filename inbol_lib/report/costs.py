"""TODO."""

import json
from pathlib import Path
from typing import Any

from inbol_lib.params import Params
from inbol_lib.study import experiments, graph
from inbol_lib.study.plan import job, shape


def minutes(artefact: Path) -> float:
    """How long papermill took over an artefact, NaN where its notebook is not there."""
    book = artefact / "notebook.ipynb"
    return (
        json.loads(book.read_text())["metadata"]["papermill"]["duration"] / 60
        if book.is_file()
        else float("nan")
    )


def costs(p: Params) -> list[dict[str, Any]]:
    """What each part of a study took beyond the parts above it: part, jobs, questions and tokens (upper bounds, as `job` counts them) and
    minutes of one process (measured)."""
    sweeps = {
        "Tables 5 and 6": experiments.generator_cells(p), "Fig. 10": experiments.threshold_cells(p),
        "Fig. 11": [*experiments.share_cells(p), *experiments.ratio_cells(p)], "growth with data": experiments.size_cells(p),
        "samples behind the confidence": experiments.sample_cells(p),
    }  # fmt: skip
    parts = {
        "Tables 1 to 3, Figs. 4 and 12": experiments.main_cells(p),
        "Table 4 and the controls of eq. 6": experiments.table4_cells(p),
    }
    parts |= {name: experiments.over_seeds(cells) for name, cells in sweeps.items()}
    wanted = {
        name: [("evaluation", c) for c in cells] for name, cells in parts.items() if cells
    } | {"Table 7": [("probing", p)]}
    seen, rows = {}, []
    for name, wants in wanted.items():
        needed = {path: one for want in wants for path, one in graph.plan(*want).items()}
        new = [one for path, one in needed.items() if path not in seen]
        seen |= needed
        asked = [(work, shape(work.model)) for one in new for work in job(*one)[0]]
        rows.append({"part": name, "jobs": len(new), "questions": sum(w.questions for w, _ in asked),
                     "tokens": sum(w.tokens(size) + w.questions * w.said for w, size in asked),
                     "minutes": sum(minutes(graph.path(*one)) for one in new)})  # fmt: skip
    return rows
