"""Draw and save all illustrations of a study."""

from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from inbol_lib.data.records import load_table
from inbol_lib.params import Params
from inbol_lib.report.plots.illustrations.fig1_boundaries import boundaries
from inbol_lib.report.plots.illustrations.fig2_standard_records import standard_records
from inbol_lib.report.plots.illustrations.fig3_construction import construction
from inbol_lib.report.plots.illustrations.fig9_unanswerable import unanswerable_sheet
from inbol_lib.report.tables import files
from inbol_lib.study import stages


def save_all(p: Params, outcomes: pd.DataFrame, target: Path) -> list[plt.Figure]:
    """Save Figures 1, 2, 3 and 9 of `p.model`, first seed, in `target`, with their data.

    Artefacts that are missing are made first.

    Returns
    -------
    list of plt.Figure
        The four figures, in the paper's order.
    """
    confidence = stages.ensure("confidence", p)
    unanswerable = stages.ensure("unanswerable", p)
    composed = stages.ensure("composition", p)
    train = load_table(confidence / "records_train.parquet")
    beyond = load_table(unanswerable / "records_train.parquet")
    test = load_table(composed / "in_domain_test.parquet")
    instructions = load_table(composed / "instructions_idk_it.parquet")
    preferences = load_table(composed / "preferences.parquet")
    reasons = pd.read_parquet(unanswerable / "made_train.parquet")
    mine = outcomes[(outcomes.model == p.model) & (outcomes.seed == p.seeds[0])]
    made = {
        "fig1_boundaries": boundaries(p, test, mine),
        "fig2_standard_records": standard_records(p, train, beyond),
        "fig3_construction": construction(p, train, beyond, instructions, preferences),
        "fig9_unanswerable": unanswerable_sheet(p, beyond, reasons),
    }
    for name, (figure, table) in made.items():
        files.save_figure(figure, target, name, table)
    return [figure for figure, _ in made.values()]
