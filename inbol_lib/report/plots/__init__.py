"""How every figure looks: tidy data and an axes in, the axes out.

Importing the package sets Matplotlib's style. Letters are 14 points high, so that a figure can be
printed at half its size.
"""

from pathlib import Path

import matplotlib.pyplot as plt

from inbol_lib.report.plots.charts import (
    by_confidence,
    composition_curves,
    confidence_histogram,
    contrasts,
    growth,
    method_bars,
    outcome_bars,
    picture_controls,
    probe,
    risk_coverage,
    threshold_heatmap,
    training_curve,
)
from inbol_lib.report.plots.looks import KINDS, METHODS, OUTCOMES, SELECTIVE, label
from inbol_lib.report.plots.pictures import picture_grid, spoken, wrap

plt.style.use(Path(__file__).with_name("inbol.mplstyle"))

__all__ = [
    "KINDS",
    "METHODS",
    "OUTCOMES",
    "SELECTIVE",
    "by_confidence",
    "composition_curves",
    "confidence_histogram",
    "contrasts",
    "growth",
    "label",
    "method_bars",
    "outcome_bars",
    "picture_controls",
    "picture_grid",
    "probe",
    "risk_coverage",
    "spoken",
    "threshold_heatmap",
    "training_curve",
    "wrap",
]
