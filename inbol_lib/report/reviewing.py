"""The page and the widget on which a person reviews unanswerable questions (paper, App. F).

What is decided, and what follows from it, is in `boundary/review.py`.
"""

import base64
import io
import os
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

import ipywidgets
import matplotlib.pyplot as plt
import pandas as pd
from IPython.display import display
from jinja2 import Environment, PackageLoader
from PIL import Image

from inbol_lib.boundary.review import CHECKS, REJECTED, Decision, Review, file, lost
from inbol_lib.params import Params
from inbol_lib.progress import progress
from inbol_lib.report.plots.pictures import picture_grid, wrap

WORDS = {True: "accepted", False: "rejected", None: "open"}
_LARGEST = (640, 640)  # pixels of a picture on the page
_SMALL = 300  # below so many pixels of width a picture is enlarged without smoothing


class Control(NamedTuple):
    """A button under the page."""

    label: str
    style: str
    icon: str
    act: Callable[[Review], None]


#: From left to right.
CONTROLS = (
    Control("Accept", "success", "check", lambda review: review.decide(True)),
    Control("Reject", "danger", "times", lambda review: review.decide(False)),
    Control("Back", "", "arrow-left", lambda review: review.move(-1)),
    Control("Skip", "", "arrow-right", lambda review: review.move(1)),
)


def page(review: Review) -> str:
    """Return the HTML that a person sees (review.html).

    All texts are escaped: a generator wrote them, so none of them is trusted.
    """
    loader = PackageLoader("inbol_lib.report", ".")
    template = Environment(loader=loader, autoescape=True).get_template("review.html")
    said = [review.said.get(name) for name in review.items.digest]
    shown = _shown(review) if review.at < len(said) else {"row": None}
    late = _not_applied(review)
    return template.render(shown, review=review, said=said, late=late, file=file(review.p).name)


def _shown(review: Review) -> dict:
    """Return what the template needs for the question shown."""
    row = review.items.iloc[review.at]
    picture = review.picture(row.image_id).convert("RGB")
    picture.thumbnail(_LARGEST)
    # The verifier "program" gives one verdict instead of one for each check.
    names = CHECKS if len(row.checks) == len(CHECKS) else ["unanswerable"]
    return {
        "row": row,
        "picture": _as_base64(picture),
        "small": picture.width < _SMALL,
        "checks": list(zip(names, row.checks, strict=True)),
    }


def _as_base64(picture: Image.Image) -> str:
    packed = io.BytesIO()
    picture.save(packed, "PNG")
    return base64.b64encode(packed.getvalue()).decode()


def _not_applied(review: Review) -> int:
    """Return how many decisions the artefact does not follow yet."""
    rejected = [review.said.get(name) is False for name in review.items.digest]
    applied = [end == REJECTED for end in review.items.end]
    return sum(now != before for now, before in zip(rejected, applied, strict=True))


def widget(review: Review) -> ipywidgets.VBox:
    """Return the page with its buttons.

    Tab goes from one button to the next and Space presses it; the focus stays on the button that
    was pressed.
    """
    card = ipywidgets.HTML()
    buttons = [
        ipywidgets.Button(description=control.label, button_style=control.style, icon=control.icon)
        for control in CONTROLS
    ]

    def refresh() -> None:
        card.value = page(review)
        over = review.at == len(review.items)
        for button, control in zip(buttons, CONTROLS, strict=True):
            button.disabled = review.at == 0 if control.label == "Back" else over

    def on_click(act: Callable[[Review], None]) -> Callable[[ipywidgets.Button], None]:
        def clicked(_: ipywidgets.Button) -> None:
            act(review)
            refresh()

        return clicked

    for button, control in zip(buttons, CONTROLS, strict=True):
        button.on_click(on_click(control.act))
    refresh()
    return ipywidgets.VBox([card, ipywidgets.HBox(buttons)])


def show(
    p: Params,
    tables: dict[str, pd.DataFrame],
    pools: Mapping[str, Mapping],
    split: str = "test",
    reviewer: str = "",
) -> None:
    """Show the questions of a split for review.

    In JupyterLab or Notebook this is the widget, and elsewhere (papermill, nbval, CI) a contact
    sheet. Both count what is decided. The decisions, of any split, about questions that are no
    longer made are listed first.

    Parameters
    ----------
    p : Params
    tables : dict
        Split -> its table of questions (`review.table`).
    pools : mapping
        Split -> the Dataset with `image_id` and `image` that its questions were made from.
    split : str
        "train", "validation" or "test".
    reviewer : str
        Written into every decision.

    Raises
    ------
    ParameterError
        When the file of decisions has lines that cannot be read.
    """
    table, source = tables[split], pools[split]
    items = table[table.end.isin(["kept", REJECTED])].reset_index(drop=True)
    places = {name: index for index, name in enumerate(source["image_id"])}
    review = Review(p, split, items, lambda name: source[places[name]]["image"], reviewer)
    _list_lost(lost(p, tables), file(p).name)
    # Jupyter's server sets this variable for the kernel of an open notebook.
    if "JPY_SESSION_NAME" in os.environ and progress():
        display(widget(review))
    else:
        print(f"{split}, {review.counts()}")
        sheet(review)


def _list_lost(gone: Sequence[Decision], name: str) -> None:
    if not gone:
        return
    print(
        f"{len(gone)} decisions are about questions that are no longer made (they stay in {name}):"
    )
    for decision in gone:
        print(f"  {decision.id}: {decision.question}")


def sheet(review: Review, n: int = 8) -> plt.Figure:
    """Return the first `n` questions with their decisions as one figure."""
    rows = list(review.items.head(n).itertuples())
    captions = [
        f"{wrap(row.question)}\n[{row.origin}] {WORDS[review.said.get(row.digest)]}" for row in rows
    ]
    return picture_grid([review.picture(row.image_id) for row in rows], captions)
