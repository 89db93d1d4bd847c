"""The bench: its turns, its memory, its table and its figure."""

import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import matplotlib.pyplot as plt
import pandas as pd
import pytest
import readme
import torch
from benches import cells, chart, measuring, real_sizes, rows, shapes, summary, training

from inbol_lib.study import plan

CELL = summary.Cell("sampling", "llava", 36, 1, 10, 8)


def lasting(seconds):
    """A side that takes so long."""

    def side():
        time.sleep(0.1 * seconds)
        return seconds

    return side


@pytest.fixture(scope="module")
def timed():
    """The rows of a cell with three settings of the peer, one of them hopeless, one broken."""

    def broken():
        raise ValueError("not with this family")

    sides = {
        summary.OURS: lasting(0.02),
        "slow": lasting(0.05),
        "fast": lasting(0.03),
        "hopeless": lasting(0.2),
        "broken": broken,
        f"{summary.OURS}: no token budget": lasting(0.01),
    }
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(measuring, "sides", lambda cell: dict(sides))
        return measuring.measured(CELL, 4)


def test_the_best_peer_is_the_fastest_setting(timed):
    head = summary.best(timed)
    assert head["best_setting"] == "fast"
    assert head["ratio"] == pytest.approx(1.5)
    assert [row["peer_setting"] for row in timed] == [
        summary.BEST,
        "slow",
        "fast",
        "hopeless",
        f"{summary.OURS}: no token budget",
    ]
    assert all(tuple(row) == summary.COLUMNS for row in timed)


def test_a_hopeless_setting_drops_out_and_still_has_a_row(timed):
    turns = {row["peer_setting"]: row["turns"] for row in timed}
    assert turns["fast"] == 4
    others = ("slow", "hopeless", f"{summary.OURS}: no token budget")
    assert all(turns[name] == measuring.LOOK for name in others)


def sixty_mb():
    held = torch.ones(60 * 2**18)  # of 4 bytes each
    time.sleep(1)
    return held.sum()


