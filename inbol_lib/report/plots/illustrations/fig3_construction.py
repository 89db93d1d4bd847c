"""Fig. 3: how instructions and preference pairs are made from questions of every class."""

from dataclasses import dataclass
from typing import NamedTuple

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from datasets import Dataset
from PIL import Image

from inbol_lib.params import Params
from inbol_lib.report.plots.illustrations.drawing import BOLD, Item, Words, box
from inbol_lib.report.plots.illustrations.examples import (
    CLASSES,
    COLOURS,
    RESPONSES,
    Drawn,
    classes,
    first,
)
from inbol_lib.report.plots.looks import OUTCOMES
from inbol_lib.report.plots.pictures import wrap
from inbol_lib.report.tables import layout
from inbol_lib.training.preference_loss import PAIRS, pair_weights

STEPS = ("confidence", "IDK instruction", "preference pairs (eq. 6)")


class WeightedPair(NamedTuple):
    """A preference pair by the names of its responses, its weight, and the weight in words."""

    chosen: str
    rejected: str
    weight: float
    text: str


@dataclass(frozen=True)
class Example:
    """A preference question that is followed all the way through."""

    record: pd.Series
    question: str
    picture: Image.Image
    response: str | None  # of its instruction; None where it is not an instruction
    pairs: list[WeightedPair]


@dataclass(frozen=True)
class Members:
    """What becomes of the questions of one class, and an example where there are pairs."""

    kind: str
    questions: int
    instructions: int
    preferences: int
    example: Example | None

    @property
    def pairs(self) -> int:
        """How many distinct preference pairs the questions of the class make."""
        if self.example is None:
            return 0
        return self.preferences * len({pair[:2] for pair in self.example.pairs})


def construction(
    p: Params, answerable: Dataset, beyond: Dataset, instructions: Dataset, preferences: Dataset
) -> Drawn:
    """Draw how many questions of each class there are, and what becomes of them.

    One record of each class is shown all the way through: its IDK instruction and its preference
    pairs with the weights of eq. 6. Rule: the first preference question of its class that is an
    instruction, too.

    Parameters
    ----------
    p : Params
    answerable, beyond : Dataset
        Standard records of answerable and of unanswerable training questions.
    instructions, preferences : Dataset
        The instructions of IDK-IT and the preference questions, as `composition` makes them.
    """
    members = _all_members(p, answerable, beyond, instructions, preferences)
    figure = plt.figure(figsize=(15.5, 11.3))
    figure.get_layout_engine().set(h_pad=0.14)  # inches, for the arrows
    cells = figure.add_gridspec(4, 4, height_ratios=[0.75, 2.9, 1.2, 2.8])
    inside, outside = (figure.add_subplot(cells[0, part]) for part in (slice(3), 3))
    _draw_pools(p, answerable, beyond, inside, outside)
    for column, one in enumerate(members):
        axes = [figure.add_subplot(cells[row, column]) for row in (1, 2, 3)]
        _draw_class(one, p, axes)
        for ax, step in zip(axes, STEPS, strict=True):
            ax.set_ylabel(step if column == 0 else "", weight="bold", labelpad=10)
    return figure, pd.DataFrame([line for one in members for line in _drawn_lines(one)])


def _all_members(
    p: Params, answerable: Dataset, beyond: Dataset, instructions: Dataset, preferences: Dataset
) -> list[Members]:
    asked = pd.concat([classes(records, p) for records in (answerable, beyond)])
    taught = instructions.remove_columns("image").to_pandas()
    compared = preferences.remove_columns("image").to_pandas()
    outside = compared.id.isin(beyond["id"])
    compared["class"] = np.where(outside, "unanswerable", compared.kind)
    members = []
    for kind in CLASSES:
        told, mine = taught[taught.kind == kind], compared[compared["class"] == kind]
        example = None
        if len(mine):
            record = first(mine, mine.id.isin(told.id))
            picture = preferences[int(record.name)]["image"]
            example = _example(record, asked, told, picture)
        questions = int((asked.kind == kind).sum())
        members.append(Members(kind, questions, len(told), len(mine), example))
    return members


def _example(
    record: pd.Series, asked: pd.DataFrame, told: pd.DataFrame, picture: Image.Image
) -> Example:
    question = asked.question[asked.id == record.id].iloc[0]
    responses = told.response[told.id == record.id].tolist()
    response = responses[0] if responses else None
    return Example(record, question, picture, response, _weighted_pairs(record))


