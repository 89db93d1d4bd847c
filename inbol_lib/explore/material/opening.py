"""Artefacts or published outcomes: which of them a view shows."""

import pandas as pd

from inbol_lib.errors import ParameterError
from inbol_lib.explore.material import artefacts, published
from inbol_lib.explore.material.books import Book
from inbol_lib.params import Params


def published_or_not(view: str, stage: str, p: Params, wanted: bool | None, here: bool) -> bool:
    """Return whether a view shows the published outcomes.

    Parameters
    ----------
    view : str
        Name of the view, for the message.
    stage : str
        The stage whose artefact it needs.
    p : Params
    wanted : bool or None
        What the caller asked for; None takes artefacts where they are, else what is published,
        and says so.
    here : bool
        Whether the artefacts are there.

    Raises
    ------
    ParameterError
        When there is neither.
    """
    if wanted or (wanted is None and here):
        return bool(wanted)
    error = artefacts.missing(view, stage, p)
    if here:
        return False
    if wanted is False or not published.there():
        raise error
    cell = published.parameters(p)  # raises where this model and seed are not published
    print(
        f"No artefacts of {p.profile} yet (`{artefacts.command(stage, p)}` makes them): "
        f"these are the published outcomes of {cell.profile}."
    )
    return True


def book(p: Params, wanted: bool | None) -> Book:
    """Return what `explore.records` browses.

    Raises
    ------
    ParameterError
        When there are neither artefacts nor published outcomes of `p`.
    """
    own = None if wanted else artefacts.opened(p)
    if published_or_not("records", "evaluation", p, wanted, own is not None):
        return published.opened(p)
    return own


def outcomes(view: str, p: Params, wanted: bool | None) -> tuple[Params, pd.DataFrame, str]:
    """Return the outcomes of the model of `p` under every training seed that is there.

    Returns
    -------
    p : Params
        The parameters behind them.
    outcomes : pd.DataFrame
        Outcome table of one model and of seeds that have all methods alike.
    note : str
        Where they come from.

    Raises
    ------
    ParameterError
        When there are none.
    """
    own = [] if wanted else _of_seeds(p)
    if not published_or_not(view, "evaluation", p, wanted, bool(own)):
        seeds = sorted({int(table.seed.iloc[0]) for table in own})
        return p, pd.concat(own, ignore_index=True), _note("artefacts", p, seeds)
    cell = published.parameters(p)
    tables, seeds = [], []
    for seed in cell.seeds:
        try:
            tables.append(published.outcomes(published.parameters(cell.replace(seed=seed))))
            seeds.append(seed)
        except ParameterError:  # other models have fewer seeds
            continue
    return cell, pd.concat(tables, ignore_index=True), _note("published outcomes", cell, seeds)


def _of_seeds(p: Params) -> list[pd.DataFrame]:
    """Return the outcomes of every seed of `p`, its own first, if that one is there."""
    seeds = [p.seed, *(seed for seed in p.seeds if seed != p.seed)]
    tables = [artefacts.outcomes(p.replace(seed=seed)) for seed in seeds]
    return [table for table in tables if table is not None] if tables[0] is not None else []


def _note(what: str, p: Params, seeds: list[int]) -> str:
    listed = ", ".join(map(str, seeds))
    return f"{what} of {p.profile}, {p.model}, seed{'s' * (len(seeds) > 1)} {listed}"
