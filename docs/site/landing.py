"""What the first page says of the results, counted from what is published."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from inbol_lib.explore.parts.pages import signed
from inbol_lib.report.plots import looks

#: the methods whose trust stands on the first page
SHOWN = ("original", "idk_it", "ca_dpo")
VERDICTS = ("reproduced", "undecided", "not")


def facts(figures: Path) -> dict[str, Any]:
    """Return the numbers of the first page.

    Returns
    -------
    dict
        trust: model -> (label, colour, s_trust in points with sign, its interval) of each method in
        `SHOWN`; verdicts: (verdict, number of claims) of the model with most claims, and
        `claims_model`, its name; outcomes: number of judged responses; made: date.
    """
    table = pd.read_csv(figures / "table1_in_domain.csv")
    overall = table[table.dataset == "Overall"].set_index(["model", "method"])
    models = sorted(table.model.unique(), reverse=True)
    claims = pd.read_csv(figures / "claims.csv")
    most = claims.model.value_counts().index[0]
    counted = claims[claims.model == most].verdict.value_counts()
    manifest = json.loads((figures / "manifest.json").read_text())
    return {
        "trust": {
            model: [trust(overall.loc[model, name], name) for name in SHOWN] for model in models
        },
        "verdicts": [(word, int(counted.get(word, 0))) for word in VERDICTS],
        "claims_model": most,
        "outcomes": f"{pq.read_metadata(figures / 'outcomes.parquet').num_rows:,}",
        "made": manifest["made"][:10],
        "profile": manifest["profile"],
        "seeds": len(manifest["params"]["seeds"]),
    }


def trust(row: pd.Series, method: str) -> tuple[str, str, str, str]:
    """Return (label, colour, s_trust, interval) of a method's line in Table 1."""
    look = looks.METHODS[method]
    bounds = f"{signed(row.lo)} to {signed(row.hi)}"
    return look.label, look.colour, signed(row.s_trust), bounds
