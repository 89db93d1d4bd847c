"""Fig. 9: questions that the image cannot answer, and why."""

import pandas as pd
from datasets import Dataset

from inbol_lib.boundary import unanswerable
from inbol_lib.params import Params
from inbol_lib.report.plots import pictures
from inbol_lib.report.plots.illustrations.examples import Drawn, classes
from inbol_lib.report.plots.pictures import wrap

SHEET = 4  # questions of each origin
VERDICTS = {True: "yes", False: "no", None: "unclear"}


def unanswerable_sheet(p: Params, beyond: Dataset, made: pd.DataFrame) -> Drawn:
    """Draw SHEET unanswerable questions of each origin with their reasons and verdicts.

    Rule: the first training records of each origin, each on an image of its own.

    Parameters
    ----------
    p : Params
    beyond : Dataset
        Standard records of unanswerable training questions.
    made : pd.DataFrame
        The generator's reasons (explanation) and the verifier's verdicts (checks) for each id, as
        `unanswerable.build` returns them.
    """
    each = classes(beyond, p).drop_duplicates("image_id").groupby("origin", sort=False)
    chosen = each.head(SHEET).sort_values("origin", kind="stable")
    rows = [beyond[int(index)] for index in chosen.row]
    checks = ("unanswerable",) if p.verifier == "program" else unanswerable.CHECKS
    about = made.set_index("id")
    drawn = [_drawn_line(row, about, checks) for row in rows]
    captions = [_caption(line, checks) for line in drawn]
    figure = pictures.picture_grid([row["image"] for row in rows], captions, columns=SHEET)
    return figure, pd.DataFrame(drawn)


def _drawn_line(row: dict, about: pd.DataFrame, checks: tuple[str, ...]) -> dict:
    """Return what is drawn of one record, with a verdict per check."""
    reason = about.explanation[row["id"]]
    if row["origin"] == "swap":
        reason = "image of another question"
    verdicts = [VERDICTS[verdict] for verdict in about.checks[row["id"]]]
    return {
        "id": row["id"],
        "origin": row["origin"],
        "question": row["question"],
        "reason": reason,
        **dict(zip(checks, verdicts, strict=True)),
        "response": row["incorrect"],
    }


def _caption(line: dict, checks: tuple[str, ...]) -> str:
    passed = ", ".join(check for check in checks if line[check] == "yes")
    return "\n".join(
        [
            wrap(line["question"], 28, 100),
            wrap(f"{line['origin']}: {line['reason']}", 30, 100, "    "),
            wrap(f"verifier: {passed}", 30, 0, "    "),
            pictures.spoken("original", line["response"], "incorrect"),
        ]
    )
