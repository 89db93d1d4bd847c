"""The widget of `explore.costs`: a slider and a test set over the page of the ranking."""

import ipywidgets
import pandas as pd

from inbol_lib.explore.parts import panels
from inbol_lib.explore.pricing import page
from inbol_lib.explore.pricing.gains import MOST, Resampled


def widget(sets: dict[str, pd.DataFrame], note: str) -> ipywidgets.VBox:
    """Return the widget about test sets, given as name -> outcomes."""
    return Panel(sets, note).box


class Panel:
    """A slider for the cost, a choice of test sets, and the page that follows them.

    Attributes
    ----------
    box
        The widget.
    cost, chosen
        The slider and the choice.
    """

    def __init__(self, sets: dict[str, pd.DataFrame], note: str):
        self.sets, self.note = sets, note
        self._kept: dict[str, tuple[Resampled, dict]] = {}  # at most one for each test set
        self.cost = panels.slider("cost of a wrong answer", 1.0, 0.0, MOST, 0.1)
        self.chosen = panels.choice("test set", zip(sets, sets, strict=True), 240)
        self.page = ipywidgets.HTML()
        fields = panels.row(self.cost, self.chosen)
        self.box = panels.box([fields, self.page], "the cost of a wrong answer")
        panels.watch([self.cost, self.chosen], self.refresh)
        self.refresh()

    def refresh(self) -> None:
        """Show the order of the methods at the cost."""
        name = self.chosen.value
        if name not in self._kept:
            resampled = Resampled.of(self.sets[name])
            self._kept[name] = resampled, page.lines(resampled)
        resampled, fixed = self._kept[name]
        questions = self.sets[name].id.nunique()
        note = f"{name}, {questions:,} questions · {self.note}"
        self.page.value = page.page(resampled, self.cost.value, fixed, note)
