"""How far to trust a judge: Cohen's kappa with the truth, and every case where they differ.

The paper (App. D.1) compares with people on 200 responses and finds 0.749 for string match and
0.885 for the hybrid evaluator; it prints no interval.
"""

from collections.abc import Sequence
from importlib import resources
from typing import Any

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from inbol_lib.data.records import LETTERS
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.judging import hybrid
from inbol_lib.judging.hybrid import judge
from inbol_lib.judging.refusals import stance
from inbol_lib.micro.world.instructions import OWN_WORDS


def kappa(first: Sequence, second: Sequence) -> dict[str, float]:
    """Return Cohen's kappa of two judgings of the same items, with its 95 % interval.

    Parameters
    ----------
    first, second : sequences of shape (items,)
        The words of both judgings.

    Returns
    -------
    dict
        `n`, `agreement` (share in [0, 1]), `kappa`, `lo` and `hi`. The last three are NaN when
        both use one and the same word throughout, because chance agreement is then 1.

    Raises
    ------
    ValueError
        When the lengths differ or there are no items.

    Notes
    -----
    The interval uses the large-sample standard error [1]_. That error is 0 when the two agree on
    every item; `lo` then follows from the exact 97.5 % limit of the share of disagreements.

    References
    ----------
    .. [1] J. L. Fleiss, J. Cohen and B. S. Everitt, "Large sample standard errors of kappa and
       weighted kappa", Psychological Bulletin 72 (1969).
    """
    if len(first) != len(second) or len(first) == 0:
        raise ValueError(
            f"two judgings of the same items are needed, given {len(first)} and {len(second)}"
        )
    labels = sorted({*first, *second})
    if len(labels) == 1:
        return {"n": len(first), "agreement": 1.0, "kappa": np.nan, "lo": np.nan, "hi": np.nan}
    n, p = len(first), confusion_matrix(first, second, labels=labels) / len(first)
    rows, columns, same = p.sum(1), p.sum(0), np.diag(p)
    agreed, chance = float(same.sum()), float(rows @ columns)
    k = (agreed - chance) / (1 - chance)
    if agreed > 1 - 0.5 / n:
        return {
            "n": n,
            "agreement": 1.0,
            "kappa": 1.0,
            "lo": 1 - (1 - 0.025 ** (1 / n)) / (1 - chance),
            "hi": 1.0,
        }
    off = (p * (columns[:, None] + rows[None, :]) ** 2).sum() - (same * (columns + rows) ** 2).sum()
    spread = (
        (same * (1 - (rows + columns) * (1 - k)) ** 2).sum()
        + (1 - k) ** 2 * off
        - (k - chance * (1 - k)) ** 2
    )
    half = 1.96 * np.sqrt(max(spread, 0) / n) / (1 - chance)
    return {
        "n": n,
        "agreement": agreed,
        "kappa": float(k),
        "lo": float(max(k - half, -1)),
        "hi": float(min(k + half, 1)),
    }


def sample(records: pd.DataFrame, n: int = 200, seed: int = 0) -> pd.DataFrame:
    """Draw questions at random, and one sampled response to each.

    Parameters
    ----------
    records : DataFrame
        Standard records; the column `image` is not needed.
    n : int
        How many questions to draw; all are returned when there are fewer.
    seed : int

    Returns
    -------
    DataFrame
        One row per question, with its response in `response`.
    """
    every = records.drop(columns=["image", "verdicts"], errors="ignore").explode(
        "responses", ignore_index=True
    )
    rows = (
        every.sample(frac=1, random_state=seed)
        .drop_duplicates("id")
        .head(n)
        .rename(columns={"responses": "response"})
    )
    return rows.assign(
        **{name: rows[name].map(list) for name in ("answers", "choices", "accepted")}
    ).reset_index(drop=True)


def world_truth(row: dict) -> str:
    """Return what the micro world itself calls a response.

    The response is compared by equality alone, which is independent of every evaluator: "correct"
    is one of the surface forms that the world accepts, or the letter of the right option;
    "refusal" is one of the refusal templates, or of the sentences with which a base model says that
    something cannot be known; everything else is "incorrect".
    """
    said = row["response"].strip().rstrip(".").lower()
    if said in {sentence.rstrip(".").lower() for sentence in (*REFUSAL_TEMPLATES, *OWN_WORDS)}:
        return "refusal"
    right = {form.lower() for form in row["accepted"]}
    right |= {
        letter.lower()
        for letter, choice in zip(LETTERS, row["choices"], strict=False)
        if choice in row["answers"]
    }
    return "correct" if said in right else "incorrect"


