"""HTML from templates in which every text is escaped, whoever wrote it."""

import base64
import io
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from matplotlib.markers import MarkerStyle
from PIL import Image

from inbol_lib.report.plots.looks import KINDS, METHODS, OUTCOMES
from inbol_lib.report.tables.layout import NAMES

LARGEST = (480, 480)  # pixels of a picture that is shown
SMALL = 200  # below so many pixels of width a picture is enlarged without smoothing
#: classes without a colour of their own
GREY = "#8a8a8a"


@cache
def _environment() -> Environment:
    """Return the templates; they escape as `html.escape` does."""
    loader = PackageLoader("inbol_lib.explore.parts", "pages")
    made = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    made.globals |= {"outcomes": OUTCOMES, "looks": METHODS, "names": NAMES}
    made.filters |= {"kind_colour": lambda kind: KINDS.get(kind, GREY), "signed": signed}
    made.filters |= {"mark_path": mark_path}
    return made


@cache
def mark_path(mark: str) -> str:
    """Return one of Matplotlib's marks as the path of an SVG, inside -1 to 1 in both directions."""
    style = MarkerStyle(mark)
    polygons = style.get_path().transformed(style.get_transform()).to_polygons()
    size = max(abs(polygon).max() for polygon in polygons)
    drawn = [
        " L ".join(f"{x / size:.3f} {-y / size:.3f}" for x, y in polygon) for polygon in polygons
    ]
    return " ".join(f"M {points} Z" for points in drawn)


def rendered(name: str, /, **values: Any) -> str:
    """Return a page of parts/pages/ with values filled in and escaped.

    Parameters
    ----------
    name : str
        File name of the template.
    **values
        What it needs; a missing one is an error.
    """
    return _environment().get_template(name).render(values)


def signed(value: float) -> str:
    """Return a number with one decimal, its sign and a true minus."""
    return f"{value:+.1f}".replace("-", "−")


def data_url(picture: Image.Image) -> str:
    """Return a picture as a PNG in a data URL, made smaller where it is larger than `LARGEST`."""
    shown = picture.convert("RGB")
    shown.thumbnail(LARGEST)
    packed = io.BytesIO()
    shown.save(packed, "PNG")
    return "data:image/png;base64," + base64.b64encode(packed.getvalue()).decode()
