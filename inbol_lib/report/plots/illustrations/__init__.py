"""Figures 1, 2, 3 and 9 of the paper, drawn from the study's own records.

A maker takes records and returns the figure and a table of what is drawn in it. Nothing is invented
or chosen by hand: an example is the first, in the order of its table, that fits the maker's rule,
or the first of its class where none does.
"""

from inbol_lib.report.plots.illustrations.examples import CLASSES
from inbol_lib.report.plots.illustrations.fig1_boundaries import boundaries
from inbol_lib.report.plots.illustrations.fig2_standard_records import standard_records
from inbol_lib.report.plots.illustrations.fig3_construction import construction
from inbol_lib.report.plots.illustrations.fig9_unanswerable import unanswerable_sheet
from inbol_lib.report.plots.illustrations.saving import save_all

__all__ = [
    "CLASSES",
    "boundaries",
    "construction",
    "save_all",
    "standard_records",
    "unanswerable_sheet",
]
