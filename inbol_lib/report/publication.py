"""Gather what all stages found into the paper's tables and figures (notebook 09)."""

import datetime
import json
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from inbol_lib import paths
from inbol_lib.evaluation.probe_designs import PAPER
from inbol_lib.params import Params
from inbol_lib.report.gathering import gather, probe
from inbol_lib.report.plots import charts, looks
from inbol_lib.report.tables import control_tables, files, numbered
from inbol_lib.study import experiments, question_pools, stages

BESIDE = (
    "audit_evaluators",
    "audit_errors",
    "selective_prediction",
    "crossovers",
    "over_refusal",
)  # of notebook 06


def make_tables(p: Params, outcomes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """File name -> table, for Tables 1 to 7 (for a folder of one's own Table 1 alone)."""
    made = {"table1_in_domain": numbered.table1(outcomes)}
    if question_pools.ood_sources(p):
        made |= {
            "table2_out_of_domain": numbered.table2(outcomes),
            "table3_unanswerable": numbered.table3(outcomes),
        }
    if not experiments.has_sweeps(p):
        return made
    of = (
        gather(experiments.table4_cells(p))
        if experiments.table4_cells(p)
        else pd.DataFrame(columns=outcomes.columns)
    )
    if p.table4_methods:
        made["table4_preference_data"] = numbered.table4(of[of.method.isin(p.table4_methods)])
    both = {c.unanswerable_generator: gather(experiments.over_seeds([c])).query("method in ['idk_it', 'ca_dpo']")
            for c in experiments.generator_cells(p)}  # fmt: skip
    made["table5_generators_unanswerable"] = numbered.generator_table(both, 5)
    made["table6_generators_ood"] = numbered.generator_table(both, 6)
    made["controls_probe"] = probed = probe(p)
    as_printed = probed[probed.control == PAPER].drop(columns="control")
    made["table7_linear_probe"] = as_printed.reset_index(drop=True)
    return made | make_controls(p, outcomes, of)


def make_controls(
    p: Params, outcomes: pd.DataFrame, variants: pd.DataFrame
) -> dict[str, pd.DataFrame]:
    """File name -> table of what the paper leaves untested: eq. 6 without its parts (among `variants`), the number of samples, selective
    prediction at equal refusals, the natural distribution of confidence, and the probe's controls."""
    made = {}
    if p.control_methods:
        made["controls_eq6"] = control_tables.controls(
            variants[
                (variants.model == p.model) & variants.method.isin(["ca_dpo", *p.control_methods])
            ]
        )
    if p.sample_counts:
        made["controls_samples"] = control_tables.samples(
            {
                c.confidence_samples: gather(experiments.over_seeds([c]))
                for c in experiments.sample_cells(p)
            }
        )
    if p.dataset == "micro":
        from inbol_lib.micro.world.scenes import seen

        made["controls_seen"] = control_tables.by_seen(
            outcomes, outcomes.image_id.map({i: seen(i) for i in outcomes.image_id.unique()})
        )
    firsts = [p.replace(model=m) for m in p.models]
    folders = [stages.ensure("evaluation", c) for c in firsts]
    scores = pd.concat([pd.read_parquet(f / "scored.parquet") for f in folders])
    made["controls_equal_refusals"] = control_tables.equal_refusals(
        outcomes, scores[scores.split == "test"]
    )
    made["controls_natural"] = control_tables.natural(
        outcomes, pd.concat([pd.read_csv(f / "levels.csv") for f in folders])
    )
    return made


def contrasts(made: dict[str, pd.DataFrame]) -> pd.DataFrame:
    """What matters: the paired differences of in-domain s_trust that the tables of `make_tables` hold, and among them "sizes" of `sweeps`.
    Columns: question, setting, model, diff, diff_lo, diff_hi (points)."""
    tuned, rows = "method == 'ca_dpo'", []
    for question, name, chosen, setting in (
        (
            "CA-DPO less IDK-IT",
            "table1_in_domain",
            f"{tuned} and dataset == 'Overall'",
            lambda r: "all questions",
        ),
        ("CA-DPO less IDK-IT", "controls_seen", tuned, lambda r: f"{r.entity} countries"),
        ("CA-DPO less IDK-IT", "sizes", tuned, lambda r: f"{r.instructions:,} instructions"),
        ("CA-DPO less IDK-IT", "controls_samples", tuned, lambda r: f"{r.samples} samples"),
        (
            "Variant of eq. 6 less CA-DPO",
            "controls_eq6",
            "method != 'ca_dpo'",
            lambda r: looks.label(r.method),
        ),
        (
            "CA-DPO less the original that refuses as often",
            "controls_equal_refusals",
            tuned,
            lambda r: looks.label(r.score),
        ),
    ):
        lines = (
            made[name].query(chosen).dropna(subset="diff")
            if name in made and len(made[name])
            else pd.DataFrame()
        )
        rows += [{"question": question, "setting": setting(r), "model": r.model, "diff": r.diff, "diff_lo": r.diff_lo, "diff_hi": r.diff_hi}
                 for r in lines.itertuples()]  # fmt: skip
    return pd.DataFrame(rows)


def copy_figures(p: Params, target: Path) -> None:
    """Figures that other stages drew, with their data, and the tables of notebook 06 that the paper does not have."""
    target.mkdir(parents=True, exist_ok=True)
    jobs = [
        ("evaluation", experiments.main_cells(p)[0]),
        *([("heatmaps", p), ("probing", p)] if experiments.has_sweeps(p) else []),
    ]
    for job in jobs:
        for pattern in ("fig[1_]*.*", *(f"{name}.*" for name in BESIDE)):
            for file in stages.ensure(*job).glob(
                pattern
            ):  # fig10 to fig12, fig_probe, fig_risk_coverage
                shutil.copy(file, target)


def figure4(outcomes: pd.DataFrame, target: Path) -> plt.Figure:
    """Fig. 4 over all seeds: refusal rate and answered accuracy against the original model's confidence."""
    curves = numbered.by_confidence(outcomes)
    data = [d for d in ("in domain", "A-OKVQA") if (curves.data == d).any()]
    figure, axes = plt.subplots(len(data), 2, figsize=(13, 0.7 + 4 * len(data)), squeeze=False)
    for name, pair in zip(data, axes, strict=True):
        for ax, metric in zip(pair, ("refr", "answered_acc"), strict=True):
            charts.by_confidence(curves[curves.data == name], metric, ax).set_title(name)
    figure.legend(
        *axes[0, 0].get_legend_handles_labels(),
        loc="outside upper center",
        ncols=6,
        columnspacing=1.2,
    )
    files.save_figure(figure, target, "fig4_by_confidence", curves)
    return figure


def write_manifest(p: Params, took: pd.DataFrame, target: Path) -> None:
    """`manifest.json`: profile, commit, versions, machine and minutes (`plan.costs`) behind the figures."""
    commit = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=paths.ROOT, capture_output=True, text=True, check=False
    ).stdout.strip()
    packages = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "papermill")
    content = {
        "profile": p.profile, "params": p.model_dump(), "commit": commit or None, "python": platform.python_version(),
        "versions": {name: version(name) for name in packages},
        "machine": f"{platform.system()} {platform.machine()}, {os.cpu_count()} cores",
        "minutes": {r.part: round(r.minutes, 1) if r.minutes == r.minutes else None for r in took.itertuples()},
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    (target / "manifest.json").write_text(json.dumps(content, indent=1) + "\n")
