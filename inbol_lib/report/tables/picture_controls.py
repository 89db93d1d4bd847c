"""Tables of two controls that only a made world can give exactly (ours): do methods look?"""

import pandas as pd

from inbol_lib.evaluation import metrics
from inbol_lib.evaluation.intervals import interval
from inbol_lib.report.tables.layout import CONTROLS

PAIRS, BLIND = CONTROLS


def pairs(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return how often a method answers a question and refuses it where the answer is gone.

    Parameters
    ----------
    outcomes : pd.DataFrame
        Outcome table. Of each group of a source "pairs_<edit>" one question is answerable, and
        the other is the same question about the edited picture.

    Returns
    -------
    pd.DataFrame
        One row per model, method and kind of edit ("all" last), in points: `right` (of the
        answerable halves), `refused` (of the others), `both` (right and refused, which neither a
        method that always answers nor one that always refuses can be) with its 95 % interval lo
        and hi, and the number of pairs n and of seeds n_seeds.
    """
    asked = outcomes[outcomes.source.str.startswith(PAIRS)]
    rows = []
    for (model, method), mine in asked.groupby(["model", "method"], sort=False):
        kinds = {name.removeprefix(PAIRS): part for name, part in mine.groupby("source")}
        for edit, part in [*kinds.items(), ("all", mine)]:
            rows.append({"model": model, "method": method, "edit": edit, **_pair_scores(part)})
    return pd.DataFrame(rows)


def _pair_scores(part: pd.DataFrame) -> dict[str, float]:
    full, empty = part[part.answerable], part[~part.answerable]
    keys = ["seed", "group"]
    both = full.merge(empty[[*keys, "outcome"]], on=keys, suffixes=("", "_empty"))
    won = (both.outcome == "correct") & (both.outcome_empty == "refusal")
    judged = both.assign(outcome=won.map({True: "correct", False: "incorrect"}))
    lo, hi = interval(judged, statistic="acc")
    return {
        "right": 100 * (full.outcome == "correct").mean(),
        "refused": 100 * (empty.outcome == "refusal").mean(),
        "both": 100 * won.mean(),
        "lo": 100 * lo,
        "hi": 100 * hi,
        "n": judged.group.nunique(),
        "n_seeds": judged.seed.nunique(),
    }


def blind(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return how often methods refuse answerable questions that they see, and see nothing of.

    Parameters
    ----------
    outcomes : pd.DataFrame
        Outcome table with sources "blind_<kind>" (see `data.blind_pictures`).

    Returns
    -------
    pd.DataFrame
        One row per model, method and kind of picture, in points: `refr` with its 95 % interval lo
        and hi, `acc` (right by luck where the picture is blind), and n, n_seeds.
    """
    blinded = outcomes[outcomes.source.str.startswith(BLIND)]
    rows = []
    for (model, method), mine in blinded.groupby(["model", "method"], sort=False):
        for name, part in mine.groupby("source", sort=False):
            picture = name.removeprefix(BLIND)
            rows.append({"model": model, "method": method, "picture": picture, **_seen(part)})
    return pd.DataFrame(rows)


def _seen(part: pd.DataFrame) -> dict[str, float]:
    score = metrics.score(metrics.counts(part).sum())
    lo, hi = interval(part, statistic="refr")
    shares = {"refr": score["refr"], "lo": lo, "hi": hi, "acc": score["acc"]}
    sizes = {"n": part.id.nunique(), "n_seeds": part.seed.nunique()}
    return {name: 100 * float(value) for name, value in shares.items()} | sizes
