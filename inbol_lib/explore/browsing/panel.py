"""The widget of `explore.records`: filters, a page of the list, and the question shown."""

from collections.abc import Iterator
from contextlib import contextmanager
from itertools import combinations

import ipywidgets

from inbol_lib.explore.browsing import card
from inbol_lib.explore.browsing.browser import PAGE, Browser
from inbol_lib.explore.browsing.filtering import ANY, Wanted
from inbol_lib.explore.parts import panels, rendered
from inbol_lib.report.plots.looks import OUTCOMES, label
from inbol_lib.report.tables.layout import NAMES

ALL = ("any", "")


def widget(browser: Browser) -> ipywidgets.VBox:
    """Return the widget of a browser, which it changes."""
    return Panel(browser).box


class Panel:
    """The fields and pages of a browser, and what happens when they change.

    Attributes
    ----------
    browser
        What is shown.
    box
        The widget.
    fields
        Name in `Wanted` -> its field.
    """

    def __init__(self, browser: Browser):
        self.browser = browser
        self.fields = fields(browser)
        self.status, self.card = ipywidgets.HTML(), ipywidgets.HTML()
        self.list = ipywidgets.Select(rows=PAGE, layout={"width": "370px", "height": "432px"})
        panels.styled(self.list, "inbol-list")
        self._quiet = False
        self.box = self._box()
        panels.watch(self.fields.values(), self._want)
        self.list.observe(self._pick, "index")
        self.refresh()

    def _box(self) -> ipywidgets.VBox:
        step = self._step
        buttons = [
            panels.button("Previous", lambda: step(-1), "inbol-previous", icon="chevron-left"),
            panels.button("Next", lambda: step(1), "inbol-next", icon="chevron-right"),
            panels.button("Page back", lambda: step(-PAGE), icon="angle-double-left"),
            panels.button("Page on", lambda: step(PAGE), icon="angle-double-right"),
            panels.button("Clear filters", self.clear, icon="times"),
        ]
        right = panels.styled(ipywidgets.VBox([self.card]), "inbol-wide")
        columns = ipywidgets.HBox([self.list, right], layout={"grid_gap": "14px"})
        parts = [
            panels.row(*self.fields.values()),
            panels.row(*buttons, panels.keys()),
            self.status,
            columns,
        ]
        return panels.box(parts, "questions and answers")

    def refresh(self) -> None:
        """Show the browser as it is."""
        page = self.browser.page
        with self._silence():
            self.list.options = list(zip(card.lines(self.browser), page, strict=True))
            self.list.index = self.browser.at - page.start if len(page) else None
        self.card.value = card.shown(self.browser)
        number = self.browser.at // PAGE + 1
        self.status.value = rendered("status.html", browser=self.browser, number=number)

    def clear(self) -> None:
        """Leave nothing out."""
        with self._silence():
            for name, field in self.fields.items():
                field.value = getattr(Wanted(), name)
        self._want()

    def _want(self) -> None:
        if not self._quiet:
            self.browser.want(Wanted(**{name: field.value for name, field in self.fields.items()}))
            self.refresh()

    def _pick(self, change: dict) -> None:
        if not self._quiet and change["new"] is not None:
            self.browser.go(self.browser.page.start + change["new"])
            self.refresh()

    def _step(self, step: int) -> None:
        self.browser.move(step)
        self.refresh()

    @contextmanager
    def _silence(self) -> Iterator[None]:
        """Change fields without an answer to each change."""
        self._quiet = True
        try:
            yield
        finally:
            self._quiet = False


def fields(browser: Browser) -> dict[str, ipywidgets.Widget]:
    """Return the fields of a browser's filters, set to what is wanted."""
    book = browser.book
    columns = {name: list(book.frame[name].cat.categories) for name in ("source", "split", "kind")}
    methods = [(label(method), method) for method in book.methods]
    pairs = [(f"{label(a)} and {label(b)}", (a, b)) for a, b in combinations(book.methods, 2)]
    words = [(look.word, outcome) for outcome, look in OUTCOMES.items()]
    found = {
        "source": panels.choice(
            "source", [ALL, *((NAMES.get(name, name), name) for name in columns["source"])]
        ),
        "split": panels.choice("split", [ALL, *((name, name) for name in columns["split"])], 150),
        "kind": panels.choice("class", [ALL, *((name, name) for name in columns["kind"])], 170),
        "method": panels.choice("method", [ALL, *methods], 200),
        "outcome": panels.choice("outcome", [ALL, *words], 160),
        "differ": panels.choice(
            "disagree", [("any or none", ()), ("any two methods", ANY), *pairs], 300
        ),
        "asked": panels.words("question", "words in the question"),
        "spoken": panels.words("responses", "words in any sample or response"),
    }
    for name, field in found.items():
        field.value = getattr(browser.wanted, name)
    return found
