"""Pack every outcome behind the published tables into a few small files, and lay them out again.

    INBOL_RUNS=/tmp/opened inbol archive
    INBOL_RUNS=/tmp/opened inbol run 09_paper_vs_ours -f params/micro-full.yaml

The first command lays figures/outcomes.parquet and the files beside it out as the artefacts that
notebook 09 reads; the second makes every table and figure from them. So whoever clones the project
can check or re-analyse each number without training anything (ours).

A row's `cell` says in which parameters its evaluation differs from the profile. Responses and
images are left out.
"""

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from inbol_lib import params, paths
from inbol_lib.params import Params
from inbol_lib.study import experiments, graph, stages

NAME = "outcomes.parquet"
SCORES = "scores.parquet"
PROBE = "probe_predictions.csv"
LOOKED = "control_outcomes.parquet"
LEVELS = "confidence_levels.csv"
#: columns of the outcomes that are kept
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
    """Return every evaluation that notebooks 07 and 09 read, each once, the main ones first."""
    jobs = graph.plan("paper_vs_ours", p).values()
    planned = [cell for stage, cell in jobs if stage == "evaluation"]
    wanted = [*experiments.main_cells(p), *planned]
    return list({graph.fingerprint("evaluation", cell): cell for cell in wanted}.values())


def name(p: Params, cell: Params) -> str:
    """Return, as JSON, the parameters in which a cell differs from its profile."""
    changed = {key: value for key, value in cell.model_dump().items() if value != getattr(p, key)}
    return json.dumps(changed, sort_keys=True)


def pack(p: Params, target: Path) -> None:
    """Write what notebook 09 needs into the folder `target`.

    That is the outcomes of all cells, the label-free scores, the natural confidence levels, the
    probe's predictions and the outcomes of minimal pairs and blind pictures.
    """
    folders = {name(p, cell): stages.ensure("evaluation", cell) for cell in cells(p)}
    _packed_outcomes(folders).to_parquet(
        target / NAME, index=False, compression="zstd", compression_level=19
    )
    firsts = [folders[name(p, cell)] for cell in experiments.first_cells(p)]
    scores = pd.concat([pd.read_parquet(folder / "scored.parquet") for folder in firsts])
    scores.to_parquet(target / SCORES, index=False, compression="zstd")
    levels = pd.concat([pd.read_csv(folder / "levels.csv") for folder in firsts])
    levels.to_csv(target / LEVELS, index=False)
    probe_predictions(p).to_csv(target / PROBE, index=False)
    _small(looked(p)[KEPT]).to_parquet(target / LOOKED, index=False, compression="zstd")


def probe_predictions(p: Params) -> pd.DataFrame:
    """Return what notebook 08's probe says under every seed of the sweeps."""
    return pd.concat([pd.read_csv(folder / PROBE) for folder in _probings(p)])


def looked(p: Params) -> pd.DataFrame:
    """Return notebook 08's outcomes of minimal pairs and blind pictures, seed after seed."""
    return pd.concat([pd.read_parquet(folder / LOOKED) for folder in _probings(p)])


def _probings(p: Params) -> list[Path]:
    return [stages.ensure("probing", cell) for cell in experiments.probe_cells(p)]


def _packed_outcomes(folders: dict[str, Path]) -> pd.DataFrame:
    """Return the outcomes of all cells in one table with small types; cell -> folder is given."""
    tables = [
        pd.read_parquet(folder / "outcomes.parquet", columns=KEPT).assign(cell=cell)
        for cell, folder in folders.items()
    ]
    return _small(pd.concat(tables))


def _small(outcomes: pd.DataFrame) -> pd.DataFrame:
    words = outcomes.select_dtypes(["object", "string"]).columns
    return outcomes.astype(dict.fromkeys(words, "category") | {"seed": "int16"})


def in_words(outcomes: pd.DataFrame) -> pd.DataFrame:
    """Return a packed table with texts for categories, which would be groups without rows too."""
    words = outcomes.select_dtypes("category").columns
    return outcomes.astype(dict.fromkeys(words, "str"))


def unpack(p: Params, source: Path) -> None:
    """Lay the packed files in the folder `source` out as artefacts under `paths.runs()`.

    An artefact that is already there stays as it is.
    """
    outcomes = in_words(pd.read_parquet(source / NAME))
    by_cell = dict(list(outcomes.groupby("cell", sort=False)))
    scores = pd.read_parquet(source / SCORES)
    levels = pd.read_csv(source / LEVELS)
    for cell in cells(p):
        if not graph.complete("evaluation", cell):
            folder = _new_folder("evaluation", cell)
            table = by_cell[name(p, cell)].drop(columns="cell")
            table.to_parquet(folder / "outcomes.parquet", index=False)
            scores[scores.model == cell.model].to_parquet(folder / "scored.parquet", index=False)
            levels[levels.model == cell.model].to_csv(folder / "levels.csv", index=False)
            _complete(folder)
    predictions, seen = pd.read_csv(source / PROBE), in_words(pd.read_parquet(source / LOOKED))
    for cell in experiments.probe_cells(p):
        if not graph.complete("probing", cell):
            folder = _new_folder("probing", cell)
            predictions[predictions.seed == cell.seed].to_csv(folder / PROBE, index=False)
            seen[seen.seed == cell.seed].to_parquet(folder / LOOKED, index=False)
            _complete(folder)


def _new_folder(stage: str, p: Params) -> Path:
    folder = graph.path(stage, p)
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _complete(folder: Path) -> None:
    (folder / "metrics.json").write_text("{}\n")


def parser() -> argparse.ArgumentParser:
    """Return the parser of `inbol archive`, which takes no arguments."""
    return argparse.ArgumentParser(
        "inbol archive", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )


def parameters(manifest: Mapping[str, Any]) -> Params:
    """Return the parameters in a manifest; those that are younger than it have smoke's values."""
    return params.checked({**params.read("smoke"), **manifest["params"]})


def main(argv: Sequence[str] | None = None) -> int:
    """Lay the published outcomes out under `paths.runs()`, and say where; return 0."""
    parser().parse_args(argv)
    figures = paths.ROOT / "figures"
    manifest = json.loads((figures / "manifest.json").read_text())
    unpack(parameters(manifest), figures)
    profile = manifest["profile"]
    print(f"{paths.runs()}: the artefacts of profile {profile}, as notebook 09 reads them")
    return 0


if __name__ == "__main__":
    sys.exit(main())
