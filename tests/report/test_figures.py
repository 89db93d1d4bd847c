"""Every number in figures/ comes from the outcomes that lie beside it: they are unpacked, and every table is made again."""

import json

import pandas as pd
import pytest

from inbol_lib import params, paths
from inbol_lib.evaluation import metrics, selective
from inbol_lib.report import claims, diagnostics, gathering, publication
from inbol_lib.report.tables import control_tables, layout, numbered
from inbol_lib.study import experiments, graph, published_outcomes

FIGURES = paths.ROOT / "figures"
#: Times and memory, and what is drawn from pictures and responses, which are not stored.
MEASURED = ("bench", "minutes", "costs", "audit_", "fig1_", "fig2_", "fig3_", "fig9_", "fig12_")
PACKED = ("confidence_levels", "probe_predictions")


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """File name -> the table as the outcomes give it now."""
    manifest = json.loads((FIGURES / "manifest.json").read_text())
    p = params.checked(manifest["params"])
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INBOL_RUNS", str(tmp_path_factory.mktemp("opened")))
        published_outcomes.unpack(p, FIGURES)
        return {**beside(p), **main(p)}


def main(p) -> dict[str, pd.DataFrame]:
    outcomes, sweeps = gathering.gather(experiments.main_cells(p)), gathering.sweeps(p)
    made = publication.make_tables(p, outcomes) | {"claims": claims.judged(p, outcomes)}
    made["fig_in_domain"] = made["table1_in_domain"].query("dataset == 'Overall'")
    made["fig4_by_confidence"] = numbered.by_confidence(outcomes[outcomes.model == p.model])
    made["fig10_thresholds"] = sweeps["thresholds"]
    made["fig11_composition"] = pd.concat([sweeps["shares"], sweeps["ratios"]])
    made["fig_probe"] = made["controls_probe"]
    made["fig_contrasts"] = publication.contrasts(made | {"sizes": sweeps["sizes"]})
    return made | ({"fig_data_size": sweeps["sizes"]} if len(sweeps["sizes"]) else {})


def beside(p) -> dict[str, pd.DataFrame]:
    """The tables of notebook 06, of the first main cell."""
    folder = graph.path("evaluation", experiments.main_cells(p)[0])
    outcomes, scored = (
        pd.read_parquet(folder / f"{name}.parquet") for name in ("outcomes", "scored")
    )
    inside, (validation, test) = (
        layout.in_domain(outcomes),
        (scored[scored.split == split] for split in ("validation", "test")),
    )
    curves = pd.concat(
        [metrics.risk_coverage(test, score).assign(score=score) for score in selective.SCORES]
    )
    return {
        "crossovers": diagnostics.crossovers(inside), "fig_risk_coverage": curves,
        "over_refusal": diagnostics.over_refusal(inside, "original", p.delta_known, p.delta_unknown),
        "selective_prediction": control_tables.selective_prediction(validation, test, inside[inside.method != "original"]),
    }  # fmt: skip


NAMES = sorted(
    f.stem
    for f in FIGURES.glob("*.csv")
    if not f.stem.startswith(MEASURED) and f.stem not in PACKED
)


@pytest.mark.parametrize("name", NAMES)
def test_a_published_table_is_what_the_outcomes_give(made, name):
    published = pd.read_csv(FIGURES / f"{name}.csv")
    again = made[name].reset_index(drop=True)
    assert list(again) == list(published)
    for column, values in published.items():
        if pd.api.types.is_numeric_dtype(again[column]):
            pd.testing.assert_series_equal(
                again[column].astype(float),
                values.astype(float),
                rtol=0,
                atol=0.0051,
                check_names=False,
            )
        else:
            assert (
                again[column].fillna("").astype(str).tolist()
                == values.fillna("").astype(str).tolist()
            ), column


def test_every_table_that_the_outcomes_give_is_published(made):
    assert set(made) == set(NAMES)


def test_markdown_and_latex_show_the_same_numbers():
    for name in (n for n in NAMES if not n.startswith("fig")):
        table = pd.read_csv(FIGURES / f"{name}.csv")
        shown = [
            line
            for line in (FIGURES / f"{name}.md").read_text().splitlines()
            if line.startswith("|")
        ]
        latex = (FIGURES / f"{name}.tex").read_text()
        assert len(shown) == len(table) + 2, name
        for column in table.select_dtypes("float"):
            for value in table[column].dropna():
                assert f"{value:.2f}" in latex, (name, column)
