"""Gather what all stages found into the paper's tables and figures (notebook 09)."""

import datetime
import json
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

import matplotlib.pyplot as plt
import pandas as pd

from inbol_lib import paths, plots, questions, stages, tables
from inbol_lib.params import Params

PAPER_SIZES = {"num_instructions": 11_000, "num_pairs": 24_000, "test_per_source": 300}  # for the note under every table
BESIDE = ("audit_evaluators", "audit_errors", "selective_prediction", "crossovers", "over_refusal")  # of notebook 06


def gather(cells: list[Params]) -> pd.DataFrame:
    """The outcome tables of several evaluations as one (those missing are made first)."""
    return pd.concat([pd.read_parquet(stages.ensure("evaluation", c) / "outcomes.parquet") for c in cells], ignore_index=True)


def size_note(p: Params) -> str:
    """What was reduced against the paper, in words."""
    smaller = [f"{k} {getattr(p, k):,} (paper: {v:,})" for k, v in PAPER_SIZES.items() if getattr(p, k) < v]
    seeds = f"{len(p.seeds)} training seed{'s' * (len(p.seeds) > 1)}"
    return f"profile {p.profile}, {seeds}" + (f"; reduced: {', '.join(smaller)}" if smaller else "") + "."


def make_tables(p: Params, outcomes: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """File name -> table, for Tables 1 to 7 (for real data without those of the sweeps: Table 1, and where
    there are out-of-domain sets 2 and 3)."""
    made = {"table1_in_domain": tables.table1(outcomes)}
    if questions.ood_sources(p):
        made |= {"table2_out_of_domain": tables.table2(outcomes), "table3_unanswerable": tables.table3(outcomes)}
    if p.dataset != "micro":
        return made
    if p.table4_methods:
        made["table4_preference_data"] = tables.table4(gather(stages.table4_cells(p)))
    mine = (outcomes.model == p.model) & (outcomes.seed == p.seed) & outcomes.method.isin(["idk_it", "ca_dpo"])
    both = {p.unanswerable_generator: outcomes[mine], p.second_generator: gather(stages.generator_cells(p))}
    made["table5_generators_unanswerable"] = tables.generator_table(both, 5)
    made["table6_generators_ood"] = tables.generator_table(both, 6)
    made["table7_linear_probe"] = pd.read_csv(stages.ensure("probing", p) / "table7_linear_probe.csv")
    return made


def copy_figures(p: Params, target: Path) -> None:
    """Figures that other stages drew, with their data, and the tables of notebook 06 that the paper does not have."""
    target.mkdir(parents=True, exist_ok=True)
    jobs = [("evaluation", stages.main_cells(p)[0]), *([("heatmaps", p), ("probing", p)] if p.dataset == "micro" else [])]
    for job in jobs:
        for pattern in ("fig[1_]*.*", *(f"{name}.*" for name in BESIDE)):
            for file in stages.ensure(*job).glob(pattern):  # fig10 to fig12, fig_probe, fig_risk_coverage
                shutil.copy(file, target)


def figure4(outcomes: pd.DataFrame, target: Path) -> plt.Figure:
    """Fig. 4 over all seeds: refusal rate and answered accuracy against the original model's confidence."""
    curves = tables.by_confidence(outcomes)
    data = [d for d in ("in domain", "A-OKVQA") if (curves.data == d).any()]
    figure, axes = plt.subplots(len(data), 2, figsize=(13, 0.7 + 4 * len(data)), squeeze=False)
    for name, pair in zip(data, axes, strict=True):
        for ax, metric in zip(pair, ("refr", "answered_acc"), strict=True):
            plots.by_confidence(curves[curves.data == name], metric, ax).set_title(name)
    figure.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside upper center", ncols=6, columnspacing=1.2)
    tables.save_figure(figure, target, "fig4_by_confidence", curves)
    return figure


def write_manifest(p: Params, target: Path) -> None:
    """`manifest.json`: by which profile, commit, versions and machine the figures were made."""
    commit = subprocess.run(["git", "rev-parse", "HEAD"], cwd=paths.ROOT, capture_output=True, text=True, check=False).stdout.strip()
    packages = ("torch", "transformers", "trl", "peft", "accelerate", "datasets", "papermill")
    content = {
        "profile": p.profile, "params": p.model_dump(), "commit": commit or None, "python": platform.python_version(),
        "versions": {name: version(name) for name in packages}, "machine": f"{platform.system()} {platform.machine()}",
        "made": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
    }  # fmt: skip
    (target / "manifest.json").write_text(json.dumps(content, indent=1) + "\n")
