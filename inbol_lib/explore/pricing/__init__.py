"""Move the cost of a wrong answer, and see which method a user should want."""

from typing import TYPE_CHECKING

import pandas as pd

from inbol_lib.explore import material
from inbol_lib.explore.parts import plain_table, widgets_work
from inbol_lib.explore.pricing.gains import Resampled, ranking, test_sets
from inbol_lib.params import Params
from inbol_lib.report.plots.looks import label

if TYPE_CHECKING:
    from ipywidgets import VBox
    from pandas.io.formats.style import Styler

COSTS = (0.0, 1.0, 3.0, 9.0)  # of the plain table


def costs(p: Params, published: bool | None = None, static: bool | None = None) -> "VBox | Styler":
    """Move the cost of a wrong answer; the methods follow in the order of phi (`metrics.phi`).

    At a cost of 1 the gain is s_trust (paper, eq. 5).

    Parameters
    ----------
    p : Params
        Whose outcomes to show, under all of its seeds that are there.
    published : bool, optional
        As in `explore.records`; these have all that is needed.
    static : bool, optional
        As in `explore.records`; the table has a few costs.

    Returns
    -------
    ipywidgets.VBox or pandas Styler

    Raises
    ------
    ParameterError
        When there are neither artefacts nor published outcomes of `p`.
    """
    cell, outcomes, note = material.outcomes("costs", p, published)
    sets = test_sets(outcomes[outcomes.method.isin(cell.methods)])
    if widgets_work(static):
        from inbol_lib.explore.pricing import panel  # here, because it needs ipywidgets

        return panel.widget(sets, note)
    print(note)
    return plain_table(table(next(iter(sets.values()))), "costs", "a slider moves the cost")


def table(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return a row per method and a column per cost: its rank, and its gain in points."""
    resampled = Resampled.of(outcomes)
    columns = {}
    for cost in COSTS:
        ranked = ranking(resampled, cost)
        for place, row in enumerate(ranked.itertuples(), 1):
            said = f"{place}. {row.gain:+.1f} [{row.lo:+.1f}, {row.hi:+.1f}]"
            columns.setdefault(f"cost {cost:g}", {})[label(row.method)] = said
    found = pd.DataFrame(columns).loc[[label(method) for method in resampled.methods]]
    return found.rename_axis("method").reset_index()
