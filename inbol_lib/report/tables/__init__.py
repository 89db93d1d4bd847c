"""The paper's tables, and controls that the paper does not have, from outcome tables alone."""

from inbol_lib.report.tables.control_tables import (
    by_kind,
    by_seen,
    controls,
    equal_refusals,
    natural,
    samples,
    selective_prediction,
)
from inbol_lib.report.tables.files import save_figure, save_table_files
from inbol_lib.report.tables.layout import NAMES, OOD, OOD_AVERAGED, UNANSWERABLE, in_domain
from inbol_lib.report.tables.numbered import (
    by_confidence,
    generator_table,
    headline,
    probe,
    table1,
    table2,
    table3,
    table4,
)

__all__ = [
    "NAMES",
    "OOD",
    "OOD_AVERAGED",
    "UNANSWERABLE",
    "by_confidence",
    "by_kind",
    "by_seen",
    "controls",
    "equal_refusals",
    "generator_table",
    "headline",
    "in_domain",
    "natural",
    "probe",
    "samples",
    "save_figure",
    "save_table_files",
    "selective_prediction",
    "table1",
    "table2",
    "table3",
    "table4",
]
