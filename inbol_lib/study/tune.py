r"""Choose a micro profile's learning rates on its validation questions.

    inbol tune
    inbol tune --profile micro-full --rates 3e-4 1e-3 --preferences ca_dpo \
    --dpo-trials 3e-5:0.1 3e-5:0.3 3e-5:1 1e-4:1 3e-4:1 1e-3:1

Every method has as many trials. Writes params/<profile>_tuning.csv with one line per trial; the
values of the best line go into params/<profile>.yaml by hand.
"""

import argparse
import sys
from collections.abc import Sequence
from typing import Any

import pandas as pd

from inbol_lib import params, paths
from inbol_lib.data.records import load_table
from inbol_lib.evaluation import asking, metrics
from inbol_lib.params import Params
from inbol_lib.study import graph, stages

RATES = (3e-4, 1e-3, 3e-3)
#: learning rate and beta; at 3e-4:0.3 micro-s loses its language
DPO_TRIALS = ("1e-4:1", "3e-4:1", "1e-3:1", "3e-3:1")
#: more validation questions than the studies need, so that the choice is not noise
VALIDATION = {"validation_questions": 3000, "validation_per_source": 300}
PREFERENCES = ("ca_dpo", "dpo_1", "dpo_2", "dpo_3")


def on_validation(p: Params, method: str) -> dict[str, float]:
    """Return a method's metrics on the validation questions of its composition.

    They are shares in [0, 1], and s_trust in [-1, 1].
    """
    rows = load_table(stages.ensure("composition", p) / "validation.parquet")
    rows = rows.add_column("in_domain", [True] * len(rows))
    table = asking.outcomes(p, method, rows, stages.adapter_of(p, method))
    return metrics.summary(table, ["method"]).iloc[0].to_dict()


def trials(
    p: Params, rates: Sequence[float], dpo_trials: Sequence[str], preferences: Sequence[str]
) -> list[dict[str, Any]]:
    """Try all settings.

    Parameters
    ----------
    p
        The profile.
    rates
        Learning rates of SFT and IDK-IT.
    dpo_trials
        Settings of preference training, each "RATE:BETA". They start from the learning rate that is
        best for SFT and IDK-IT together.
    preferences
        Methods of preference training.

    Returns
    -------
    list[dict]
        The setting and the metrics of every trial.
    """
    table = []
    for rate in rates:
        for method in graph.TUNED:
            found = on_validation(p.replace(learning_rate=rate), method)
            table.append({"learning_rate": rate, **found})
    best = pd.DataFrame(table).groupby("learning_rate").s_trust.mean().idxmax()
    for trial in dpo_trials:
        rate, beta = (float(part) for part in trial.split(":"))
        setting = {"learning_rate": best, "dpo_learning_rate": rate, "beta": beta}
        for method in preferences:
            table.append({**setting, **on_validation(p.replace(**setting), method)})
    return table


def parser() -> argparse.ArgumentParser:
    """Return the parser of `inbol tune`."""
    made = argparse.ArgumentParser(
        "inbol tune", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("--profile", default="micro", help="a name under params/ (default: micro)")
    made.add_argument(
        "--rates", type=float, nargs="+", default=RATES, help="learning rates of SFT and IDK-IT"
    )
    made.add_argument(
        "--dpo-trials",
        nargs="+",
        default=DPO_TRIALS,
        metavar="RATE:BETA",
        help="settings of preference training",
    )
    made.add_argument(
        "--preferences",
        nargs="+",
        default=PREFERENCES,
        choices=PREFERENCES,
        help="methods of preference training",
    )
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Try the settings that `argv` names, and write the table of trials; return 0."""
    args = parser().parse_args(argv)
    p = params.load(args.profile, **VALIDATION)
    made = trials(p, args.rates, args.dpo_trials, args.preferences)
    table = pd.DataFrame(made).drop(columns=["unjudged"])
    table.round(5).to_csv(paths.PARAMS / f"{args.profile}_tuning.csv", index=False)
    print(table.round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
