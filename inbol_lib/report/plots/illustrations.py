"""Figures 1, 2, 3 and 9 of the paper, drawn from the study's own records.

A maker takes records and gives the figure and the table of what is drawn in it. Nothing is invented or chosen by hand: an example is
the first, in the order of its table, that the maker's rule fits; where none does, the first of its class."""

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from datasets import Dataset
from matplotlib.offsetbox import (
    AnchoredOffsetbox,
    DrawingArea,
    OffsetBox,
    OffsetImage,
    TextArea,
    VPacker,
)
from PIL import Image

from inbol_lib.boundary import unanswerable
from inbol_lib.boundary.composition import describe
from inbol_lib.data.records import load_table
from inbol_lib.params import Params
from inbol_lib.report.plots import charts, looks, pictures
from inbol_lib.report.plots.looks import OUTCOMES
from inbol_lib.report.plots.pictures import wrap
from inbol_lib.report.tables import files, layout
from inbol_lib.study import stages
from inbol_lib.training.preference_loss import PAIRS, pair_weights

Drawn = tuple[plt.Figure, pd.DataFrame]
Item = (
    tuple[str, dict] | Image.Image | float
)  # a text with its properties, a picture, a weight in [0, 1]

CLASSES = ("known", "mixed", "unknown", "unanswerable")
COLOURS = {**looks.KINDS, "unanswerable": "#888888"}
RESPONSES = (
    "correct",
    "incorrect",
    "refusal",
)  # of a standard record, in the order of `ca_dpo.PAIRS`; the names of outcomes, too
#: class -> heading (paper, Fig. 1)
TYPES = {
    "known": "Type 1: the model knows it,\nso it should answer",
    "unknown": "Type 2: the model does not\nknow it, so it should refuse",
    "unanswerable": "Type 3: the image does not\nhold it, so it should refuse",
}
SHEET = 4  # questions of each origin in Fig. 9
BOLD = {"weight": "bold"}


def boundaries(p: Params, rows: Dataset, outcomes: pd.DataFrame) -> Drawn:
    """Fig. 1: a test question of each type, what the first and the last of `p.methods` say, and what they make of all of them.

    Rule: the last method answers right (type 1), or refuses where the first is wrong (types 2, 3). `outcomes`: of one model and seed."""
    before, after = p.methods[0], p.methods[-1]
    methods = list(dict.fromkeys((before, after)))
    said = outcomes.drop_duplicates(["id", "method"]).pivot(
        index="id", columns="method", values=["outcome", "response"]
    )
    asked = classes(rows, p)
    figure, drawn = plt.figure(figsize=(14.5, 10.4)), []
    for part, (kind, heading) in zip(figure.subfigures(1, len(TYPES)), TYPES.items(), strict=True):
        these = asked[asked.kind == kind]
        if these.empty:
            continue
        words = said.outcome.loc[these.id].set_axis(these.index)
        right, refused = (
            words[after] == "correct",
            (words[after] == "refusal") & (words[before] == "incorrect"),
        )
        row = first(these, right if kind == "known" else refused)
        shares = (100 * words[methods].apply(pd.Series.value_counts, normalize=True)).T.fillna(0)
        picture, texts, bars = part.subplots(3, 1, height_ratios=[3.2, 3.2, 2])
        show(rows[int(row.row)]["image"], picture)
        picture.set_title(heading)
        told = [
            (m, *(str(said[c].loc[row.id, m]) for c in ("response", "outcome"))) for m in methods
        ]
        gold = (
            wrap(", ".join(dict.fromkeys(row.answers)), longest=50)
            if len(row.answers)
            else "not in the image"
        )
        asks = [(wrap(row.question, 28, 100), BOLD), (wrap(f"truth: {gold}"), {})]
        stack(texts, [*asks, *(framed(pictures.spoken(*t), t[-1]) for t in told)])
        charts.outcome_bars(shares.rename(index=looks.label), bars, 12).set_xlabel(
            f"% of all {len(these):,} such questions"
        )
        drawn += [{"type": kind, "id": row.id, "question": row.question, "truth": gold, "method": m, "response": text, "outcome": word,
                   "questions": len(these), **shares.loc[m]} for m, text, word in told]  # fmt: skip
    keys = {
        word: handle
        for ax in figure.axes
        for handle, word in zip(*ax.get_legend_handles_labels(), strict=True)
    }
    figure.legend(keys.values(), keys, loc="outside lower center", ncols=4)
    return figure, pd.DataFrame(drawn)