def judged(rows: pd.DataFrame, judges: Sequence[str]) -> pd.DataFrame:
    """Return the rows with the micro world's verdict and those of some judges.

    Parameters
    ----------
    rows : DataFrame
        Questions with a `response` each, as `sample` returns them.
    judges : sequence of str
        "string", "micro-judge", a model id or "endpoint:<model>".

    Returns
    -------
    DataFrame
        The rows with `truth` and one more column for each judge, named after it.
    """
    items = rows.to_dict("records")
    columns = {name: judge(items, list(rows.response), name) for name in judges}
    return rows.assign(truth=list(map(world_truth, items)), **columns)


def audit(table: pd.DataFrame, judges: Sequence[str]) -> pd.DataFrame:
    """Return how well each judge agrees with the truth.

    Parameters
    ----------
    table : DataFrame
        As `judged` returns it.
    judges : sequence of str
        Names of its columns.

    Returns
    -------
    DataFrame
        One row per judge: `judge`, the results of `kappa`, and `unjudged`, the number of responses
        that it left unjudged. "unjudged" counts as a word of its own, so it never agrees.
    """
    lines = (
        {
            "judge": name,
            **kappa(table.truth, table[name]),
            "unjudged": int((table[name] == "unjudged").sum()),
        }
        for name in judges
    )
    return pd.DataFrame(lines)


def disagreements(table: pd.DataFrame, judge: str, truth: str = "truth") -> pd.DataFrame:
    """Return every row where two judgings differ, sorted by their two words.

    Parameters
    ----------
    table : DataFrame
        As `judged` returns it.
    judge, truth : str
        Names of the two columns to compare.

    Returns
    -------
    DataFrame
        The two columns, and those of `source`, `question`, `answers`, `choices` and `response`
        that the table has.
    """
    rows = table[table[truth] != table[judge]]
    kept = [
        name for name in ("source", "question", "answers", "choices", "response") if name in rows
    ]
    return rows[[*kept, truth, judge]].sort_values([truth, judge, "response"], ignore_index=True)


#: What a judge is told where neither question nor gold answer was kept.
NOT_KEPT = "(not kept)"


def real_responses() -> pd.DataFrame:
    """Return 420 responses that three real models wrote unprompted, read by two people (ours).

    Returns
    -------
    DataFrame
        `id`, `model`, `response`; what it does ("declines", "answers", "neither") to the `first`
        and the `second` reader; and `label`, where a third reading settled what they differed on.
        Source and licence: labelled/NOTICE.txt.
    """
    with (resources.files("inbol_lib.judging") / "labelled" / "real_responses.parquet").open(
        "rb"
    ) as file:
        return pd.read_parquet(file)


def audit_declining(judge: str = "string") -> pd.DataFrame:
    """Return how well the rules, and people, tell which real responses decline.

    The rules were written with these responses at hand, so other models' may be read less well.

    Parameters
    ----------
    judge : str
        A judge that knows three verdicts is asked where the rules are unsure; other judges
        ("string", packaged ones) add nothing.

    Returns
    -------
    DataFrame
        One row for the rules, for the rules with the judge if it is asked, and for the second
        reader beside the first: `reader`, the results of `kappa`, and how many of the responses
        that decline were `missed`, and how many others were `false` alarms.
    """
    table = real_responses()
    stances = [stance(text) for text in table.response]
    said = {"rules": [one.declines for one in stances]}
    if judge != "string" and hybrid.ways(judge) == 3:
        unsure = [text for text, one in zip(table.response, stances, strict=True) if not one.sure]
        verdicts = hybrid.llm_verdicts([(NOT_KEPT, NOT_KEPT, text) for text in unsure], judge)
        said[f"rules and {judge}"] = [
            verdicts[NOT_KEPT, NOT_KEPT, text] == "refusal" if not one.sure else one.declines
            for text, one in zip(table.response, stances, strict=True)
        ]
    truth = table.label == "declines"
    lines = [_declining(name, truth, pd.Series(found)) for name, found in said.items()]
    lines.append(
        _declining("a second person", *(table[["first", "second"]] == "declines").T.values)
    )
    return pd.DataFrame(lines)


def _declining(reader: str, truth: Sequence[bool], found: Sequence[bool]) -> dict[str, Any]:
    """Return one reader's line: agreement with the truth, and both kinds of error."""
    pairs = list(zip(truth, found, strict=True))
    missed = sum(declines and not said for declines, said in pairs)
    false = sum(said and not declines for declines, said in pairs)
    return {"reader": reader, **kappa(*zip(*pairs, strict=True)), "missed": missed, "false": false}
