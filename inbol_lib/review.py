"""Review by hand of unanswerable questions (the paper filters its test questions so, App. F): a widget, a file of decisions, their use.

Every decision is a line of params/reviews/<dataset>.jsonl (INBOL_REVIEWS moves the folder), written at once; the last one about a
question wins. The file is the user's: it belongs into version control, and nothing here ever removes a line. A rejected question does not
enter an artefact, so rejections are part of its identity: those among the questions that were drawn from the same pool by the same
generator, and no others. A question is known by its digest, so that another picture or wording is another question.
"""

import base64
import hashlib
import html
import io
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
from inbol_lib.journal import Journal
from inbol_lib.params import ParameterError, Params

SPLITS = ("train", "validation", "test")
CHECKS = ("not depicted", "wrong premise", "information not available")  # in the order of unanswerable.CHECKS
COLUMNS = ["id", "image_id", "question", "origin", "explanation", "checks", "incorrect", "digest", "end"]
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
    return folder / f"{re.sub(r'[^A-Za-z0-9._-]+', '-', '-'.join(filter(None, (kind, Path(place).name))))}.jsonl"


def digest(image, question: str) -> str:
    """A question about a picture as 16 hex digits: of the pixels, because another Pillow may pack them otherwise."""
    return hashlib.sha256(f"{image.size}|{question}|".encode() + image.convert("RGB").tobytes()).hexdigest()[:16]


def pool(p: Params, split: str) -> str:
    """What the questions of a split are drawn from, as 8 hex digits. The model and the filters may differ: a question stays a question."""
    drawn = [p.dataset, p.sources, p.data_seed, split, getattr(p, f"{split}_questions")]
    return hashlib.sha256(json.dumps(drawn).encode()).hexdigest()[:8]


def decisions(p: Params) -> dict[str, Decision]:
    """Digest -> the last decision, of those that concern `p`. Raises ParameterError that names every line that can not be read."""
    path, mine = file(p), {pool(p, split) for split in SPLITS}
    lines = _read(path, path.stat().st_mtime_ns, path.stat().st_size) if path.is_file() else ()
    return {d.digest: d for d in lines if d.pool in mine and d.origin in ("swap", p.unanswerable_generator)}


@lru_cache(8)  # the graph asks for it many times
def _read(path: Path, *version: int) -> tuple[Decision, ...]:
    found, wrong = [], []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        try:
            found += [Decision.model_validate_json(line)] if line.strip() else []
        except ValidationError as error:
            wrong += [f"  line {number}: {'.'.join(map(str, e['loc']))}: {e['msg']}, given {e['input']!r:.120}" for e in error.errors()]
    if wrong:
        raise ParameterError("\n".join([f"{path} has lines that are no decisions; correct or delete them:", *wrong[:50]]))
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
            i = min(spare, key=lambda j, i=i: (rows[j]["origin"] != rows[i]["origin"], abs(j - i), j))
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
        self.said = {name: d.accepted for name, d in decisions(self.p).items() if name in set(self.items.digest)}
        self.at = self.next_open(-1)

    def next_open(self, i: int) -> int:
        """The first question without a decision behind `i`, or before it; the number of questions where all are decided."""
        order = [*range(i + 1, len(self.items)), *range(min(i + 1, len(self.items)))]
        return next((j for j in order if self.items.digest.iloc[j] not in self.said), len(self.items))

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


#: What a decision looks like: word, colour (Okabe-Ito, as in the figures).
LOOKS = {True: ("accepted", "#009E73"), False: ("rejected", "#D55E00"), None: ("open", "#9e9e9e")}
_CHIP = "display:inline-block; margin:0 8px 6px 0; padding:2px 10px; border-radius:11px; border:1px solid {}; line-height:20px"
_QUIET = "color:var(--jp-ui-font-color2, #616161); font-size:13px"


def _image(picture) -> str:
    """As a data URL, no larger than it is shown."""
    picture = picture.convert("RGB")
    picture.thumbnail((640, 640))
    picture.save(packed := io.BytesIO(), "PNG")
    style = "width:300px; border-radius:8px; flex:none;" + ("image-rendering:pixelated" if picture.width < 300 else "")
    return f'<img alt="" style="{style}" src="data:image/png;base64,{base64.b64encode(packed.getvalue()).decode()}">'


def _strip(review: Review) -> str:
    """A square for each question, in the colour of its decision; the one shown is larger."""
    square = '<span title="{}" style="width:{}px; height:{}px; background:{}; border-radius:2px"></span>'
    marks = []
    for i, name in enumerate(review.items.digest):
        word, colour = LOOKS[review.said.get(name)]
        marks.append(square.format(f"{i + 1}: {word}", *(2 * [16 if i == review.at else 10]), colour))
    return f'<div style="display:flex; flex-wrap:wrap; align-items:center; gap:4px; min-height:18px">{"".join(marks)}</div>'


