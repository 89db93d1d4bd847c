"""The page about a pair of thresholds: levels of confidence, classes, and what is composed."""

from typing import Any

from inbol_lib.explore.composing.stocks import Sizes
from inbol_lib.explore.parts import rendered
from inbol_lib.report.plots.looks import KINDS
from inbol_lib.report.tables.layout import NAMES

WIDTH, HEIGHT = 520, 230  # of the chart of levels, in pixels
LEFT, RIGHT, BOTTOM, TOP = 46, 8, 40, 22  # its margins


def page(sizes: Sizes, note: str) -> str:
    """Return the HTML about what a pair of thresholds leads to."""
    total = sizes.classes.sum()
    rows = [("all", total), *((NAMES.get(name, name), row) for name, row in _by_source(sizes))]
    return rendered(
        "sizes.html",
        chart=chart(sizes),
        classes=[(name, _parts(row), int(row.sum())) for name, row in rows],
        columns=list(sizes.classes.columns),
        taken=taken(sizes),
        trouble=sizes.trouble,
        note=note,
        p=sizes.p,
    )


def _by_source(sizes: Sizes) -> Any:
    return sizes.classes.iterrows() if len(sizes.classes) > 1 else ()


def _parts(row: Any) -> list[tuple[str, int, float]]:
    """Return class, number and share in percent, the most confident first."""
    order = [*reversed(KINDS), *(name for name in row.index if name not in KINDS)]
    return [(name, int(row[name]), 100 * row[name] / max(row.sum(), 1)) for name in order]


def chart(sizes: Sizes) -> dict[str, Any]:
    """Return the bars, ticks and threshold lines of the chart of levels, in pixels."""
    levels, most = sizes.levels, max(sizes.levels.questions.max(), 1)
    gaps = levels.level.diff().dropna()
    wide = min(36.0, 0.72 * (gaps.min() if len(gaps) else 0.1) * _span())
    tall = HEIGHT - TOP - BOTTOM
    bars = [
        {
            "x": _x(row.level) - wide / 2,
            "y": HEIGHT - BOTTOM - tall * row.questions / most,
            "height": tall * row.questions / most,
            "kind": row.kind,
            "questions": row.questions,
            "level": row.level,
        }
        for row in levels.itertuples()
    ]
    ticks = [(_x(tenth / 10), f"{tenth / 10:.1f}") for tenth in range(0, 11, 2)]
    p = sizes.p
    lines = [
        (_x(value), name)
        for value, name in ((p.delta_unknown, "δ unknown"), (p.delta_known, "δ known"))
    ]
    return {
        "bars": bars,
        "width": wide,
        "ticks": ticks,
        "lines": lines,
        "size": (WIDTH, HEIGHT),
        "foot": HEIGHT - BOTTOM,
        "top": TOP,
        "left": LEFT,
        "right": WIDTH - RIGHT,
        "most": most,
    }


def _span() -> float:
    """Return the width of all confidences from 0 to 1, with half a tenth on either side."""
    return (WIDTH - LEFT - RIGHT) / 1.1


def _x(level: float) -> float:
    return LEFT + _span() * (level + 0.05)


def taken(sizes: Sizes) -> list[dict[str, Any]]:
    """Return what IDK-IT and CA-DPO get: per class, how many are taken, wanted and there."""
    found = []
    if sizes.instructions:
        found.append(_instructions(sizes.instructions))
    if sizes.pairs:
        found.append(_pairs(sizes.pairs))
    return found


def _instructions(counts: dict[str, Any]) -> dict[str, Any]:
    wanted, there = counts["wanted"], counts["there"]
    inside, outside = counts["unknown_intrinsic"], counts["unknown_extrinsic"]
    lines = [
        ("known", "answered right", counts["known"], wanted["known"], there["known"]),
        ("unknown", "refused", inside + outside, wanted["unknown"], there["unknown"]),
    ]
    parts = [("known", counts["known"]), ("unknown", inside), ("unanswerable", outside)]
    total = counts["known"] + inside + outside
    note = f"{inside:,} of the refused are intrinsic, {outside:,} unanswerable."
    head = f"IDK-IT gets {total:,} instructions"
    return _composed("idk_it", head, parts, lines, note)


def _pairs(counts: dict[str, Any]) -> dict[str, Any]:
    learnt = {
        "known": "right over refusal",
        "mixed": "right over wrong, refusal over wrong",
        "unknown": "refusal over wrong",
    }
    lines = [
        (kind, text, counts[kind], counts["wanted"][kind], counts["there"].get(kind, 0))
        for kind, text in learnt.items()
    ]
    parts = [(kind, counts[kind]) for kind in learnt]
    questions = sum(number for _, number in parts)
    left_out = counts["not_eligible"]
    note = "A mixed question makes two pairs."
    if left_out:
        note += f" Left out for lack of a response or of a verdict: {left_out:,}."
    head = f"CA-DPO gets {counts['pairs']:,} pairs on {questions:,} questions"
    return _composed("ca_dpo", head, parts, lines, note)


def _composed(
    method: str, head: str, parts: list[tuple[str, int]], lines: list[tuple], note: str
) -> dict[str, Any]:
    total = max(sum(number for _, number in parts), 1)
    colours = KINDS | {"unanswerable": KINDS["unknown"]}
    bar = [(kind, 100 * number / total, colours[kind]) for kind, number in parts]
    return {"method": method, "head": head, "bar": bar, "lines": lines, "note": note}
