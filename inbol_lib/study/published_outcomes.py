"""Every outcome behind the published tables in one small file, and back: whoever clones the project can check or re-analyse each number
without training anything (ours).

    INBOL_RUNS=/tmp/opened inbol archive          # figures/outcomes.parquet -> the artefacts that notebook 09 reads
    INBOL_RUNS=/tmp/opened inbol run 09_paper_vs_ours -f params/micro-full.yaml

A line's `cell` says in which parameters its evaluation differs from the profile; responses and images are left out."""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from inbol_lib import params, paths
from inbol_lib.params import Params
from inbol_lib.study import experiments, graph, stages

NAME, SCORES, PROBE, LEVELS = (
    "outcomes.parquet",
    "scores.parquet",
    "probe_predictions.csv",
    "confidence_levels.csv",
)
KEPT = [
    "id",
    "image_id",
    "group",
    "source",
    "split",
    "confidence",
    "model",
    "method",
    "seed",
    "outcome",
    "answerable",
]


def cells(p: Params) -> list[Params]:
    """Every evaluation that notebooks 07 and 09 read, the main ones first."""
    jobs = (q for q in graph.plan("paper_vs_ours", p).values() if q[0] == "evaluation")
    made = {
        graph.fingerprint("evaluation", q): q
        for q in [*experiments.main_cells(p), *(q for _, q in jobs)]
    }
    return list(made.values())


def name(p: Params, cell: Params) -> str:
    """In which parameters a cell differs from its profile, as JSON."""
    return json.dumps(
        {k: v for k, v in cell.model_dump().items() if v != getattr(p, k)}, sort_keys=True
    )


def pack(p: Params, target: Path) -> None:
    """Write the outcomes of all cells, the label-free scores, the natural confidence levels and the probe's predictions into `target`."""
    folders = {name(p, cell): stages.ensure("evaluation", cell) for cell in cells(p)}
    outcomes = pd.concat(
        [
            pd.read_parquet(f / "outcomes.parquet", columns=KEPT).assign(cell=cell)
            for cell, f in folders.items()
        ]
    )
    words = outcomes.select_dtypes(["object", "string"]).columns
    outcomes.astype(dict.fromkeys(words, "category") | {"seed": "int16"}).to_parquet(
        target / NAME, index=False, compression="zstd", compression_level=19)  # fmt: skip
    firsts = [folders[name(p, p.replace(model=m))] for m in p.models]
    pd.concat([pd.read_parquet(f / "scored.parquet") for f in firsts]).to_parquet(
        target / SCORES, index=False, compression="zstd"
    )
    pd.concat([pd.read_csv(f / "levels.csv") for f in firsts]).to_csv(target / LEVELS, index=False)
    pd.read_csv(stages.ensure("probing", p) / PROBE).to_csv(target / PROBE, index=False)


def unpack(p: Params, source: Path) -> None:
    """Lay the packed files out as the artefacts that notebook 09 reads, under INBOL_RUNS. An artefact that is there stays as it is."""
    outcomes, scores, levels = (
        pd.read_parquet(source / NAME),
        pd.read_parquet(source / SCORES),
        pd.read_csv(source / LEVELS),
    )
    outcomes = outcomes.astype(dict.fromkeys(outcomes.select_dtypes("category").columns, "str"))
    by = dict(list(outcomes.groupby("cell", sort=False)))
    for cell in cells(p):
        folder = graph.path("evaluation", cell)
        if not graph.complete("evaluation", cell):
            folder.mkdir(parents=True, exist_ok=True)
            by[name(p, cell)].drop(columns="cell").to_parquet(
                folder / "outcomes.parquet", index=False
            )
            scores[scores.model == cell.model].to_parquet(folder / "scored.parquet", index=False)
            levels[levels.model == cell.model].to_csv(folder / "levels.csv", index=False)
            (folder / "metrics.json").write_text("{}\n")
    folder = graph.path("probing", p)
    if not graph.complete("probing", p):
        folder.mkdir(parents=True, exist_ok=True)
        pd.read_csv(source / PROBE).to_csv(folder / PROBE, index=False)
        (folder / "metrics.json").write_text("{}\n")


def main(argv: Sequence[str] | None = None) -> int:
    argparse.ArgumentParser(
        "inbol archive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    ).parse_args(argv)
    figures = paths.ROOT / "figures"
    manifest = json.loads((figures / "manifest.json").read_text())
    unpack(params.checked(manifest["params"]), figures)
    print(
        f"{paths.runs()}: the artefacts of profile {manifest['profile']}, as notebook 09 reads them"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
