"""How far to trust a judging: Cohen's kappa with the truth, and every case where they differ (paper, App. D.1: 0.749 for string match,
0.885 for the hybrid evaluator, against people on 200 responses; it prints no interval)."""

from collections.abc import Sequence

import numpy as np
import pandas as pd
from sklearn.metrics import confusion_matrix

from inbol_lib.data.records import LETTERS
from inbol_lib.data.templates import REFUSAL_TEMPLATES
from inbol_lib.judging.hybrid import judge


def kappa(first: Sequence, second: Sequence) -> dict[str, float]:
    """Cohen's kappa of two judgings of the same items, with its 95 % interval: n, agreement (share), kappa, lo, hi.

    Large-sample standard error (Fleiss, Cohen and Everitt, 1969). Without any disagreement that error is 0, so `lo` is then what the
    exact 97.5 % limit of the share of disagreements allows. NaN where both say one and the same word throughout: chance agreement is 1.
    Raises ValueError on different lengths or no items.
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
    """One sampled response (`response`) of each of `n` questions drawn from some records; fewer where there are fewer questions."""
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
    """What the micro world itself calls a response, by equality alone and so independently of every evaluator: one of the surface
    forms it accepts (or the right option's letter) is correct, one of the templates a refusal, everything else incorrect."""
    said = row["response"].strip().rstrip(".").lower()
    if said in {template.rstrip(".").lower() for template in REFUSAL_TEMPLATES}:
        return "refusal"
    right = {form.lower() for form in row["accepted"]}
    right |= {
        letter.lower()
        for letter, choice in zip(LETTERS, row["choices"], strict=False)
        if choice in row["answers"]
    }
    return "correct" if said in right else "incorrect"


def judged(rows: pd.DataFrame, judges: Sequence[str]) -> pd.DataFrame:
    """The rows with `truth` and a column for each judge ("string", "micro-judge", a model id or "endpoint:<model>")."""
    items = rows.to_dict("records")
    columns = {name: judge(items, list(rows.response), name) for name in judges}
    return rows.assign(truth=list(map(world_truth, items)), **columns)


def audit(table: pd.DataFrame, judges: Sequence[str]) -> pd.DataFrame:
    """One row for each judge: its agreement with `truth` (n, agreement, kappa, lo, hi) and how many it left unjudged. An unjudged
    response counts as a word of its own, so it never agrees."""
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
    """Every row where the two columns differ: source, question, answers, response, truth, judge; grouped by what became what."""
    rows = table[table[truth] != table[judge]]
    kept = [
        name for name in ("source", "question", "answers", "choices", "response") if name in rows
    ]
    return rows[[*kept, truth, judge]].sort_values([truth, judge, "response"], ignore_index=True)
