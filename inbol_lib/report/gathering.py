"""Collect the outcomes of many evaluations, and the sweeps that Figs. 10 and 11 are drawn from."""

from collections.abc import Callable
from typing import Any

import pandas as pd

from inbol_lib.params import Params
from inbol_lib.report.tables import numbered
from inbol_lib.study import experiments, published_outcomes, stages

#: parameter -> the paper's value, for the note under every table
PAPER_SIZES = {"num_instructions": 11_000, "num_pairs": 24_000, "test_per_source": 300}
#: names of tables that notebook 08 makes, at the main size under the seeds of the sweeps
PROBED = ("table7", "controls_probe", "controls_pairs", "controls_blind")
#: names of tables that are made from the main cells, not from the sweeps
UNSWEPT = (
    *("table1", "table2", "table3"),
    *("controls_equal", "controls_natural", "controls_seen", "controls_kinds"),
    *("selective_prediction", "crossovers", "over_refusal"),
)
#: the name of the table that is made from both
BOTH = "claims"


def gather(cells: list[Params], methods: list[str] | None = None) -> pd.DataFrame:
    """Return the outcomes of several evaluations as one table; missing ones are made first.

    With `methods`, of these alone: a cell of a sweep may be the main one, which has others as well.
    """
    folders = [stages.ensure("evaluation", cell) for cell in cells]
    tables = [pd.read_parquet(folder / "outcomes.parquet") for folder in folders]
    outcomes = pd.concat(tables, ignore_index=True)
    if methods is None:
        return outcomes
    return outcomes[outcomes.method.isin(methods)].reset_index(drop=True)


def size_note(p: Params, table: str = "table1") -> str:
    """Return a note on how a table or figure was made, and what is smaller than in the paper.

    Parameters
    ----------
    p : Params
    table : str
        The name of the table's file, or its beginning.
    """
    main = _made_from(p, len(p.seeds))
    swept = _made_from(experiments.swept(p), len(p.sweep_seeds))
    if table.startswith(PROBED):
        made = _made_from(p, len(p.sweep_seeds))
    elif table.startswith(BOTH):
        alike = swept == main or not experiments.has_sweeps(p)
        made = main if alike else f"{main}. Claims about sweeps: {swept}"
    else:
        made = main if table.startswith(UNSWEPT) else swept
    return f"profile {p.profile}, {made}."


def _made_from(sized: Params, seeds: int) -> str:
    """Return the number of training seeds in words, and what is smaller than in the paper."""
    smaller = [
        f"{name} {getattr(sized, name):,} (paper: {size:,})"
        for name, size in PAPER_SIZES.items()
        if getattr(sized, name) < size
    ]
    reduced = f"; reduced: {', '.join(smaller)}" if smaller else ""
    return f"{seeds} training {'seeds' if seeds > 1 else 'seed'}{reduced}"


def probe(p: Params) -> pd.DataFrame:
    """Return the accuracy of notebook 08's probe and of its controls, over the sweeps' seeds."""
    return numbered.probe(published_outcomes.probe_predictions(p))


def sweep(
    cells: list[Params], methods: list[str], settings: Callable[[Params], dict[str, Any]]
) -> pd.DataFrame:
    """Return one row per cell and method of a sweep, over the sweep's seeds.

    Parameters
    ----------
    cells : list of Params
    methods : list of str
        Which of the cells' methods the sweep is about.
    settings : callable
        Returns the columns that tell one cell from another.

    Returns
    -------
    pd.DataFrame
        The columns of `numbered.table4` and of `settings`; empty without cells.
    """
    if not cells:
        return pd.DataFrame()
    rows = [
        numbered.table4(gather(experiments.over_seeds([cell]), methods)).assign(**settings(cell))
        for cell in cells
    ]
    return pd.concat(rows, ignore_index=True).drop(columns="mixed_pairs")


def sweeps(p: Params) -> dict[str, pd.DataFrame]:
    """Return the sweeps behind Figs. 10, 11 a and 11 b, and how results grow with data (ours).

    Returns
    -------
    dict
        "thresholds", "shares", "ratios" and "sizes", each as `sweep` makes it. `score` of a pair
        of thresholds is the mean of its in-domain and its out-of-domain s_trust, each scaled to
        [0, 1] over the pairs (paper, App. G.1).
    """
    thresholds = sweep(experiments.threshold_cells(p), ["idk_it"], _thresholds)
    score = (_scaled(thresholds.id_s_trust) + _scaled(thresholds.ood_s_trust)) / 2
    return {
        "thresholds": thresholds.assign(score=score),
        "shares": sweep(experiments.share_cells(p), ["idk_it"], _known_share),
        "ratios": sweep(experiments.ratio_cells(p), ["ca_dpo"], _pair_ratio),
        "sizes": sweep(experiments.size_cells(p), experiments.BOTH, _sizes),
    }


def _thresholds(cell: Params) -> dict[str, float]:
    return {"delta_known": cell.delta_known, "delta_unknown": cell.delta_unknown}


def _known_share(cell: Params) -> dict[str, float]:
    return {"known_share": cell.known_share}


def _pair_ratio(cell: Params) -> dict[str, str]:
    return {"pair_ratio": ":".join(f"{part:g}" for part in cell.pair_ratio)}


def _sizes(cell: Params) -> dict[str, int]:
    return {"instructions": cell.num_instructions, "pairs": cell.num_pairs}


def _scaled(values: pd.Series) -> pd.Series:
    """Return values scaled to [0, 1], 0.5 where all are equal."""
    span = values.max() - values.min()
    return (values - values.min()) / span if span > 0 else 0 * values + 0.5
