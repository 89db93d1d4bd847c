"""What notebook 09 publishes: the paper's tables and controls, Fig. 4, contrasts and manifest."""

import datetime
import json
import os
import platform
import shutil
import subprocess
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib.pyplot as plt
import pandas as pd

from inbol_lib import micro, paths
from inbol_lib.evaluation.probe_designs import PAPER
from inbol_lib.micro.world.scenes import seen
from inbol_lib.params import Params
from inbol_lib.report.gathering import gather, probe
from inbol_lib.report.plots import charts, looks
from inbol_lib.report.tables import (
    control_tables,
    files,
    layout,
    numbered,
    picture_controls,
    refusal_costs,
)
from inbol_lib.study import experiments, published_outcomes, question_pools, stages

TUNED = ["idk_it", "ca_dpo"]
PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "papermill")


def make_tables(p: Params, outcomes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return file name -> table, for Tables 1 to 7 and the controls.

    A folder of one's own gets Table 1 and what refusals cost.

    Parameters
    ----------
    p : Params
    outcomes : pd.DataFrame
        The outcomes of the main cells; those of the sweeps are gathered here.
    """
    scores = _scores(p)
    made = {"table1_in_domain": numbered.table1(outcomes)} | _refusal_costs(p, outcomes, scores)
    if question_pools.ood_sources(p):
        made["table2_out_of_domain"] = numbered.table2(outcomes)
        made["table3_unanswerable"] = numbered.table3(outcomes)
    if not experiments.has_sweeps(p):
        return made
    cells = experiments.table4_cells(p)
    variants = gather(cells) if cells else pd.DataFrame(columns=outcomes.columns)
    if p.table4_methods:
        compared = variants[variants.method.isin(p.table4_methods)]
        made["table4_preference_data"] = numbered.table4(compared)
    controls = make_controls(p, outcomes, variants, scores)
    return made | _generator_tables(p) | _probe_tables(p) | controls


def _refusal_costs(
    p: Params, outcomes: pd.DataFrame, scores: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return whom refusals serve: what notebook 06 shows of one model and seed, for all of them."""
    inside, thresholds = layout.in_domain(outcomes), (p.delta_known, p.delta_unknown)
    return {
        "controls_kinds": control_tables.by_kind(inside, *thresholds),
        "selective_prediction": control_tables.selective_prediction(inside, scores),
        "crossovers": refusal_costs.crossovers(inside),
        "over_refusal": refusal_costs.over_refusal(inside, "original", *thresholds),
    }


def _scores(p: Params) -> pd.DataFrame:
    """Return the original models' answers with their scores, which notebook 06 saves."""
    return pd.concat([pd.read_parquet(folder / "scored.parquet") for folder in _firsts(p)])


def _firsts(p: Params) -> list[Path]:
    """Return the evaluation of each model that holds what no training seed changes."""
    return [stages.ensure("evaluation", cell) for cell in experiments.first_cells(p)]


def _generator_tables(p: Params) -> dict[str, pd.DataFrame]:
    by_generator = {}
    for cell in experiments.generator_cells(p):
        outcomes = gather(experiments.over_seeds([cell]))
        by_generator[cell.unanswerable_generator] = outcomes[outcomes.method.isin(TUNED)]
    return {
        "table5_generators_unanswerable": numbered.generator_table(by_generator, 5),
        "table6_generators_ood": numbered.generator_table(by_generator, 6),
    }


def _probe_tables(p: Params) -> dict[str, pd.DataFrame]:
    probed = probe(p)
    as_printed = probed[probed.control == PAPER].drop(columns="control")
    looked = published_outcomes.looked(p)
    return {
        "controls_probe": probed,
        "table7_linear_probe": as_printed.reset_index(drop=True),
        "controls_pairs": picture_controls.pairs(looked),
        "controls_blind": picture_controls.blind(looked),
    }


def make_controls(
    p: Params, outcomes: pd.DataFrame, variants: pd.DataFrame, scores: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """Return file name -> table of what the paper leaves untested.

    These are eq. 6 without its parts, the number of samples, entities that training asks about,
    selective prediction at equal refusals, and the natural distribution of confidence.

    Parameters
    ----------
    p : Params
    outcomes : pd.DataFrame
        The outcomes of the main cells.
    variants : pd.DataFrame
        The outcomes of Table 4's cells, with the variants of eq. 6 among them.
    scores : pd.DataFrame
        The original models' answers with their scores.
    """
    made = {}
    if p.control_methods:
        compared = variants.method.isin(["ca_dpo", *p.control_methods])
        mine = variants[(variants.model == p.model) & compared]
        made["controls_eq6"] = control_tables.controls(mine)
    if p.sample_counts:
        by_count = {
            cell.confidence_samples: gather(experiments.over_seeds([cell]))
            for cell in experiments.sample_cells(p)
        }
        made["controls_samples"] = control_tables.samples(by_count)
    if p.dataset == "micro":
        known = {image: seen(image) for image in outcomes.image_id.unique()}
        made["controls_seen"] = control_tables.by_seen(outcomes, outcomes.image_id.map(known))
    levels = pd.concat([pd.read_csv(folder / "levels.csv") for folder in _firsts(p)])
    tested = scores[scores.split == "test"]
    made["controls_equal_refusals"] = control_tables.equal_refusals(outcomes, tested)
    made["controls_natural"] = control_tables.natural(outcomes, levels)
    return made


class Contrast(NamedTuple):
    """A question about a difference, and where the answers stand."""

    question: str
    table: str  # name of the table that holds the differences
    rows: str  # a query that chooses rows of the table
    setting: Callable[[Any], str]  # the name of a row's setting


CONTRASTS = (
    Contrast(
        "CA-DPO less IDK-IT",
        "table1_in_domain",
        "method == 'ca_dpo' and dataset == 'Overall'",
        lambda row: "all questions",
    ),
    Contrast(
        "CA-DPO less IDK-IT",
        "controls_kinds",
        "method == 'ca_dpo'",
        lambda row: f"{row.kind} questions",
    ),
    Contrast(
        "CA-DPO less IDK-IT",
        "controls_seen",
        "method == 'ca_dpo'",
        lambda row: f"{row.entity} countries",
    ),
    Contrast(
        "CA-DPO less IDK-IT",
        "sizes",
        "method == 'ca_dpo'",
        lambda row: f"{row.instructions:,} instructions",
    ),
    Contrast(
        "CA-DPO less IDK-IT",
        "controls_samples",
        "method == 'ca_dpo'",
        lambda row: f"{row.samples} samples",
    ),
    Contrast(
        "Variant of eq. 6 less CA-DPO",
        "controls_eq6",
        "method != 'ca_dpo'",
        lambda row: looks.label(row.method),
    ),
    Contrast(
        "CA-DPO less the original that refuses as often",
        "controls_equal_refusals",
        "method == 'ca_dpo'",
        lambda row: looks.label(row.score),
    ),
)


def contrasts(made: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """Return the paired differences of in-domain s_trust that answer the study's questions.

    Parameters
    ----------
    made : dict
        The tables of `make_tables`, and "sizes" of `gathering.sweeps`. Tables that are missing or
        empty are passed over.

    Returns
    -------
    pd.DataFrame
        Columns: question, setting, model, diff, diff_lo, diff_hi (percentage points).
    """
    rows = []
    for contrast in CONTRASTS:
        table = made.get(contrast.table, pd.DataFrame())
        if table.empty:
            continue
        for row in table.query(contrast.rows).dropna(subset="diff").itertuples():
            keys = {"question": contrast.question, "setting": contrast.setting(row)}
            bounds = {"diff": row.diff, "diff_lo": row.diff_lo, "diff_hi": row.diff_hi}
            rows.append({**keys, "model": row.model, **bounds})
    return pd.DataFrame(rows)


def copy_figures(p: Params, made: dict[str, pd.DataFrame], target: Path) -> None:
    """Copy to `target` what other notebooks have drawn, and the audit of the judge.

    Notebook 08 draws one training seed, so its two figures are drawn again over the sweeps' seeds,
    from the tables of `make_tables` (`made`).
    """
    target.mkdir(parents=True, exist_ok=True)
    jobs = [("evaluation", experiments.main_cells(p)[0])]
    if experiments.has_sweeps(p):
        jobs += [("heatmaps", p)]
        _probe_figures(made, target)
    # fig10 to fig12, fig_data_size, fig_risk_coverage, with their data, and the judge's audit
    patterns = ("fig[1_]*.*", "audit_*.*")
    for job in jobs:
        folder = stages.ensure(*job)
        for pattern in patterns:
            for file in folder.glob(pattern):
                shutil.copy(file, target)


def _probe_figures(made: dict[str, pd.DataFrame], target: Path) -> None:
    """Draw the figures of notebook 08 from its tables, without showing them."""
    probed, ax = plt.subplots(figsize=(8, 4))
    charts.probe(made["controls_probe"], ax).set_title("Intrinsic or extrinsic?")
    probed.legend(loc="outside lower right", ncols=3)
    files.save_figure(probed, target, "fig_probe", made["controls_probe"])
    looking, axes = plt.subplots(1, 2, figsize=(11, 3.8))
    charts.picture_controls(made["controls_pairs"], made["controls_blind"], axes)
    files.save_figure(looking, target, "fig_looking", made["controls_pairs"])
    for drawn in (probed, looking):
        plt.close(drawn)


def figure4(outcomes: pd.DataFrame, target: Path) -> plt.Figure:
    """Draw and save Fig. 4 over all seeds.

    It shows the refusal rate and the accuracy of answers against the original model's confidence.
    """
    curves = numbered.by_confidence(outcomes)
    data = [name for name in ("in domain", "A-OKVQA") if (curves.data == name).any()]
    figure, axes = plt.subplots(len(data), 2, figsize=(13, 0.7 + 4 * len(data)), squeeze=False)
    for name, pair in zip(data, axes, strict=True):
        for ax, metric in zip(pair, ("refr", "answered_acc"), strict=True):
            charts.by_confidence(curves[curves.data == name], metric, ax).set_title(name)
    handles = axes[0, 0].get_legend_handles_labels()
    figure.legend(*handles, loc="outside upper center", ncols=6, columnspacing=1.2)
    files.save_figure(figure, target, "fig4_by_confidence", curves)
    return figure


def write_manifest(p: Params, took: pd.DataFrame, target: Path) -> None:
    """Write `manifest.json`: what the figures in `target` were made from, and with what.

    It holds the profile and its parameters, the micro world's version, the commit, versions of
    Python and packages, the machine, and the minutes of each part.

    Parameters
    ----------
    p : Params
    took : pd.DataFrame
        `costs.costs` as a table.
    target : Path
    """
    content = {
        "profile": p.profile,
        "params": p.model_dump(),
        "world": micro.VERSION,
        "commit": _commit(),
        "python": platform.python_version(),
        "versions": {name: version(name) for name in PACKAGES},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "minutes": {
            row.part: round(row.minutes, 1) if pd.notna(row.minutes) else None
            for row in took.itertuples()
        },
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }
    (target / "manifest.json").write_text(json.dumps(content, indent=1) + "\n")


def _commit() -> str | None:
    """Return the commit that is checked out, None outside a repository."""
    command = ["git", "rev-parse", "HEAD"]
    found = subprocess.run(command, cwd=paths.ROOT, capture_output=True, text=True, check=False)
    return found.stdout.strip() or None
