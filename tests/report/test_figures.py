"""Every number in figures/ comes from the outcomes that lie beside it.

The outcomes are unpacked, and every table is made again.
"""

import json

import pandas as pd
import pytest

from inbol_lib import paths
from inbol_lib.evaluation import risk, selective
from inbol_lib.report import claims, gathering, publication
from inbol_lib.report.tables import numbered
from inbol_lib.study import experiments, graph, published_outcomes

FIGURES = paths.ROOT / "figures"
#: Times and memory, and what is drawn from pictures and responses, which are not stored.
MEASURED = (
    *("bench", "minutes", "costs", "audit_", "fig1_", "fig2_", "fig3_", "fig9_", "fig12_"),
    *("world", "easy_vqa", "one_seed", "hour"),  # see test_world_card.py and test_worlds.py
)
PACKED = ("confidence_levels", "probe_predictions")
NAMES = sorted(
    file.stem
    for file in FIGURES.glob("*.csv")
    if not file.stem.startswith(MEASURED) and file.stem not in PACKED
)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """File name -> the table as the outcomes give it now."""
    manifest = json.loads((FIGURES / "manifest.json").read_text())
    p = published_outcomes.parameters(manifest)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INBOL_RUNS", str(tmp_path_factory.mktemp("opened")))
        published_outcomes.unpack(p, FIGURES)
        return {**of_notebook_06(p), **of_notebook_09(p)}


def of_notebook_09(p) -> dict[str, pd.DataFrame]:
    outcomes, sweeps = gathering.gather(experiments.main_cells(p)), gathering.sweeps(p)
    made = publication.make_tables(p, outcomes) | {"claims": claims.judged(p, outcomes)}
    made["fig_in_domain"] = made["table1_in_domain"].query("dataset == 'Overall'")
    made["fig4_by_confidence"] = numbered.by_confidence(outcomes[outcomes.model == p.model])
    made["fig10_thresholds"] = sweeps["thresholds"]
    made["fig11_composition"] = pd.concat([sweeps["shares"], sweeps["ratios"]])
    made["fig_probe"], made["fig_looking"] = made["controls_probe"], made["controls_pairs"]
    made["fig_contrasts"] = publication.contrasts(made | {"sizes": sweeps["sizes"]})
    if len(sweeps["sizes"]):
        made["fig_data_size"] = sweeps["sizes"]
    return made


def of_notebook_06(p) -> dict[str, pd.DataFrame]:
    """What is copied from notebook 06: a figure's data, of the first main cell."""
    folder = graph.path("evaluation", experiments.main_cells(p)[0])
    scored = pd.read_parquet(folder / "scored.parquet")
    test = scored[scored.split == "test"]
    curves = [risk.risk_coverage(test, score).assign(score=score) for score in selective.SCORES]
    return {"fig_risk_coverage": pd.concat(curves)}


@pytest.mark.parametrize("name", NAMES)
def test_a_published_table_is_what_the_outcomes_give(made, name):
    published = pd.read_csv(FIGURES / f"{name}.csv")
    again = made[name].reset_index(drop=True)
    assert list(again) == list(published)
    for column, values in published.items():
        if pd.api.types.is_numeric_dtype(again[column]):
            now, then = again[column].astype(float), values.astype(float)
            pd.testing.assert_series_equal(now, then, rtol=0, atol=0.0051, check_names=False)
        else:
            now, then = again[column].fillna("").astype(str), values.fillna("").astype(str)
            assert now.tolist() == then.tolist(), column


def test_every_table_that_the_outcomes_give_is_published(made):
    assert set(made) == set(NAMES)


def test_markdown_and_latex_show_the_same_numbers():
    for name in (name for name in NAMES if not name.startswith("fig")):
        table = pd.read_csv(FIGURES / f"{name}.csv")
        markdown = (FIGURES / f"{name}.md").read_text().splitlines()
        latex = (FIGURES / f"{name}.tex").read_text()
        rows = [line for line in markdown if line.startswith("|")]
        assert len(rows) == len(table) + 2, name
        for column in table.select_dtypes("float"):
            for value in table[column].dropna():
                assert f"{value:.2f}" in latex, (name, column)
