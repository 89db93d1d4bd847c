"""TODO."""

from collections.abc import Callable

import pandas as pd

from inbol_lib.params import Params
from inbol_lib.report.tables import numbered
from inbol_lib.study import experiments, stages

PAPER_SIZES = {
    "num_instructions": 11_000,
    "num_pairs": 24_000,
    "test_per_source": 300,
}  # for the note under every table
PROBED = ("table7", "controls_probe")  # of one training seed
UNSWEPT = (
    "table1",
    "table2",
    "table3",
    "controls_equal",
    "controls_natural",
    "controls_seen",
    "claims",
    *PROBED,
)


def gather(cells: list[Params]) -> pd.DataFrame:
    """The outcome tables of several evaluations as one (those missing are made first)."""
    return pd.concat(
        [pd.read_parquet(stages.ensure("evaluation", c) / "outcomes.parquet") for c in cells],
        ignore_index=True,
    )


def size_note(p: Params, table: str = "table1") -> str:
    """What was reduced against the paper in a table or figure (by its file's name), in words."""
    sized, seeds = (
        (p, p.seeds) if table.startswith(UNSWEPT) else (experiments.swept(p), p.sweep_seeds)
    )
    n = 1 if table.startswith(PROBED) else len(seeds)
    smaller = [
        f"{k} {getattr(sized, k):,} (paper: {v:,})"
        for k, v in PAPER_SIZES.items()
        if getattr(sized, k) < v
    ]
    reduced = f"; reduced: {', '.join(smaller)}" if smaller else ""
    return f"profile {p.profile}, {n} training seed{'s' * (n > 1)} of {p.model}{reduced}."


def probe(p: Params) -> pd.DataFrame:
    """Accuracy of the probe of notebook 08 and of its controls."""
    return numbered.probe(pd.read_csv(stages.ensure("probing", p) / "probe_predictions.csv"))


def sweep(cells: list[Params], settings: Callable[[Params], dict]) -> pd.DataFrame:
    """One line per cell and method: `settings` of the cell, and its in-domain and mean out-of-domain metrics over the sweep's seeds."""
    found = [
        numbered.table4(gather(experiments.over_seeds([c]))).assign(**settings(c)) for c in cells
    ]
    return (
        pd.concat(found, ignore_index=True).drop(columns="mixed_pairs") if found else pd.DataFrame()
    )


def sweeps(p: Params) -> dict[str, pd.DataFrame]:
    """What Figs. 10, 11 a and 11 b are drawn from, and how results grow with data (ours): thresholds, shares, ratios, sizes. `score` of a
    threshold cell is the mean of its in-domain and out-of-domain s_trust, each scaled to [0, 1] over the cells (paper, App. G.1)."""
    found = {
        "thresholds": sweep(
            experiments.threshold_cells(p),
            lambda c: {"delta_known": c.delta_known, "delta_unknown": c.delta_unknown},
        ),
        "shares": sweep(experiments.share_cells(p), lambda c: {"known_share": c.known_share}),
        "ratios": sweep(
            experiments.ratio_cells(p),
            lambda c: {"pair_ratio": ":".join(f"{v:g}" for v in c.pair_ratio)},
        ),
        "sizes": sweep(
            experiments.size_cells(p),
            lambda c: {"instructions": c.num_instructions, "pairs": c.num_pairs},
        ),
    }

    def scaled(s: pd.Series) -> pd.Series:
        return (s - s.min()) / (s.max() - s.min()) if s.max() > s.min() else 0 * s + 0.5

    cells = found["thresholds"]
    found["thresholds"] = cells.assign(
        score=(scaled(cells.id_s_trust) + scaled(cells.ood_s_trust)) / 2
    )
    return found
