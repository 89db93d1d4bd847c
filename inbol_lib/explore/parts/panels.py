"""Pieces of the widgets: the box around a view, pages in it, and fields."""

from collections.abc import Callable, Iterable, Sequence
from importlib.resources import files
from typing import Any

import ipywidgets

from inbol_lib.explore.parts.pages import rendered

Widget = ipywidgets.Widget


def box(children: Sequence[Widget], name: str) -> ipywidgets.VBox:
    """Return the box around a view, with its look and its keys.

    While the focus is in it, n and the right arrow press the button of class `inbol-next`, p and
    the left arrow that of class `inbol-previous`; where one types they write.

    Parameters
    ----------
    children : sequence of widgets
        From top to bottom.
    name : str
        Read out to those who do not see the screen.
    """
    css = files("inbol_lib.explore.parts").joinpath("pages/look.css").read_text()
    look = ipywidgets.HTML(rendered("keys.html", css=css, name=name), layout={"display": "block"})
    return styled(ipywidgets.VBox([look, *children]), "inbol-explore")


def styled(widget: Any, *classes: str) -> Any:
    """Return the widget, with CSS classes added."""
    for name in classes:
        widget.add_class(name)
    return widget


def row(*children: Widget) -> ipywidgets.HBox:
    """Return widgets side by side, in several lines where they do not fit into one."""
    return styled(ipywidgets.HBox(children), "inbol-row")


def keys() -> ipywidgets.HTML:
    """Return the line that says which keys go on and back."""
    return ipywidgets.HTML(rendered("hint.html"))


def choice(label: str, options: Iterable[tuple[str, Any]], width: int = 190) -> Widget:
    """Return a field with options to choose from, as (text, value); `width` is in pixels."""
    return ipywidgets.Dropdown(
        options=list(options),
        description=label,
        layout={"width": f"{width}px"},
        style={"description_width": "auto"},
    )


def words(label: str, hint: str, width: int = 270) -> Widget:
    """Return a field for a few words, which count when Enter is pressed or the field is left."""
    return ipywidgets.Text(
        description=label,
        placeholder=hint,
        continuous_update=False,
        layout={"width": f"{width}px"},
        style={"description_width": "auto"},
    )


def slider(label: str, value: float, least: float, most: float, step: float) -> Widget:
    """Return a slider, which the arrow keys move by `step` while the focus is on it."""
    return ipywidgets.FloatSlider(
        value=value,
        min=least,
        max=most,
        step=step,
        description=label,
        readout_format=".2f" if step < 0.1 else ".1f",
        layout={"width": "420px"},
        style={"description_width": "initial"},
    )


def button(label: str, act: Callable[[], None], *classes: str, icon: str = "") -> Widget:
    """Return a button that calls `act` without arguments."""
    made = ipywidgets.Button(description=label, icon=icon, layout={"width": "auto"})
    made.on_click(lambda _: act())
    return styled(made, *classes)


def watch(fields: Iterable[Widget], act: Callable[[], None]) -> None:
    """Call `act` without arguments whenever one of the fields changes."""
    for field in fields:
        field.observe(lambda _: act(), "value")
