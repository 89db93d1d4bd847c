"""The end page of a run: what ran, what was reused, the minutes, and what to open first."""

import datetime
import math
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from jinja2 import Environment, StrictUndefined
from rich.console import Console
from rich.text import Text

from inbol_lib import progress
from inbol_lib.data.files import whole
from inbol_lib.params import Params
from inbol_lib.study import graph
from inbol_lib.study.terminal.jobs import DONE, REUSED, Seen
from inbol_lib.study.terminal.table import spelled

NAME = "report.html"
#: files that a page names
FIRST = 3
#: stage -> what is worth opening, best first; `OTHERS` follow
OPENED = {
    "confidence": ["records_train.parquet"],
    "unanswerable": ["records_train.parquet", "dropped.csv"],
    "composition": ["instructions_idk_it.parquet", "preferences.parquet"],
    "idk_it": ["history.csv"],
    "ca_dpo": ["history.csv"],
    "evaluation": ["table1_in_domain.md", "in_domain.png"],
    "heatmaps": ["fig10_thresholds.png", "fig11_composition.png"],
    "probing": ["table7_linear_probe.md", "fig_probe.png"],
    "paper_vs_ours": ["table1_in_domain.md", "claims.md"],
}
OTHERS = ["notebook.ipynb", "metrics.json", "params.json"]


@dataclass
class Page:
    """What is to be said at the end of a run.

    Attributes
    ----------
    title
        What ran.
    ran, reused
        Its jobs, by what became of them.
    took
        Seconds that the run took.
    first
        The files to open first.
    notices
        (stage's notebook, notice) of every job, reused ones included.
    """

    title: str
    ran: list[Seen]
    reused: list[Seen]
    took: float
    first: list[Path]
    notices: list[tuple[str, progress.Notice]]


def first_files(stage: str, p: Params) -> list[Path]:
    """Return up to three files of an artefact that are worth opening, those that exist."""
    folder = graph.path(stage, p)
    places = [folder]
    if stage == "paper_vs_ours":  # its tables and figures lie elsewhere
        places.insert(0, _figures(p))
    named = [place / name for name in OPENED.get(stage, []) for place in places]
    files = [file for file in [*named, *(folder / name for name in OTHERS)] if file.exists()]
    return files[:FIRST]


def _figures(p: Params) -> Path:
    from inbol_lib import paths  # here: only this page of all looks there

    return paths.figures(p.profile, p.dataset)


def page(stage: str, p: Params, jobs: dict[str, Seen], took: float) -> Page:
    """Return the end page of a run that has made a stage's artefact.

    Parameters
    ----------
    stage, p
        What was wanted.
    jobs
        The run's jobs, by name.
    took
        Seconds that the run took.
    """
    seen = list(jobs.values())
    said = [(_book(job), one) for job in seen for one in progress.notices(job.folder)]
    return Page(
        title=f"{graph.NOTEBOOKS[stage]}, profile {p.profile}, {p.model} on {p.dataset}",
        ran=[job for job in seen if job.state == DONE],
        reused=[job for job in seen if job.state == REUSED],
        took=took,
        first=first_files(stage, p),
        notices=said,
    )


def write(made: Page, folder: Path) -> Path:
    """Write a page as `report.html` into an artefact's folder, and return the file.

    Whatever comes from data is escaped, and nothing is loaded from elsewhere.
    """
    text = resources.files("inbol_lib.study.terminal").joinpath("page.html").read_text()
    environment = Environment(autoescape=True, undefined=StrictUndefined)
    environment.filters |= {"minutes": _minutes, "spelled": spelled, "book": _book}
    when = datetime.datetime.now().astimezone().strftime("%Y-%m-%d %H:%M %Z")
    with whole(folder / NAME) as unfinished:
        unfinished.write_text(
            environment.from_string(text).render(page=made, when=when, folder=folder)
        )
    return folder / NAME


def _minutes(job: Seen) -> str:
    return "–" if math.isnan(job.minutes) else f"{job.minutes:.1f}"


def _book(job: Seen) -> str:
    return graph.NOTEBOOKS[job.stage]


def show(made: Page, file: Path, terminal: Console) -> None:
    """Print a page: what ran and was reused, what is probably not as it was meant, what to open."""
    lines = [f"{len(made.ran)} made in {spelled(made.took)}, {len(made.reused)} reused"]
    lines += [f"WARNING ({book}): {one.text}" for book, one in made.notices if one.loud]
    terminal.print(Text("\n".join(lines)))
    places = ["Open first:", *(f"  {path}" for path in made.first), f"All of it: {file}"]
    terminal.print(Text("\n".join(places)), soft_wrap=True)  # so that they can be copied whole
