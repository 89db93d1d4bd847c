"""What a cell is, its rows, and the tables in figures/ that the README shows."""

import statistics
from typing import Any, NamedTuple

import pandas as pd

OURS, BEST = "ours", "best peer"
COLUMNS = (
    "bench",
    "family",
    "image_tokens",
    "questions_per_image",
    "new_tokens",
    "peer_setting",
    "best_setting",
    "ours_s",
    "theirs_s",
    "ratio",
    "ratio_lo",
    "ratio_hi",
    "ours_peak_mb",
    "theirs_peak_mb",
    "turns",
)
#: what tells cells apart
CELL = ["bench", "family", "image_tokens", "questions_per_image", "new_tokens"]


class Cell(NamedTuple):
    """One kind of work at one size: `questions` in all, `questions_per_image` about each picture.

    `new_tokens` is the length of a sampled response, 0 where nothing is sampled.
    """

    bench: str
    family: str
    image_tokens: int
    questions_per_image: int
    new_tokens: int
    questions: int


def is_ours(setting: str) -> bool:
    """Whether a side is ours, at its default or with another token budget."""
    return setting.startswith(OURS)


def rows_of(
    cell: Cell, times: dict[str, list[float]], peaks: dict[str, float]
) -> list[dict[str, Any]]:
    """Return a row for the best peer, one for each of its settings, and ours with other budgets.

    Ours is at its default in all rows; in those named "ours: ...", `theirs` is ours with another
    token budget. A ratio is that of one turn: the other side's seconds by those of ours.
    """
    rows = [row(cell, name, times, peaks) for name in times if name != OURS]
    peers = [each for each in rows if not is_ours(each["peer_setting"])]
    fastest = min(peers, key=lambda each: each["theirs_s"])
    head = fastest | {"peer_setting": BEST, "best_setting": fastest["peer_setting"]}
    return [head, *rows]


def row(
    cell: Cell, name: str, times: dict[str, list[float]], peaks: dict[str, float]
) -> dict[str, Any]:
    theirs = times[name]
    ours = times[OURS][: len(theirs)]
    ratios = [other / mine for mine, other in zip(ours, theirs, strict=True)]
    found = {
        **{column: getattr(cell, column) for column in CELL},
        "peer_setting": name,
        "best_setting": "",
        "ours_s": statistics.median(ours),
        "theirs_s": statistics.median(theirs),
        "ratio": statistics.median(ratios),
        "ratio_lo": min(ratios),
        "ratio_hi": max(ratios),
        "ours_peak_mb": peaks[OURS],
        "theirs_peak_mb": peaks[name],
        "turns": len(theirs),
    }
    return {column: found[column] for column in COLUMNS}


def best(rows: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the row of the best peer."""
    (found,) = [row for row in rows if row["peer_setting"] == BEST]
    return found


def table(rows: list[dict[str, Any]]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=list(COLUMNS)).round(3)


def headlines(summary: pd.DataFrame) -> pd.DataFrame:
    """The rows of the best peers, one for each cell."""
    return summary[summary.peer_setting == BEST].reset_index(drop=True)
