"""The charts: each maker takes tidy data and an axes and returns the axes.

`bars` shows what the answers become, `curves` how they change with confidence, coverage or steps,
`sweeps` what settings do (Figs. 10 and 11), `comparisons` differences and designs side by side,
`looking` whether methods look at the picture.
"""

from inbol_lib.report.plots.charts.bars import method_bars, outcome_bars
from inbol_lib.report.plots.charts.comparisons import contrasts, probe
from inbol_lib.report.plots.charts.curves import (
    by_confidence,
    confidence_histogram,
    risk_coverage,
    training_curve,
)
from inbol_lib.report.plots.charts.looking import picture_controls
from inbol_lib.report.plots.charts.sweeps import composition_curves, growth, threshold_heatmap

__all__ = [
    "by_confidence",
    "composition_curves",
    "confidence_histogram",
    "contrasts",
    "growth",
    "method_bars",
    "outcome_bars",
    "picture_controls",
    "probe",
    "risk_coverage",
    "threshold_heatmap",
    "training_curve",
]
