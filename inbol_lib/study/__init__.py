"""The study as a graph of stages: what each is made from, where it lies, and how it is run.

Imports every room of the method, never `report`. Every notebook opens its stage here; `inbol run`
and the Snakefile start them, and so does Python:

    from inbol_lib import study

    made = study.run("evaluation", profile="micro", beta=0.3)
    made.metrics, made.outcomes, made.folder
"""

import json
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:  # a plan of the graph must load fast, without these
    import pandas as pd

    from inbol_lib.params import Params


@dataclass(frozen=True)
class Artefact:
    """What a stage has made.

    Attributes
    ----------
    stage
        The stage's name.
    params
        The parameters that made it.
    folder
        Where its files lie.
    """

    stage: str
    params: "Params" = field(repr=False)
    folder: Path

    @cached_property
    def metrics(self) -> dict[str, Any]:
        """The stage's numbers, as metrics.json holds them."""
        return json.loads((self.folder / "metrics.json").read_text())

    @cached_property
    def outcomes(self) -> "pd.DataFrame":
        """An evaluation's outcomes: one row per question, method and seed.

        Raises
        ------
        ParameterError
            If the stage is no evaluation.
        """
        return self.table("outcomes")

    def table(self, name: str) -> "pd.DataFrame":
        """Return a table of the artefact without its pictures.

        Parameters
        ----------
        name
            The name of a Parquet or CSV file in the folder, without its ending.

        Raises
        ------
        ParameterError
            If there is no such table; the message lists those that there are.
        """
        import pandas as pd  # here, because the graph must load fast without it
        import pyarrow.parquet as parquet

        from inbol_lib.errors import ParameterError  # here, as the others

        file = self.folder / f"{name}.parquet"
        if file.is_file():
            columns = [column for column in parquet.read_schema(file).names if column != "image"]
            return pd.read_parquet(file, columns=columns)
        if file.with_suffix(".csv").is_file():
            return pd.read_csv(file.with_suffix(".csv"))
        there = sorted(path.stem for path in self.folder.iterdir() if path.suffix in _TABLES)
        raise ParameterError(
            f"{self.stage} has no table {name!r}; it has {', '.join(there) or 'none'}"
        )


_TABLES = (".parquet", ".csv")


def run(stage: str, profile: "str | Path" = "smoke", **changes: Any) -> Artefact:
    """Return a stage's artefact; it is made first, after all that it needs, where it is missing.

    Parameters
    ----------
    stage
        The stage, number or name of a notebook: "evaluation", "06" or "06_evaluation".
    profile
        A YAML file, or the name of one under params/.
    **changes
        Parameters that differ from the profile.

    Returns
    -------
    Artefact

    Raises
    ------
    ParameterError
        If anything is asked wrongly; the message says what is allowed.
    StudyError
        If something stopped a notebook.

    Examples
    --------
    >>> from inbol_lib import study
    >>> study.run("06", profile="micro", beta=-1)
    Traceback (most recent call last):
    ...
    inbol_lib.errors.ParameterError: beta: given -1 (int); Input should be greater than 0
    """
    from inbol_lib import params  # here, because the modules of this room import this one
    from inbol_lib.study import graph, running  # as above

    name, p = running.stage_of(stage), params.load(profile, **changes)
    running.check_dataset(name, p)
    graph.check_endpoint(name, p)
    return Artefact(name, p, running.made_and_shown(name, p))