def standard_records(p: Params, answerable: Dataset, beyond: Dataset) -> Drawn:
    """Fig. 2: a standard record of each class, the responses that were sampled, and the confidence.

    Rule: the first training record of its class, on an image of its own, with a right and a wrong sample."""
    figure = plt.figure(figsize=(14.4, 9.6))
    grid, drawn, seen = figure.subplots(len(CLASSES), 4, width_ratios=[2, 3.7, 2.6, 2.8]), [], set()
    for line, kind in zip(grid, CLASSES, strict=True):
        table = beyond if kind == "unanswerable" else answerable
        frame = classes(table, p)
        frame = frame[frame.kind == kind]
        if frame.empty:
            continue
        row = first(
            frame, (frame.correct != "") & (frame.incorrect != "") & ~frame.image_id.isin(seen)
        )
        seen.add(row.image_id)
        counts = pd.Series(list(zip(row.responses, row.verdicts, strict=True))).value_counts()
        parts = [
            (wrap(f"{OUTCOMES[name][3]} {name}: {row[name] or '(none)'}", 37, 100, "    "), {})
            for name in RESPONSES
        ]
        show(table[int(row.row)]["image"], line[0])
        stack(line[1], [(wrap(row.question, 34, 100), BOLD), *parts], 9)
        sampled(counts, p.num_samples, line[2])
        confidence_bar(row.confidence, kind, p, line[3])
        drawn += [{"class": kind, **row[["id", "question", "confidence", *RESPONSES]], "response": said, "verdict": verdict, "n": n}
                  for (said, verdict), n in counts.items()]  # fmt: skip
    for ax, title in zip(
        grid[0], ("image", "standard record", "sampled responses", "confidence"), strict=True
    ):
        ax.set_title(title, pad=14)
    return figure, pd.DataFrame(drawn)


