"""Published tables as HTML: intervals beside their values, the best marked, every text escaped."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import yaml
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from inbol_lib.explore.parts.pages import mark_path, signed
from inbol_lib.report.plots.looks import METHODS, NAMED, SELECTIVE, MethodLook

HERE = Path(__file__).resolve().parent.parent
LOOKS = {**METHODS, **SELECTIVE}
#: column of a table -> its heading; others are named as they are, with blanks
LABELS = {
    "acc": "Acc",
    "refr": "RefR",
    "s_trust": "s_trust",
    "answered_acc": "Acc of answers",
    "id_acc": "Acc",
    "id_refr": "RefR",
    "id_s_trust": "s_trust",
    "ood_acc": "Acc out of domain",
    "ood_refr": "RefR out of domain",
    "ood_s_trust": "s_trust out of domain",
    "dataset": "data set",
    "diff": "difference [95 %]",
    "n": "questions",
    "n_seeds": "seeds",
    "lo": "95 %",
    "ood_lo": "95 % out of domain",
    "aurc": "AURC",
    "augrc": "AUGRC",
    "ece": "ECE",
    "s_trust_score": "s_trust of the score",
    "refr_score": "RefR of the score",
}
#: column with a lower bound -> column with the upper one; both are shown as one interval
INTERVALS = {"lo": "hi", "ood_lo": "ood_hi", "ratio_lo": "ratio_hi"}
#: values that lo and hi may belong to, the first that a table has
MAIN = ("s_trust", "id_s_trust", "accuracy", "refr", "agreement", "cost", "ours")
LEFT_OUT = {"hi", "ood_hi", "ratio_hi", "diff_lo", "diff_hi", "mark"}
SIGNED = {"s_trust", "id_s_trust", "ood_s_trust", "s_trust_score"}
#: columns of a table of claims
CLAIMED = ("claim", "where", "model", "statistic", "ours", "lo", "hi", "paper", "verdict")
NONE = "–"


@dataclass
class Cell:
    """What a cell shows, and by which number it is sorted (None: by its text)."""

    text: str
    value: float | str | None = None
    best: bool = False
    look: MethodLook | None = None
    verdict: str = ""
    span: tuple[float, float, float] | None = None

    @property
    def number(self) -> bool:
        return self.value is not None


@dataclass
class Column:
    """A heading, and whether numbers stand under it."""

    label: str
    number: bool


@cache
def captions() -> dict[str, dict[str, dict[str, Any]]]:
    """Return kind ("figures", "tables") -> name -> its words."""
    return yaml.safe_load((HERE / "captions.yaml").read_text())


@cache
def environment() -> Environment:
    """Return the templates; every value in a page of HTML is escaped."""
    made = Environment(
        loader=FileSystemLoader(HERE / "templates"),
        autoescape=lambda name: name is not None and name.endswith(".html"),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters["mark_path"] = mark_path
    return made


def title_of(name: str, kind: str = "tables") -> str:
    """Return the title of a table or figure; its name where nobody has given it one."""
    words = captions()[kind].get(name, {})
    return words.get("title", name.replace("_", " "))


def table_html(file: Path) -> str:
    """Return a table of figures/ as HTML.

    Parameters
    ----------
    file : Path
        A CSV file. Its stem is looked up in captions.yaml; a table without words there is shown
        without a mark for the best. One with the columns `CLAIMED` holds claims.
    """
    frame = pd.read_csv(file)
    if set(CLAIMED) <= set(frame):
        return claims_html(frame, title_of(file.stem))
    words = captions()["tables"].get(file.stem, {})
    best = best_cells(frame, words.get("best", {}), words.get("within", []))
    kept = [name for name in frame if name not in LEFT_OUT and frame[name].notna().any()]
    texts = [name for name in kept if not pd.api.types.is_numeric_dtype(frame[name])]
    shown = in_order([*texts, *(name for name in kept if name not in texts)])
    rows = [
        [cell(frame, place, name, (place, name) in best) for name in shown]
        for place in range(len(frame))
    ]
    return rendered(title_of(file.stem), shown, rows)


def in_order(names: list[str]) -> list[str]:
    """Return columns with the interval beside the value that it is mostly of."""
    value = next((name for name in MAIN if name in names), None)
    if value is None or "lo" not in names:
        return names
    others = [name for name in names if name != "lo"]
    place = others.index(value) + 1
    return [*others[:place], "lo", *others[place:]]


def claims_html(frame: pd.DataFrame, title: str) -> str:
    """Return the claims of the paper as HTML: verdict, statistic, interval as a drawing."""
    reach = max(frame.lo.abs().max(), frame.hi.abs().max())
    rows = []
    for row in frame.itertuples():
        span = tuple(drawn(value / reach) for value in (row.lo, row.ours, row.hi))
        statistic = Cell(interval(row.lo, row.hi, row.ours), row.ours, span=span)
        kind = row.verdict if row.verdict in ("reproduced", "undecided") else "not"
        printed = Cell(NONE, "") if pd.isna(row.paper) else Cell(signed(row.paper), row.paper)
        texts = [Cell(str(text)) for text in (row.claim, row.where, row.model)]
        verdict = Cell(str(row.verdict), verdict=kind)
        claim, where, model = texts
        counted = Cell(str(row.statistic))
        rows.append([verdict, claim, model, statistic, printed, where, counted])
    labels = ["verdict", "claim", "model", "ours [95 %]", "the paper", "where", "counted in points"]
    return rendered(title, labels, rows, hint="Table 1 undecided")


def drawn(share: float) -> float:
    """Return where a share in [-1, 1] of the largest bound is drawn, in [2, 98]; 0 is at 50.

    The square root keeps short intervals visible beside long ones.
    """
    return round(50 + 48 * float(np.sign(share) * np.sqrt(abs(share))), 1)


def rendered(title: str, names: Sequence[str], rows: list[list[Cell]], hint: str = "") -> str:
    """Return rows of cells as HTML.

    Parameters
    ----------
    title : str
        Read out to those who do not see the table.
    names : sequence of str
        Columns, as `LABELS` or the files have them.
    rows : list of list of Cell
    hint : str
        An example of words that rows may be searched for; by default the first row's.
    """
    first = rows[0] if rows else []
    numbers = [each.number for each in first] or [False] * len(names)
    columns = [
        Column(LABELS.get(name, name.replace("_", " ")), number)
        for name, number in zip(names, numbers, strict=True)
    ]
    hint = hint or " ".join(each.text for each in first[:2] if not each.number)
    page = environment().get_template("table.html")
    return page.render(title=title, columns=columns, rows=rows, hint=hint)


def best_cells(
    frame: pd.DataFrame, best: dict[str, str], within: list[str]
) -> set[tuple[int, str]]:
    """Return the (row, column) of the best values; all of them where several are equal.

    Parameters
    ----------
    frame : pd.DataFrame
    best : dict of str
        Column -> "high" or "low".
    within : list of str
        Columns whose values must agree for two rows to be compared; none: all rows are compared.
    """
    found = set()
    for column, end in best.items():
        values = frame[column] if end == "high" else -frame[column]
        keys = [frame[name].fillna("") for name in within] or [pd.Series(0, frame.index)]
        top = values.groupby(keys).transform("max")
        found |= {(place, column) for place in frame.index[values == top]}
    return found


def cell(frame: pd.DataFrame, place: int, name: str, best: bool) -> Cell:
    """Return one cell of a table."""
    value = frame[name].iloc[place]
    numeric = pd.api.types.is_numeric_dtype(frame[name])
    if pd.isna(value):
        return Cell(NONE, "" if numeric else None)
    if name in INTERVALS:
        show = shown_as(frame.iloc[[place]].dropna(axis=1))
        return Cell(interval(value, frame[INTERVALS[name]].iloc[place], show=show), float(value))
    if name == "diff":
        bounds = (frame[f"diff_{end}"].iloc[place] for end in ("lo", "hi"))
        return Cell(interval(*bounds, value), float(value))
    if not numeric:
        look = LOOKS.get(value) if name in NAMED else None
        # Scores are lines in figures, without a mark that could be filled.
        return Cell(look.label if look else str(value), look=METHODS.get(value) and look)
    return Cell(number_text(value, name), float(value), best)


def number_text(value: float, name: str) -> str:
    """Return a number as it is shown: whole ones with commas, others with what they need."""
    if float(value).is_integer() and pd.api.types.is_integer(value):
        return f"{value:,}"
    if name in SIGNED:
        return signed(value)
    return f"{value:,.1f}" if abs(value) >= 2 or name in LABELS else f"{value:.2f}"


def shown_as(frame: pd.DataFrame) -> Callable[[float], str]:
    """Return how the bounds of a table's intervals are shown: with a sign where its values are."""
    value = next((name for name in MAIN if name in frame), "")
    if value in SIGNED:
        return signed
    # Costs and agreement are no points, and small.
    return "{:.2f}".format if value in ("cost", "agreement") else "{:.1f}".format


def interval(
    lo: float, hi: float, value: float | None = None, show: Callable[[float], str] = signed
) -> str:
    """Return an interval, after the value that it belongs to."""
    bounds = f"[{show(lo)}, {show(hi)}]"
    return bounds if value is None else f"{show(value)} {bounds}"
