"""Review of unanswerable questions by hand: a file of decisions and how they are applied.

The paper filters its test questions by hand (App. F). Here every decision is a line of
params/reviews/<dataset>.jsonl (INBOL_REVIEWS moves the folder), written at once; the last line
about a question wins. The file is the user's: it belongs under version control, and nothing here
ever removes a line.

A rejected question does not enter an artefact, so rejections are part of the artefact's identity:
those about questions drawn from the same pool by the same generator, and no others. A question is
known by its digest, so that another picture or wording makes another question. The widget is in
`report/reviewing.py`.
"""

import hashlib
import json
import os
import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from PIL import Image
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from inbol_lib import paths
from inbol_lib.errors import ParameterError
from inbol_lib.mllm.journal import Journal
from inbol_lib.params import Params

if TYPE_CHECKING:
    import pandas as pd  # the graph must load fast without it

SPLITS = ("train", "validation", "test")
#: Headings of the verifier's answers, in the order of `unanswerable.CHECKS`.
CHECKS = ("not depicted", "wrong premise", "information not available")
#: Columns of `table`.
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
_LISTED = 50  # bad lines that an error message shows at most

Text = Annotated[str, Field(min_length=1)]
Hex = Annotated[str, Field(pattern=r"^[0-9a-f]+$")]