def construction(
    p: Params, answerable: Dataset, beyond: Dataset, instructions: Dataset, preferences: Dataset
) -> Drawn:
    """Fig. 3: how many questions of each class there are and what becomes of them, and one record of each all the way through: its
    IDK instruction and its preference pairs with the weights of eq. 6.

    Rule: the first preference question of its class that is an instruction, too."""
    figure = plt.figure(figsize=(15.5, 11.3))
    figure.get_layout_engine().set(h_pad=0.14)  # inches, for the arrows
    cells = figure.add_gridspec(4, 4, height_ratios=[0.75, 2.9, 1.2, 2.8])
    asked, taught = (
        pd.concat([classes(t, p) for t in (answerable, beyond)]),
        instructions.remove_columns("image").to_pandas(),
    )
    compared = preferences.remove_columns("image").to_pandas()
    compared["class"] = np.where(compared.id.isin(beyond["id"]), "unanswerable", compared.kind)
    taught["class"] = taught.kind
    inside, outside = (figure.add_subplot(cells[0, part]) for part in (slice(3), 3))
    sources = ", ".join(
        f"{n:,} {layout.NAMES.get(s, s)}"
        for s, n in pd.Series(answerable["source"]).value_counts(sort=False).items()
    )
    origins = ", ".join(
        f"{n:,} {o}" for o, n in pd.Series(beyond["origin"]).value_counts(sort=False).items()
    )
    box(
        inside,
        [
            (f"{len(answerable):,} questions, {p.num_samples} samples of {p.model} each", BOLD),
            (wrap(sources, 80), {}),
        ],
    )
    box(outside, [(f"{len(beyond):,} unanswerable", BOLD), (wrap(origins, 28), {})])
    drawn = []
    for column, kind in enumerate(CLASSES):
        top, middle, bottom = (figure.add_subplot(cells[row, column]) for row in (1, 2, 3))
        said, mine = (
            taught[taught["class"] == kind],
            compared[compared["class"] == kind].reset_index(),
        )
        sizes = {
            "questions": int((asked.kind == kind).sum()),
            "instructions": len(said),
            "preferences": len(mine),
        }
        bounds = {
            "known": f"conf ≥ {p.delta_known:g}",
            "unknown": f"conf ≤ {p.delta_unknown:g}",
            "unanswerable": "conf = 0",
        }
        header = f"{kind}: {sizes['questions']:,}\n{bounds.get(kind, f'{p.delta_unknown:g} < conf < {p.delta_known:g}')}"
        row = first(mine, mine.id.isin(said.id)) if len(mine) else None
        picture = [] if row is None else [preferences[int(row["index"])]["image"]]
        about = [
            (wrap(text, 27, 80), {})
            for text in (
                [] if row is None else [question(asked, row.id), f"conf = {row.confidence:.1f}"]
            )
        ]
        box(top, [(header, BOLD), *picture, *about], COLOURS[kind], arrow=True)
        sign = OUTCOMES["correct" if kind == "known" else "refusal"][3]
        answer = (
            []
            if row is None
            else [
                (wrap(f"{sign} {text}", 27, 80), {})
                for text in said.response[said.id == row.id].head(1)
            ]
        )
        box(
            middle,
            [(f"{len(said):,} instructions" if len(said) else "left out", BOLD), *answer],
            COLOURS[kind],
            arrow=True,
        )
        pairs = [] if row is None else weighted_pairs(row)
        many = len(mine) * len({pair[:2] for pair in pairs})
        lines = [item for a, b, weight, text in pairs for item in (
            ("\n≻ ".join(wrap(f"{OUTCOMES[c][3]} {row[c]}", 25, 80) for c in (a, b)) + f"\nweight {text}", {}), weight)]  # fmt: skip
        box(
            bottom,
            [(f"{many:,} pairs of {len(mine):,} questions" if many else "none", BOLD), *lines],
            COLOURS[kind],
            arrow=True,
        )
        drawn += [{"class": kind, **sizes, "pairs": many, "id": row.id, "question": question(asked, row.id), "confidence": row.confidence,
                   "chosen": row[a], "rejected": row[b], "weight": weight} for a, b, weight, _ in pairs]  # fmt: skip
        for ax, name in zip(
            (top, middle, bottom),
            ("confidence", "IDK instruction", "preference pairs (eq. 6)"),
            strict=True,
        ):
            ax.set_ylabel(name if column == 0 else "", weight="bold", labelpad=10)
    return figure, pd.DataFrame(drawn)


