"""Sweeps from a command line: every combination of some parameters' values."""

import itertools
from collections.abc import Iterable
from typing import Any

from inbol_lib.errors import ParameterError
from inbol_lib.params import Params
from inbol_lib.study import graph
from inbol_lib.values import read_value

#: parameters that decide what is studied, not how: a sweep over them is another study
FIXED = ("profile", "dataset")


def grid_of(words: Iterable[str]) -> dict[str, list[Any]]:
    """Read `beta=0.1,0.3,1` and `pair_ratio=[1,1,2],[1,1,1]` as parameter -> its values.

    Raises
    ------
    ParameterError
        If a word is no such thing, or names a parameter again.
    """
    grid: dict[str, list[Any]] = {}
    for word in words:
        key, equals, listed = word.partition("=")
        values = read_value(f"[{listed}]") if equals else None
        if not isinstance(values, list) or not values or None in values:
            raise ParameterError(f"--grid takes `parameter=value,value`, given {word!r}")
        if key in grid:
            raise ParameterError(f"--grid: {key} is given twice")
        grid[key] = values
    return grid


def cells(p: Params, grid: dict[str, list[Any]]) -> list[Params]:
    """Return the parameters of every cell of a grid, `p` alone for an empty one.

    Raises
    ------
    ParameterError
        If a key is no parameter, or may not be swept, or if a value is not allowed.
    """
    if fixed := [key for key in grid if key in FIXED]:
        raise ParameterError(f"--grid: {', '.join(fixed)} cannot be swept; give it with -f or -p")
    changes = [dict(zip(grid, values, strict=True)) for values in itertools.product(*grid.values())]
    made = [p.replace(**change) for change in changes]
    if len({str(cell) for cell in made}) < len(made):
        raise ParameterError(f"--grid: a value is given twice ({grid})")
    return made


def wanted(goal: str, p: Params, grid: dict[str, list[Any]]) -> list[graph.Job]:
    """Return what the Snakefile makes: a stage in every cell and, without a grid, the tour."""
    jobs = [(goal, cell) for cell in cells(p, grid)]
    return jobs if grid else [*jobs, ("tour", p)]