def test_memory_is_what_a_side_holds_at_its_peak():
    """In a new process, as in a bench: this one may have as much memory that it has freed."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        found = pool.submit(measuring.peak_mb, sixty_mb).result()
    assert found == pytest.approx(60, abs=5)


def test_a_killed_bench_goes_on_behind_its_last_cell(runs, monkeypatch):
    asked = []

    def measured(cell, repeats):
        asked.append(cell)
        return summary.rows_of(
            cell, {summary.OURS: [1.0], "its": [2.0]}, {summary.OURS: 1, "its": 1}
        )

    monkeypatch.setattr(measuring, "in_scratch", measured)
    wanted = cells.cells()[:3]
    first = measuring.all_measured(wanted[:2], 5)
    again = measuring.all_measured(wanted, 5)
    assert asked == wanted
    assert {cell: again[cell] for cell in first} == first
    measuring.forget(wanted[:1], 5)
    measuring.all_measured(wanted, 5)
    assert asked == [*wanted, wanted[0]]


def test_cells_span_all_axes():
    every = pd.DataFrame(cells.cells())
    for name, part in every[every.family == "llava"].groupby("bench"):
        assert set(part.image_tokens) == {36, 576}, name
        assert set(part.questions_per_image) == {1, 4}, name
    assert set(every[every.bench == "sampling"].new_tokens) == {10, 50}
    assert set(every.family) == set(cells.FAMILIES)
    assert not every.duplicated(summary.CELL).any()


@pytest.mark.parametrize("bench", ["ca_dpo", "idk_it"])
def test_a_step_of_trl_learns_from_as_many_rows_as_ours(bench, smoke):
    p = smoke.replace(batch_size=16)
    settings = {"ca_dpo": training.dpo_settings, "idk_it": training.sft_settings}[bench](p)
    assert {f"micro-batch {size}" for size in (1, 2, 4, 8, 16)} < set(settings)
    for setting in settings.values():
        size, steps = "per_device_train_batch_size", "gradient_accumulation_steps"
        assert setting[size] * setting[steps] == 16


def test_ours_alone_skips_the_tower_s_unread_layers():
    shape = shapes.shape("llava", 36)
    pictures = torch.rand(1, 3, *shape.size)
    ours, theirs = (
        model.get_image_features(pixel_values=pictures).pooler_output[0]
        for model in (shape.ours, shape.theirs)
    )
    assert torch.equal(ours, theirs)
    last = [model.model.vision_tower.encoder.layers[-1] for model in (shape.ours, shape.theirs)]
    assert ["forward" in vars(layer) for layer in last] == [True, False]


def test_questions_share_pictures_in_a_row():
    data = rows.preferences(8, (8, 8), 4)
    pictures = [image.tobytes() for image in data["image"]]
    assert len(set(pictures[:4])) == len(set(pictures[4:])) == 1
    assert len(set(pictures)) == 2


def test_trl_s_answers_to_a_switch_are_kept(smoke, monkeypatch):
    switches = ({"precompute_ref_log_probs": True}, {"padding_free": True})
    monkeypatch.setattr(training, "DPO_SWITCHES", switches)
    monkeypatch.setattr(training, "SFT_SWITCHES", ({"packing": True},))
    found = training.refusals(smoke)
    assert found.result.tolist() == ["refused", "ignored", "refused"]
    assert found.said[0].startswith("ValueError: `precompute_ref_log_probs=True` is not supported")


def test_a_gpu_s_bench_says_what_a_plan_wants(monkeypatch):
    monkeypatch.setattr(real_sizes, "GPU_MICRO_BATCHES", (2,))
    monkeypatch.setenv("INBOL_RUNS", "")
    found = real_sizes.gpu(shapes.shape("llava", 36), questions=4, peer_questions=2)
    assert not [name for name in found if name.endswith("_failed")]
    assert set(plan.MEASURED.values()) <= set(found)
    for work in plan.MEASURED:
        assert found[f"{work}_ratio"] > 0
        assert found[f"{work}_assumed_mfu"] == plan.ASSUMED[work]
    assert found["sampling_best_peer"].startswith("sampling_peer_")
    assert found["confidence_hours"] > 0


def test_a_gpu_s_peak_is_the_data_sheet_s():
    assert real_sizes.peak_flop_s("NVIDIA H200") == 989e12
    assert real_sizes.peak_flop_s("NVIDIA L40S") == 362e12


def example():
    """A table with two cells of each work."""
    made = []
    for place, bench in enumerate(cells.BENCHES):
        for many in (1, 4):
            cell = summary.Cell(bench, "llava", 576, many, 10, 8)
            times = {
                summary.OURS: [1.0, 1.0],
                "its first": [0.8 + place, 1.1 + place],
                "its second": [1.5 + place, 1.6 + place],
                f"{summary.OURS}: no token budget": [0.5, 0.6],
            }
            made += summary.rows_of(cell, times, dict.fromkeys(times, 10.0 * many))
    return summary.table(made)


def test_the_figure_has_a_line_for_every_cell():
    figure = chart.draw(example())
    figure.canvas.draw()
    assert [len(ax.get_yticklabels()) for ax in figure.axes] == [2, 2, 2, 2]
    assert "4 questions a picture" in figure.axes[0].get_yticklabels()[1].get_text()
    plt.close(figure)


def test_the_readme_shows_the_fastest_setting_of_every_cell():
    shown = readme.best_peers(example()).splitlines()
    lines = [line for line in shown[2:] if line.startswith("|")]
    assert len(lines) == 8
    assert all("its first" in line for line in lines)
    assert "| 0.9 [0.8, 1.1] |" in lines[0] or "| 1.0 [0.8, 1.1] |" in lines[0]


def test_the_published_best_peers_are_the_fastest():
    table = pd.read_csv(readme.FIGURES / "bench_summary.csv").fillna({"best_setting": ""})
    assert tuple(table) == summary.COLUMNS
    peers = table[~table.peer_setting.map(summary.is_ours)]
    for cell, part in peers.groupby(summary.CELL):
        head = summary.headlines(part).iloc[0]
        assert head.theirs_s == part.theirs_s.min(), cell
