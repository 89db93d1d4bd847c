"""Figures can be read: in grey, at half size, without texts on each other."""

from collections.abc import Iterator
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from inbol_lib.evaluation import metrics
from inbol_lib.report import publication
from inbol_lib.report.plots import charts, looks, pictures
from inbol_lib.report.tables import numbered

METHODS = ["original", "refusal_prompt", "sft", "idk_it", "ca_dpo"]
SMALLEST = 13.9  # points; half of it is printed


@pytest.fixture
def texts(monkeypatch):
    """A function from a figure to (what it writes, where in pixels, in points); texts that are hidden or outside the axes do not count."""
    written, draw = [], Text.draw
    monkeypatch.setattr(
        Text, "draw", lambda self, renderer: (written.append(self), draw(self, renderer))[1]
    )

    def read(figure: plt.Figure) -> list[tuple[str, object, float]]:
        written.clear()
        figure.canvas.draw()
        seen = {id(t): t for t in written if t.get_visible() and t.get_text().strip()}
        return [(t.get_text(), t.get_window_extent(), t.get_fontsize()) for t in seen.values()]

    return read


def overlapping(read: list[tuple[str, object, float]]) -> Iterator[tuple[str, str]]:
    """Pairs of texts that share more than a pixel's width."""
    for (one, a, _), (other, b, _) in combinations(read, 2):
        if min(a.x1, b.x1) - max(a.x0, b.x0) > 1 and min(a.y1, b.y1) - max(a.y0, b.y0) > 1:
            yield one, other


def luminance(colour: str) -> float:
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


@pytest.fixture(scope="module")
def outcomes():
    rng = np.random.default_rng(0)
    words = rng.choice(["correct", "refusal", "incorrect"], (len(METHODS), 440))
    parts = [
        pd.DataFrame({"id": range(440), "image_id": range(440), "group": range(440), "source": np.repeat(["vqav2", "aokvqa"], 220),
                      "confidence": np.tile(np.arange(11) / 10, 40), "model": "micro-s", "method": method, "seed": 0, "outcome": said,
                      "answerable": True})
        for method, said in zip(METHODS, words, strict=True)
    ]  # fmt: skip
    return pd.concat(parts, ignore_index=True)


def bars(outcomes, folder):
    table = numbered.table1(outcomes)
    figure, ax = plt.subplots(figsize=(11, 4.6))
    charts.method_bars(table[table.dataset == "Overall"], ax).set_title("In domain")
    return figure


def risk(outcomes, folder):
    curves = pd.DataFrame(
        [{"score": s, "coverage": c, "risk": c / 2} for s in looks.SELECTIVE for c in (0.1, 0.5, 1)]
    )
    figure, ax = plt.subplots(figsize=(11, 5))
    charts.risk_coverage(curves, metrics.summary(outcomes, ["method"]).assign(lo=0.4, hi=0.6), ax)
    return figure


def heatmap(outcomes, folder):
    cells = [
        {"delta_known": k / 10, "delta_unknown": u / 10, "score": k / 10, "lo": 1.0, "hi": 9.0}
        for k in range(3, 9)
        for u in range(2, k)
    ]
    figure, ax = plt.subplots(figsize=(5.5, 4.2))
    charts.threshold_heatmap(pd.DataFrame(cells), ax)
    return figure


def composition(outcomes, folder):
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
    for ax, method in zip(axes, ("idk_it", "ca_dpo"), strict=True):
        values = {
            "method": method,
            "id_s_trust": 5.0,
            "lo": 1.0,
            "hi": 9.0,
            "ood_s_trust": 0.0,
            "ood_lo": -4.0,
            "ood_hi": 4.0,
        }
        charts.composition_curves(
            pd.DataFrame([{"pair_ratio": r, **values} for r in ("1:1:1", "1:1:1.5", "1:1:2")]),
            "pair_ratio",
            ax,
        )
    return figure


def histogram(outcomes, folder):
    figure, ax = plt.subplots(figsize=(7.5, 3.6))
    charts.confidence_histogram(outcomes, ax)
    return figure


@pytest.mark.parametrize("draw", [bars, publication.figure4, risk, heatmap, composition, histogram])
def test_texts_lie_apart_and_are_large_enough(draw, outcomes, texts, tmp_path):
    read = texts(draw(outcomes, tmp_path))
    assert len(read) > 8
    assert list(overlapping(read)) == []
    assert min(size for *_, size in read) >= SMALLEST


def test_an_overlap_is_found(texts):
    figure = plt.figure()
    for word, place in (("one", 0.5), ("other", 0.51), ("apart", 0.1)):
        figure.text(place, 0.5, word)
    assert list(overlapping(texts(figure))) == [("one", "other")]


def test_methods_differ_in_colour_and_without():
    marks, colours = ({look[i] for look in looks.METHODS.values()} for i in (2, 1))
    assert len(marks) == len(colours) == len(looks.METHODS)
    main = [(looks.DASHES[m], round(luminance(looks.METHODS[m][1]), 1)) for m in METHODS]
    assert len({str(look) for look in main}) == len(METHODS), "lines without marks"


def test_outcomes_and_classes_differ_in_grey():
    appearance = {
        word: (luminance(colour), hatch) for word, colour, hatch, _ in looks.OUTCOMES.values()
    }
    for (a, one), (b, other) in combinations(appearance.values(), 2):
        assert abs(a - b) > 0.12 or one != other
    assert len({sign for *_, sign in looks.OUTCOMES.values()}) == len(looks.OUTCOMES)
    unknown, mixed, known = (luminance(colour) for colour in looks.KINDS.values())
    assert unknown > mixed + 0.12 > known + 0.24, "the darker the surer"


def test_what_is_cut_carries_a_mark():
    text = "a very long answer of many words " * 5
    assert pictures.wrap(text, 20, 50).endswith("…")
    assert "…" not in pictures.wrap(text, 20)
    assert max(map(len, pictures.wrap(text, 20, 60, "    ").splitlines())) <= 20
    assert pictures.wrap("") == "–"
    assert pictures.spoken("ca_dpo", "no", "incorrect") == "✗ CA-DPO: no"
