"""Review by hand of unanswerable questions (the paper filters its test questions so, App. F): a widget, a file of decisions, their use.

Every decision is a line of params/reviews/<dataset>.jsonl (INBOL_REVIEWS moves the folder), written at once; the last one about a
question wins. The file is the user's: it belongs into version control, and nothing here ever removes a line. A rejected question does not
enter an artefact, so rejections are part of its identity: those among the questions that were drawn from the same pool by the same
generator, and no others. A question is known by its digest, so that another picture or wording is another question.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inbol_lib import paths
from inbol_lib.errors import ParameterError
from inbol_lib.mllm.journal import Journal
from inbol_lib.params import Params

SPLITS = ("train", "validation", "test")
CHECKS = (
    "not depicted",
    "wrong premise",
    "information not available",
)  # in the order of unanswerable.CHECKS
COLUMNS = [
    "id",
    "image_id",
    "question",
    "origin",
    "explanation",
    "checks",
    "incorrect",
    "digest",
    "end",
]
REJECTED = "rejected by hand"

Text = Annotated[str, Field(min_length=1)]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]+$")]


class Decision(BaseModel):
    """One line of the file."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Text
    digest: Hex  # of picture and question
    accepted: bool
    split: Literal[SPLITS]
    origin: Text  # "swap" or the generator
    pool: Hex  # of what the question was drawn from
    question: Text  # for people who read the file
    reviewer: str = ""


def file(p: Params) -> Path:
    """Where decisions about the questions of `p.dataset` are kept."""
    folder = Path(os.environ.get("INBOL_REVIEWS") or paths.PARAMS / "reviews")
    kind, _, place = p.dataset.partition(":")
    return (
        folder
        / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', '-'.join(filter(None, (kind, Path(place).name))))}.jsonl"
    )


def digest(image, question: str) -> str:
    """A question about a picture as 16 hex digits: of the pixels, because another Pillow may pack them otherwise."""
    return hashlib.sha256(
        f"{image.size}|{question}|".encode() + image.convert("RGB").tobytes()
    ).hexdigest()[:16]


def pool(p: Params, split: str) -> str:
    """What the questions of a split are drawn from, as 8 hex digits. The model and the filters may differ: a question stays a question."""
    drawn = [p.dataset, p.sources, p.data_seed, split, getattr(p, f"{split}_questions")]
    return hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:8]


def decisions(p: Params) -> dict[str, Decision]:
    """Digest -> the last decision, of those that concern `p`. Raises ParameterError that names every line that can not be read."""
    path, mine = file(p), {pool(p, split) for split in SPLITS}
    lines = _read(path, path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else ()
    return {
        d.digest: d
        for d in lines
        if d.pool in mine and d.origin in ("swap", p.unanswerable_generator)
    }


@lru_cache(8)  # the graph asks for it many times
def _read(path: Path, *version: int) -> tuple[Decision, ...]:
    found, wrong = [], []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        try:
            found += [Decision.model_validate_json(line)] if line.strip() else []
        except ValidationError as error:
            wrong += [
                f"  line {number}: {'.'.join(map(str, e['loc']))}: {e['msg']}, given {e['input']!r:.120}"
                for e in error.errors()
            ]
    if wrong:
        raise ParameterError(
            "\n".join(
                [f"{path} has lines that are no decisions; correct or delete them:", *wrong[:50]]
            )
        )
    return tuple(found)


def rejected(p: Params) -> list[str]:
    """Digests of the questions that may not enter the artefact of `p`, in order: part of its identity."""
    return sorted(d.digest for d in decisions(p).values() if not d.accepted)


def ends(rows: Sequence[dict], n: int, barred: Collection[str]) -> list[str]:
    """Where each question that passed all filters ends: "" (kept), rejected by hand, surplus.

    `n` are kept, evenly, so that the share of swaps stays; for one that was rejected comes the nearest of the surplus, of its own
    origin if there is any, so that what was already looked at stays.
    """
    out = [REJECTED if row["digest"] in barred else "surplus" for row in rows]
    spare = {i for i, end in enumerate(out) if end == "surplus"}
    even = np.linspace(0, len(rows), min(n, len(rows)), endpoint=False, dtype=int).tolist()
    spare -= set(even)
    for i in even:
        if out[i] == REJECTED and spare:
            i = min(
                spare, key=lambda j, i=i: (rows[j]["origin"] != rows[i]["origin"], abs(j - i), j)
            )
            spare.remove(i)
        out[i] = out[i] if out[i] == REJECTED else ""
    return out


def table(rows: list[dict]) -> pd.DataFrame:
    """Every question that was made, without its picture: COLUMNS; `end` is one of unanswerable.ENDS."""
    made = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return made.assign(end=made.end.replace("", "kept"), explanation=made.explanation.fillna(""))


def lost(p: Params, tables: dict[str, pd.DataFrame]) -> list[Decision]:
    """Decisions that concern `p` about questions which are no longer made (other pixels, another wording): kept in the file."""
    made = {d for t in tables.values() for d in t.digest}
    return [d for d in decisions(p).values() if d.digest not in made]


@dataclass
class Review:
    """The questions of a split that a person looks at, and what was decided; knows no widget."""

    p: Params
    split: str
    items: pd.DataFrame  # rows of `table`: kept, or rejected before
    picture: Callable  # image_id -> PIL image
    reviewer: str = ""
    at: int = 0
    said: dict[str, bool] = field(default_factory=dict)  # digest -> accepted

    def __post_init__(self) -> None:
        self.said = {
            name: d.accepted
            for name, d in decisions(self.p).items()
            if name in set(self.items.digest)
        }
        self.at = self.next_open(-1)

    def next_open(self, i: int) -> int:
        """The first question without a decision behind `i`, or before it; the number of questions where all are decided."""
        order = [*range(i + 1, len(self.items)), *range(min(i + 1, len(self.items)))]
        return next(
            (j for j in order if self.items.digest.iloc[j] not in self.said), len(self.items)
        )

    def decide(self, accepted: bool) -> None:
        """Write the decision about the question shown, and go on to the next."""
        row, again = self.items.iloc[self.at], self.items.digest.iloc[self.at] in self.said
        line = Decision(id=row.id, digest=row.digest, accepted=accepted, split=self.split, origin=row.origin,
                        pool=pool(self.p, self.split), question=row.question, reviewer=self.reviewer)  # fmt: skip
        file(self.p).parent.mkdir(parents=True, exist_ok=True)
        Journal(file(self.p)).add(line.model_dump(exclude_defaults=True))
        self.said[row.digest] = accepted
        self.at = self.at + 1 if again else self.next_open(self.at)

    def move(self, step: int) -> None:
        """One question back (-1) or on (+1)."""
        self.at = min(max(self.at + step, 0), len(self.items))

    def counts(self) -> str:
        yes = sum(self.said.values())
        return f"{len(self.items)} questions: {yes} accepted, {len(self.said) - yes} rejected, {len(self.items) - len(self.said)} open"