def _question(review: Review) -> str:
    """The question shown, with all that is known about it. Nothing in it is trusted: a generator wrote it."""
    row = review.items.iloc[review.at]
    word, colour = LOOKS[review.said.get(row.digest)]
    answers = {True: ("yes", "#009E73"), False: ("no", "#7f7f7f"), None: ("unclear", "#E69F00")}
    names = CHECKS if len(row.checks) == len(CHECKS) else ("unanswerable",)
    chips = (f'<span style="{_CHIP.format(answers[said][1])}">{name}: <b>{answers[said][0]}</b></span>'
             for name, said in zip(names, row.checks, strict=True))  # fmt: skip
    made = "the question of another picture" if row.origin == "swap" else f"made by {row.origin}"
    parts = [
        f'<div style="{_QUIET}">{review.at + 1} of {len(review.items)} · {html.escape(made)} · <b style="color:{colour}">{word}</b></div>',
        f'<div style="font-size:22px; font-weight:600; line-height:1.3; margin:10px 0">{html.escape(row.question)}</div>',
        f'<div style="font-size:15px; margin-bottom:14px">{html.escape(row.explanation) or "No explanation."}</div>',
        f'<div style="{_QUIET}; margin-bottom:4px">The verifier on this picture and question</div><div>{"".join(chips)}</div>',
        f'<div style="{_QUIET}; margin-top:8px">The model answers: {html.escape(str(row.incorrect))}</div>',
    ]
    return f'{_image(review.picture(row.image_id))}<div style="min-width:0">{"".join(parts)}</div>'


def _done(review: Review) -> str:
    late = sum(review.said.get(r.digest, True) == (r.end == REJECTED) for r in review.items.itertuples())
    todo = f"{late} of the decisions change the questions: run this notebook again to apply them." if late else "Nothing is left to apply."
    return f'<div style="font-size:18px"><b>No question is left.</b><br>{todo} They are kept in {html.escape(file(review.p).name)}.</div>'


def page(review: Review) -> str:
    """What a person sees, as HTML."""
    shown = _question(review) if review.at < len(review.items) else _done(review)
    card = "display:flex; gap:26px; min-height:300px; padding:4px 0 12px; color:var(--jp-ui-font-color1, #212121); line-height:1.45"
    below = f'{_strip(review)}<div style="{_QUIET}">{review.counts()}</div>'
    return f'<div style="max-width:900px"><div style="{card}">{shown}</div>{below}</div>'


def widget(review: Review):
    """The page with its buttons. Tab goes from one to the next, Space presses; the pressed one stays where it is."""
    import ipywidgets

    card = ipywidgets.HTML()
    looks = {"Accept": ("success", "check", lambda: review.decide(True)), "Reject": ("danger", "times", lambda: review.decide(False)),
             "Back": ("", "arrow-left", lambda: review.move(-1)), "Skip": ("", "arrow-right", lambda: review.move(1))}  # fmt: skip
    buttons = [ipywidgets.Button(description=name, button_style=style, icon=icon) for name, (style, icon, _) in looks.items()]

    def draw(*_) -> None:
        card.value, over = page(review), review.at == len(review.items)
        for button, off in zip(buttons, (over, over, review.at == 0, over), strict=True):
            button.disabled = off

    for button, (_, _, act) in zip(buttons, looks.values(), strict=True):
        button.on_click(lambda _, act=act: (act(), draw()))
    draw()
    return ipywidgets.VBox([card, ipywidgets.HBox(buttons)])


def show(p: Params, tables: dict[str, pd.DataFrame], pools: dict, split: str = "test", reviewer: str = "") -> None:
    """The widget for the questions of a split in JupyterLab or Notebook; elsewhere (papermill, nbval, CI) a contact sheet. Both
    count what is decided and name the decisions, of any split, about questions that are no longer made."""
    from IPython.display import display

    from inbol_lib.run import progress

    places = {name: i for i, name in enumerate(pools[split]["image_id"])}
    items = tables[split][tables[split].end.isin(["kept", REJECTED])].reset_index(drop=True)
    review = Review(p, split, items, lambda name: pools[split][places[name]]["image"], reviewer)
    if gone := lost(p, tables):
        print(f"{len(gone)} decisions are about questions that are no longer made (they stay in {file(p).name}):")
        print("\n".join(f"  {d.id}: {d.question}" for d in gone))
    if "JPY_SESSION_NAME" in os.environ and progress():  # Jupyter's server sets it for the kernel of an open notebook
        display(widget(review))
    else:
        print(f"{split}, {review.counts()}")
        sheet(review)


def sheet(review: Review, n: int = 8):
    """The first questions with their decisions, as one figure."""
    from inbol_lib import plots

    rows = list(review.items.head(n).itertuples())
    captions = [f"{plots.wrap(r.question)}\n[{r.origin}] {LOOKS[review.said.get(r.digest)][0]}" for r in rows]
    return plots.picture_grid([review.picture(r.image_id) for r in rows], captions)