def unanswerable_sheet(p: Params, beyond: Dataset, made: pd.DataFrame) -> Drawn:
    """Fig. 9: questions that the image can not answer, SHEET of each origin, with the generator's reason and the verifier's verdicts, which
    `made` holds (`review.table`).

    Rule: the first training records of each origin, one of an image."""
    chosen = (
        classes(beyond, p)
        .drop_duplicates("image_id")
        .groupby("origin", sort=False)
        .head(SHEET)
        .sort_values("origin", kind="stable")
    )
    rows = [beyond[int(i)] for i in chosen.row]
    names = unanswerable.CHECKS if p.verifier != "program" else ("unanswerable",)
    drawn, said = [], made.set_index("id")
    for row in rows:
        verdict = {
            name: {True: "yes", False: "no", None: "unclear"}[v]
            for name, v in zip(names, said.checks[row["id"]], strict=True)
        }
        reason = (
            "image of another question" if row["origin"] == "swap" else said.explanation[row["id"]]
        )
        drawn.append(
            {
                **{k: row[k] for k in ("id", "origin", "question")},
                "reason": reason,
                **verdict,
                "response": row["incorrect"],
            }
        )
    captions = []
    for r in drawn:
        yes = ", ".join(name for name in names if r[name] == "yes")
        lines = [
            wrap(r["question"], 28, 100),
            wrap(f"{r['origin']}: {r['reason']}", 30, 100, "    "),
            wrap(f"verifier: {yes}", 30, 0, "    "),
        ]
        captions.append(
            "\n".join([*lines, pictures.spoken("original", r["response"], "incorrect")])
        )
    return pictures.picture_grid([r["image"] for r in rows], captions, columns=SHEET), pd.DataFrame(
        drawn
    )


def save_all(p: Params, outcomes: pd.DataFrame, target: Path) -> list[plt.Figure]:
    """Figures 1, 2, 3 and 9 of `p.model`, first seed, into `target`; artefacts that are missing are made first."""
    confidence, beyond, composed = (
        stages.ensure(s, p) for s in ("confidence", "unanswerable", "composition")
    )
    train, outside = (
        load_table(folder / "records_train.parquet") for folder in (confidence, beyond)
    )
    test, idk, pairs = (
        load_table(composed / f"{name}.parquet")
        for name in ("in_domain_test", "instructions_idk_it", "preferences")
    )
    mine = outcomes[(outcomes.model == p.model) & (outcomes.seed == p.seeds[0])]
    made = {
        "fig1_boundaries": boundaries(p, test, mine),
        "fig2_standard_records": standard_records(p, train, outside),
        "fig3_construction": construction(p, train, outside, idk, pairs),
        "fig9_unanswerable": unanswerable_sheet(
            p, outside, pd.read_parquet(beyond / "made_train.parquet")
        ),
    }
    for name, (figure, table) in made.items():
        files.save_figure(figure, target, name, table)
    return [figure for figure, _ in made.values()]


def classes(records: Dataset, p: Params) -> pd.DataFrame:
    """`composition.describe` with a fourth class, "unanswerable": what has no answers."""
    frame = describe(records, p)
    return frame.assign(kind=np.where(frame.answers.map(len) == 0, "unanswerable", frame.kind))


def first(frame: pd.DataFrame, fits: pd.Series) -> pd.Series:
    """The first row that fits, else the first."""
    return frame.loc[fits.idxmax()]


def question(asked: pd.DataFrame, name: str) -> str:
    return asked.question[asked.id == name].iloc[0]


def weighted_pairs(row: pd.Series) -> list[tuple[str, str, float, str]]:
    """(chosen, rejected, weight, the weight in words) of a preference question; p1 = p2 counts once, with the sum of the weights."""
    (one, two), (weights,) = (
        PAIRS[row.kind],
        pair_weights("ca_dpo", [row.kind], np.array([row.confidence])),
    )
    if one == two:
        return [(*(RESPONSES[i] for i in one), float(weights.sum()), f"{weights.sum():g}")]
    words = [f"conf = {weights[0]:.1f}", f"1 − conf = {weights[1]:.1f}"]
    return [
        (*(RESPONSES[i] for i in pair), float(w), text)
        for pair, w, text in zip((one, two), weights, words, strict=True)
    ]


def show(picture: Image.Image, ax: plt.Axes) -> None:
    ax.imshow(picture, interpolation="nearest")
    ax.set_anchor("NW")
    ax.axis("off")


def framed(text: str, outcome: str) -> Item:
    """Text in a frame of the colour of an outcome."""
    _, colour, _, _ = OUTCOMES[outcome]
    return text, {
        "bbox": {"boxstyle": "round,pad=0.35", "fc": (colour, 0.25), "ec": colour, "lw": 2}
    }


