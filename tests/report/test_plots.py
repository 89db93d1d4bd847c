"""Figures can be read: in grey, at half size, without texts that overlap."""

from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from figure_texts import SMALLEST, overlapping, texts
from matplotlib.colors import to_rgb

from inbol_lib.evaluation import metrics
from inbol_lib.report import plots, publication
from inbol_lib.report.plots import looks, pictures
from inbol_lib.report.tables import numbered

METHODS = ["original", "refusal_prompt", "sft", "idk_it", "ca_dpo"]


def luminance(colour: str) -> float:
    return float(np.dot(to_rgb(colour), (0.299, 0.587, 0.114)))


@pytest.fixture(scope="module")
def outcomes():
    rng = np.random.default_rng(0)
    words = rng.choice(["correct", "refusal", "incorrect"], (len(METHODS), 440))
    asked = pd.DataFrame(
        {
            "id": range(440),
            "image_id": range(440),
            "group": range(440),
            "source": np.repeat(["vqav2", "aokvqa"], 220),
            "confidence": np.tile(np.arange(11) / 10, 40),
            "model": "micro-s",
            "seed": 0,
            "answerable": True,
        }
    )
    parts = [
        asked.assign(method=method, outcome=said)
        for method, said in zip(METHODS, words, strict=True)
    ]
    return pd.concat(parts, ignore_index=True)


def bars(outcomes, folder):
    table = numbered.table1(outcomes)
    figure, ax = plt.subplots(figsize=(11, 4.6))
    plots.method_bars(table[table.dataset == "Overall"], ax).set_title("In domain")
    return figure


def risk(outcomes, folder):
    curve = pd.DataFrame({"coverage": [0.1, 0.5, 1], "risk": [0.05, 0.25, 0.5]})
    curves = pd.concat([curve.assign(score=score) for score in looks.SELECTIVE])
    points = metrics.summary(outcomes, ["method"]).assign(lo=0.4, hi=0.6)
    figure, ax = plt.subplots(figsize=(11, 5))
    plots.risk_coverage(curves, points, ax)
    return figure


def heatmap(outcomes, folder):
    cells = [
        {"delta_known": known / 10, "delta_unknown": unknown / 10, "score": known / 10}
        for known in range(3, 9)
        for unknown in range(2, known)
    ]
    figure, ax = plt.subplots(figsize=(5.5, 4.2))
    plots.threshold_heatmap(pd.DataFrame(cells).assign(lo=1.0, hi=9.0), ax)
    return figure


def composition(outcomes, folder):
    inside = {"id_s_trust": 5.0, "lo": 1.0, "hi": 9.0}
    outside = {"ood_s_trust": 0.0, "ood_lo": -4.0, "ood_hi": 4.0}
    ratios = pd.DataFrame({"pair_ratio": ["1:1:1", "1:1:1.5", "1:1:2"]})
    figure, axes = plt.subplots(1, 2, figsize=(10, 3.6), sharey=True)
    for ax, method in zip(axes, ("idk_it", "ca_dpo"), strict=True):
        table = ratios.assign(method=method, **inside, **outside)
        plots.composition_curves(table, "pair_ratio", ax)
    return figure


def histogram(outcomes, folder):
    figure, ax = plt.subplots(figsize=(7.5, 3.6))
    plots.confidence_histogram(outcomes, ax)
    return figure


@pytest.mark.parametrize("draw", [bars, publication.figure4, risk, heatmap, composition, histogram])
def test_texts_lie_apart_and_are_large_enough(draw, outcomes, tmp_path):
    read = texts(draw(outcomes, tmp_path))
    assert len(read) > 8
    assert list(overlapping(read)) == []
    assert min(written.size for written in read) >= SMALLEST


def test_an_overlap_is_found():
    figure = plt.figure()
    for word, place in (("one", 0.5), ("other", 0.51), ("apart", 0.1)):
        figure.text(place, 0.5, word)
    assert list(overlapping(texts(figure))) == [("one", "other")]


def test_methods_differ_in_colour_and_without():
    marks = {look.mark for look in looks.METHODS.values()}
    colours = {look.colour for look in looks.METHODS.values()}
    assert len(marks) == len(colours) == len(looks.METHODS)
    lines = {
        str((looks.DASHES[method], round(luminance(looks.METHODS[method].colour), 1)))
        for method in METHODS
    }
    assert len(lines) == len(METHODS), "lines without marks"


def test_outcomes_and_classes_differ_in_grey():
    for one, other in combinations(looks.OUTCOMES.values(), 2):
        apart = abs(luminance(one.colour) - luminance(other.colour))
        assert apart > 0.12 or one.hatch != other.hatch
    assert len({look.sign for look in looks.OUTCOMES.values()}) == len(looks.OUTCOMES)
    unknown, mixed, known = (luminance(colour) for colour in looks.KINDS.values())
    assert unknown > mixed + 0.12 > known + 0.24, "the more confident, the darker"


def test_what_is_cut_carries_a_mark():
    text = "a very long answer of many words " * 5
    assert pictures.wrap(text, 20, 50).endswith("…")
    assert "…" not in pictures.wrap(text, 20)
    assert max(map(len, pictures.wrap(text, 20, 60, "    ").splitlines())) <= 20
    assert pictures.wrap("") == "–"
    assert pictures.spoken("ca_dpo", "no", "incorrect") == "✗ CA-DPO: no"
