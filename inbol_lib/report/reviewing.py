"""TODO."""

import base64
import io
import os

import pandas as pd

from inbol_lib.boundary.review import CHECKS, REJECTED, Review, file, lost
from inbol_lib.params import Params

WORDS = {True: "accepted", False: "rejected", None: "open"}


def page(review: Review) -> str:
    """What a person sees, as HTML (review.html). Nothing shown is trusted, because a generator wrote it: all of it is escaped."""
    from jinja2 import Environment, PackageLoader

    said = [review.said.get(name) for name in review.items.digest]
    shown: dict = {"row": None}
    if review.at < len(said):
        row = review.items.iloc[review.at]
        picture = review.picture(row.image_id).convert("RGB")
        picture.thumbnail((640, 640))
        picture.save(packed := io.BytesIO(), "PNG")
        names = (
            CHECKS if len(row.checks) == len(CHECKS) else ["unanswerable"]
        )  # the program has one verdict
        shown = {"row": row, "picture": base64.b64encode(packed.getvalue()).decode(), "small": picture.width < 300,
                 "checks": list(zip(names, row.checks, strict=True))}  # fmt: skip
    late = sum(
        (review.said.get(r.digest) is False) != (r.end == REJECTED)
        for r in review.items.itertuples()
    )
    template = Environment(
        loader=PackageLoader("inbol_lib.report", "."), autoescape=True
    ).get_template("review.html")
    return template.render(shown, review=review, said=said, late=late, file=file(review.p).name)


def widget(review: Review):
    """The page with its buttons. Tab goes from one to the next, Space presses; the pressed one stays where it is."""
    import ipywidgets

    card = ipywidgets.HTML()
    looks = {"Accept": ("success", "check", lambda: review.decide(True)), "Reject": ("danger", "times", lambda: review.decide(False)),
             "Back": ("", "arrow-left", lambda: review.move(-1)), "Skip": ("", "arrow-right", lambda: review.move(1))}  # fmt: skip
    buttons = [
        ipywidgets.Button(description=name, button_style=style, icon=icon)
        for name, (style, icon, _) in looks.items()
    ]

    def draw(*_) -> None:
        card.value, over = page(review), review.at == len(review.items)
        for button, off in zip(buttons, (over, over, review.at == 0, over), strict=True):
            button.disabled = off

    for button, (_, _, act) in zip(buttons, looks.values(), strict=True):
        button.on_click(lambda _, act=act: (act(), draw()))
    draw()
    return ipywidgets.VBox([card, ipywidgets.HBox(buttons)])


def show(
    p: Params, tables: dict[str, pd.DataFrame], pools: dict, split: str = "test", reviewer: str = ""
) -> None:
    """The widget for the questions of a split in JupyterLab or Notebook; elsewhere (papermill, nbval, CI) a contact sheet. Both
    count what is decided and name the decisions, of any split, about questions that are no longer made."""
    from IPython.display import display

    from inbol_lib.progress import progress

    places = {name: i for i, name in enumerate(pools[split]["image_id"])}
    items = tables[split][tables[split].end.isin(["kept", REJECTED])].reset_index(drop=True)
    review = Review(p, split, items, lambda name: pools[split][places[name]]["image"], reviewer)
    if gone := lost(p, tables):
        print(
            f"{len(gone)} decisions are about questions that are no longer made (they stay in {file(p).name}):"
        )
        print("\n".join(f"  {d.id}: {d.question}" for d in gone))
    if (
        "JPY_SESSION_NAME" in os.environ and progress()
    ):  # Jupyter's server sets it for the kernel of an open notebook
        display(widget(review))
    else:
        print(f"{split}, {review.counts()}")
        sheet(review)


def sheet(review: Review, n: int = 8):
    """The first questions with their decisions, as one figure."""
    from inbol_lib.report.plots import pictures

    rows = list(review.items.head(n).itertuples())
    captions = [
        f"{pictures.wrap(r.question)}\n[{r.origin}] {WORDS[review.said.get(r.digest)]}"
        for r in rows
    ]
    return pictures.picture_grid([review.picture(r.image_id) for r in rows], captions)