def _weighted_pairs(record: pd.Series) -> list[WeightedPair]:
    """Return the pairs of a preference question; p1 = p2 count once, with summed weights."""
    one, two = PAIRS[record.kind]
    weights = pair_weights("ca_dpo", [record.kind], np.array([record.confidence]))[0]
    names = [tuple(RESPONSES[index] for index in pair) for pair in (one, two)]
    if one == two:
        total = float(weights.sum())
        return [WeightedPair(*names[0], total, f"{weights.sum():g}")]
    return [
        WeightedPair(*names[0], float(weights[0]), f"conf = {weights[0]:.1f}"),
        WeightedPair(*names[1], float(weights[1]), f"1 − conf = {weights[1]:.1f}"),
    ]


def _draw_pools(
    p: Params, answerable: Dataset, beyond: Dataset, inside: plt.Axes, outside: plt.Axes
) -> None:
    """Write into the top row how many questions there are, and where they come from."""
    sources = pd.Series(answerable["source"]).map(lambda name: layout.NAMES.get(name, name))
    header = f"{len(answerable):,} questions, {p.num_samples} samples of {p.model} each"
    box(inside, [Words(header, BOLD), Words(wrap(_counted(sources), 80))])
    origins = _counted(pd.Series(beyond["origin"]))
    box(outside, [Words(f"{len(beyond):,} unanswerable", BOLD), Words(wrap(origins, 28))])


def _counted(names: pd.Series) -> str:
    counts = names.value_counts(sort=False)
    return ", ".join(f"{n:,} {name}" for name, n in counts.items())


def _draw_class(members: Members, p: Params, axes: list[plt.Axes]) -> None:
    """Draw one column: a question with its confidence, its instruction, its pairs."""
    steps = (_confidence_items(members, p), _instruction_items(members), _pair_items(members))
    for ax, items in zip(axes, steps, strict=True):
        box(ax, items, COLOURS[members.kind], arrow=True)


def _confidence_items(members: Members, p: Params) -> list[Item]:
    items = [Words(f"{members.kind}: {members.questions:,}\n{_bounds(members.kind, p)}", BOLD)]
    if members.example is not None:
        confidence = f"conf = {members.example.record.confidence:.1f}"
        items += [
            members.example.picture,
            Words(wrap(members.example.question, 27, 80)),
            Words(confidence),
        ]
    return items


def _bounds(kind: str, p: Params) -> str:
    """Return between which confidences a class lies."""
    return {
        "known": f"conf ≥ {p.delta_known:g}",
        "mixed": f"{p.delta_unknown:g} < conf < {p.delta_known:g}",
        "unknown": f"conf ≤ {p.delta_unknown:g}",
        "unanswerable": "conf = 0",
    }[kind]


def _instruction_items(members: Members) -> list[Item]:
    header = f"{members.instructions:,} instructions" if members.instructions else "left out"
    items = [Words(header, BOLD)]
    if members.example is not None and members.example.response is not None:
        sign = OUTCOMES["correct" if members.kind == "known" else "refusal"].sign
        items.append(Words(wrap(f"{sign} {members.example.response}", 27, 80)))
    return items


def _pair_items(members: Members) -> list[Item]:
    if members.example is None:
        return [Words("none", BOLD)]
    header = f"{members.pairs:,} pairs of {members.preferences:,} questions"
    items: list[Item] = [Words(header, BOLD)]
    for pair in members.example.pairs:
        chosen, rejected = (
            wrap(f"{OUTCOMES[name].sign} {members.example.record[name]}", 25, 80)
            for name in (pair.chosen, pair.rejected)
        )
        items += [Words(f"{chosen}\n≻ {rejected}\nweight {pair.text}"), pair.weight]
    return items


def _drawn_lines(members: Members) -> list[dict]:
    """Return what is drawn of one class, a line per pair of its example."""
    if members.example is None:
        return []
    record = members.example.record
    return [
        {
            "class": members.kind,
            "questions": members.questions,
            "instructions": members.instructions,
            "preferences": members.preferences,
            "pairs": members.pairs,
            "id": record.id,
            "question": members.example.question,
            "confidence": record.confidence,
            "chosen": record[pair.chosen],
            "rejected": record[pair.rejected],
            "weight": pair.weight,
        }
        for pair in members.example.pairs
    ]
