"""The widget of `explore.thresholds`: two sliders over the page of sizes."""

import ipywidgets

from inbol_lib.explore.composing import page
from inbol_lib.explore.composing.stocks import Stock, sizes
from inbol_lib.explore.parts import panels

STEP = 0.05  # of a threshold


def widget(there: Stock) -> ipywidgets.VBox:
    """Return the widget about a stock of questions."""
    return Panel(there).box


class Panel:
    """Two sliders that never cross, and the page that follows them.

    Attributes
    ----------
    box
        The widget.
    known, unknown
        The sliders, in [0, 1].
    """

    def __init__(self, there: Stock):
        self.there = there
        p = there.p
        self.known = panels.slider("known from", p.delta_known, STEP, 1.0, STEP)
        self.unknown = panels.slider("unknown up to", p.delta_unknown, 0, 1 - STEP, STEP)
        self.page = ipywidgets.HTML()
        again = panels.button("Back to the study's", self.reset, icon="undo")
        sliders = panels.row(self.unknown, self.known, again)
        self.box = panels.box([sliders, self.page], "thresholds of the classes")
        self.known.observe(self._pushed_by_known, "value")
        self.unknown.observe(self._pushed_by_unknown, "value")
        self.refresh()

    def refresh(self) -> None:
        """Show what the thresholds lead to."""
        if self.known.value > self.unknown.value:
            found = sizes(self.there, self.known.value, self.unknown.value)
            self.page.value = page.page(found, self.there.note)

    def reset(self) -> None:
        """Go back to the thresholds of the parameters."""
        self.unknown.value = 0
        self.known.value = self.there.p.delta_known
        self.unknown.value = self.there.p.delta_unknown

    def _pushed_by_known(self, change: dict) -> None:
        if self.unknown.value > change["new"] - STEP / 2:
            self.unknown.value = round(change["new"] - STEP, 6)
        self.refresh()

    def _pushed_by_unknown(self, change: dict) -> None:
        if self.known.value < change["new"] + STEP / 2:
            self.known.value = round(change["new"] + STEP, 6)
        self.refresh()