class Decision(BaseModel):
    """One line of the file of decisions."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)

    id: Text
    digest: Hex  # of the picture and the question
    accepted: bool
    split: Literal[SPLITS]
    origin: Text  # "swap" or the generator
    pool: Hex  # of what the question was drawn from
    question: Text  # for people who read the file
    reviewer: str = ""


def file(p: Params) -> Path:
    """Return the file of the decisions about questions of `p.dataset`."""
    folder = Path(os.environ.get("INBOL_REVIEWS") or paths.PARAMS / "reviews")
    kind, _, place = p.dataset.partition(":")
    name = "-".join(part for part in (kind, Path(place).name) if part)
    return folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', name)}.jsonl"


def digest(image: Image.Image, question: str) -> str:
    """Return 16 hex digits that identify a question about a picture.

    They depend on the pixels and not on the file, which another Pillow may pack differently.
    """
    content = f"{image.size}|{question}|".encode() + image.convert("RGB").tobytes()
    return hashlib.sha256(content).hexdigest()[:16]


def pool(p: Params, split: str) -> str:
    """Return 8 hex digits that identify what the questions of a split are drawn from.

    The model and the filters are left out, because a question does not depend on them.
    """
    drawn = [p.dataset, p.sources, p.data_seed, split, getattr(p, f"{split}_questions")]
    return hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:8]


def decisions(p: Params) -> dict[str, Decision]:
    """Return the last decision about each question that concerns `p`, by the question's digest.

    Raises
    ------
    ParameterError
        When the file has lines that cannot be read; the message names each of them.
    """
    path = file(p)
    if not path.is_file():
        return {}
    pools = {pool(p, split) for split in SPLITS}
    origins = ("swap", p.unanswerable_generator)
    status = path.stat()
    return {
        decision.digest: decision
        for decision in _read(path, status.st_mtime_ns, status.st_size)
        if decision.pool in pools and decision.origin in origins
    }


@lru_cache(8)  # one look at the graph of artefacts asks for the same file many times
def _read(path: Path, *version: int) -> tuple[Decision, ...]:
    """Read a file of decisions; `version` makes the cache notice that the file has changed."""
    found, wrong = [], []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if not line.strip():
            continue
        try:
            found.append(Decision.model_validate_json(line))
        except ValidationError as error:
            wrong += _explained(number, error)
    if wrong:
        heading = f"{path} has lines that are not decisions; correct or delete them:"
        raise ParameterError("\n".join([heading, *wrong[:_LISTED]]))
    return tuple(found)


def _explained(number: int, error: ValidationError) -> list[str]:
    """Return one line of text for every fault in a line of the file."""
    explained = []
    for fault in error.errors():
        place = ".".join(map(str, fault["loc"]))
        given = f"{fault['input']!r:.120}"
        explained.append(f"  line {number}: {place}: {fault['msg']}, given {given}")
    return explained


def rejected(p: Params) -> list[str]:
    """Return the sorted digests of the questions that people rejected.

    They may not enter the artefact of `p` and are part of its identity.

    Raises
    ------
    ParameterError
        As in `decisions`.
    """
    return sorted(name for name, decision in decisions(p).items() if not decision.accepted)


def ends(rows: Sequence[dict], n: int, barred: Collection[str]) -> list[str]:
    """Choose among the questions that passed all other filters, and say where each ends.

    The chosen ones are spread evenly over the rows, so that the share of swaps stays. A rejected
    one among them is replaced by the nearest of the surplus, of its own origin if there is any,
    so that all others stay as they were when a person looked at them.

    Parameters
    ----------
    rows : sequence of dict
        Questions with `digest` and `origin`.
    n : int
        How many to keep; fewer are kept when too few are left.
    barred : collection of str
        Digests of rejected questions.

    Returns
    -------
    list of str
        For each row "" (kept), `REJECTED` or "surplus".
    """
    found = [REJECTED if row["digest"] in barred else "surplus" for row in rows]
    import numpy as np  # here, because the graph must load fast without it

    even = np.linspace(0, len(rows), min(n, len(rows)), endpoint=False, dtype=int).tolist()
    spare = {index for index, end in enumerate(found) if end == "surplus"} - set(even)
    for index in even:
        if found[index] != REJECTED:
            found[index] = ""
        elif spare:
            substitute = _nearest(rows, index, spare)
            spare.remove(substitute)
            found[substitute] = ""
    return found


def _nearest(rows: Sequence[dict], index: int, spare: Collection[int]) -> int:
    """Return the spare row nearest to a given one; rows of the same origin come first."""

    def distance(other: int) -> tuple[bool, int, int]:
        foreign = rows[other]["origin"] != rows[index]["origin"]
        return foreign, abs(other - index), other

    return min(spare, key=distance)


def table(rows: Sequence[dict]) -> "pd.DataFrame":
    """Return all questions that were made, without their pictures.

    The columns are `COLUMNS`; `end` is one of `unanswerable.ENDS`.
    """
    import pandas as pd  # here, because the graph must load fast without it

    made = pd.DataFrame(rows).reindex(columns=COLUMNS)
    return made.assign(end=made.end.replace("", "kept"), explanation=made.explanation.fillna(""))


def lost(p: Params, tables: "dict[str, pd.DataFrame]") -> list[Decision]:
    """Return the decisions that concern `p` but are about questions that are no longer made.

    This happens when a picture or a wording has changed; the decisions stay in the file.

    Parameters
    ----------
    p : Params
    tables : dict
        Split -> its `table`.

    Raises
    ------
    ParameterError
        As in `decisions`.
    """
    made = {name for frame in tables.values() for name in frame.digest}
    return [decision for name, decision in decisions(p).items() if name not in made]


@dataclass
class Review:
    """The questions of a split that a person looks at, and what was decided about them.

    It knows nothing of the widget that shows it.
    """

    p: Params
    split: str
    items: "pd.DataFrame"  # rows of `table` that are kept or were rejected before
    picture: Callable[[str], Image.Image]  # image_id -> its picture
    reviewer: str = ""
    at: int = 0  # position of the question shown; len(items) when all are decided
    said: dict[str, bool] = field(default_factory=dict)  # digest -> accepted

    def __post_init__(self) -> None:
        """Take over earlier decisions and go to the first open question."""
        shown = set(self.items.digest)
        earlier = decisions(self.p)
        self.said = {name: earlier[name].accepted for name in earlier if name in shown}
        self.at = self.next_open(-1)

    def next_open(self, index: int) -> int:
        """Return the position of the next open question.

        The search starts after `index` and goes on from the beginning; the result is the number
        of questions when none is open.
        """
        count = len(self.items)
        order = [*range(index + 1, count), *range(min(index + 1, count))]
        still_open = (at for at in order if self.items.digest.iloc[at] not in self.said)
        return next(still_open, count)

    def decide(self, accepted: bool) -> None:
        """Write down the decision about the question shown, and go on to the next.

        After a first decision that is the next open question; after a change of mind it is simply
        the following one.
        """
        row = self.items.iloc[self.at]
        again = row.digest in self.said
        decision = Decision(
            id=row.id,
            digest=row.digest,
            accepted=accepted,
            split=self.split,
            origin=row.origin,
            pool=pool(self.p, self.split),
            question=row.question,
            reviewer=self.reviewer,
        )
        path = file(self.p)
        path.parent.mkdir(parents=True, exist_ok=True)
        Journal(path).add(decision.model_dump(exclude_defaults=True))
        self.said[row.digest] = accepted
        self.at = self.at + 1 if again else self.next_open(self.at)

    def move(self, step: int) -> None:
        """Go one question back (-1) or on (+1)."""
        self.at = min(max(self.at + step, 0), len(self.items))

    def counts(self) -> str:
        """Return in one line how many questions are accepted, rejected and open."""
        accepted = sum(self.said.values())
        rejected_ones = len(self.said) - accepted
        still_open = len(self.items) - len(self.said)
        return (
            f"{len(self.items)} questions: "
            f"{accepted} accepted, {rejected_ones} rejected, {still_open} open"
        )