def stack(ax: plt.Axes, items: Sequence[Item], sep: float = 14) -> None:
    """Texts (with their properties) and pictures under each other, in an axes of their own; `sep` in points."""
    ax.axis("off")
    ax.add_artist(
        AnchoredOffsetbox(
            "upper left", child=packed(items, sep, "left"), frameon=False, pad=0, borderpad=0
        )
    )


def box(ax: plt.Axes, items: Sequence[Item], colour: str = "#999999", arrow: bool = False) -> None:
    """The same, in the middle of a coloured frame, with an arrow from above."""
    ax.set(xticks=[], yticks=[], facecolor=(colour, 0.12))
    ax.spines[:].set(visible=True, color=colour, linewidth=2)
    ax.add_artist(
        AnchoredOffsetbox("upper center", child=packed(items, 10, "center"), frameon=False, pad=0.5)
    )
    if arrow:
        ax.annotate(
            "",
            (0.5, 1),
            (0, 22),
            "axes fraction",
            "offset points",
            {"arrowstyle": "-|>", "lw": 2, "color": "#555555"},
        )


def packed(items: Sequence[Item], sep: float, align: str) -> VPacker:
    """Every kind of item as an artist, under each other."""

    def artist(item: Item) -> OffsetBox:
        match item:
            case (text, properties):
                return TextArea(text, textprops={"multialignment": align, **properties})
            case Image.Image():
                return OffsetImage(
                    np.asarray(item.convert("RGB").resize((100, 100), Image.Resampling.NEAREST)),
                    interpolation="nearest",
                )
            case weight:
                area, size = DrawingArea(120, 10), {"height": 10, "ec": "#222222"}
                area.add_artist(plt.Rectangle((0, 0), 120, fc="white", **size))
                area.add_artist(plt.Rectangle((0, 0), 120 * weight, fc="#222222", **size))
                return area

    return VPacker(children=[artist(item) for item in items], pad=0, sep=sep, align=align)


def sampled(counts: pd.Series, samples: int, ax: plt.Axes, shown: int = 4) -> None:
    """How often each (response, verdict) was given in `samples`: the `shown` most frequent, the others counted together."""
    places = -np.arange(min(shown, len(counts)))
    for place, ((_, verdict), n) in zip(places, counts.items(), strict=False):
        _, colour, hatch, sign = OUTCOMES[verdict]
        ax.barh(place, n, 0.7, color=colour, hatch=hatch, edgecolor="#555555")
        ax.text(n, place, f" {n} {sign}", va="center")
    ax.set(
        yticks=places,
        yticklabels=[wrap(said, 40, 18) for said, _ in counts.index[:shown]],
        xlim=(0, 1.25 * samples),
        xticks=[],
    )
    ax.set_ylim(-shown + 0.4, 0.6)
    rest = int(counts.iloc[shown:].sum())
    ax.set_xlabel(
        f"and {rest} other{'s' * (rest > 1)}"
        if rest
        else "not sampled"
        if counts.sum() < samples
        else ""
    )
    ax.spines["bottom"].set_visible(False)
    ax.grid(False)


def confidence_bar(value: float, kind: str, p: Params, ax: plt.Axes) -> None:
    """Confidence in [0, 1] above the classes between the thresholds."""
    levels = (0, p.delta_unknown, p.delta_known, 1)
    for (lo, hi), colour in zip(pairwise(levels), looks.KINDS.values(), strict=True):
        ax.axvspan(lo, hi, color=colour, alpha=0.45, lw=0)
    ax.barh(0, value, 0.5, color="#222222")
    ax.set(xlim=(0, 1), ylim=(-0.5, 0.5), yticks=[], xticks=levels, box_aspect=0.22, anchor="NW")
    ax.set_xlabel(f"{value:.1f}: {kind}", **BOLD)
    ax.spines["left"].set_visible(False)
    ax.grid(False)
