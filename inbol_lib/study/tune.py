"""Choose the learning rates of a micro profile on the validation questions, with as many trials for every method.

    inbol tune                                                       # params/micro_tuning.csv
    inbol tune --profile micro-full --rates 3e-4 1e-3 --preferences ca_dpo \\
        --dpo-trials 3e-5:0.1 3e-5:0.3 3e-5:1 1e-4:1 3e-4:1 1e-3:1

Writes params/<profile>_tuning.csv: one line per trial. The values of the best line go into params/<profile>.yaml by hand.
"""

import argparse
import sys
from collections.abc import Sequence

import pandas as pd

from inbol_lib import params, paths
from inbol_lib.data.records import load_table
from inbol_lib.evaluation import asking, metrics
from inbol_lib.params import Params
from inbol_lib.study import graph, stages

RATES = (3e-4, 1e-3, 3e-3)
DPO_TRIALS = (
    "1e-4:1",
    "3e-4:1",
    "1e-3:1",
    "3e-3:1",
)  # learning rate and beta; at 3e-4:0.3 micro-s loses its language
VALIDATION = {
    "validation_questions": 3000,
    "validation_per_source": 300,
}  # more than the studies need: a choice should not be noise
PREFERENCES = ("ca_dpo", "dpo_1", "dpo_2", "dpo_3")


def on_validation(p: Params, method: str) -> dict[str, float]:
    """Metrics of a method on the validation questions of its composition (shares; s_trust in [-1, 1])."""
    rows = load_table(stages.ensure("composition", p) / "validation.parquet")
    table = asking.outcomes(
        p, method, rows.add_column("in_domain", [True] * len(rows)), stages.adapter_of(p, method)
    )
    return metrics.summary(table, ["method"]).iloc[0].to_dict()


def trials(
    p: Params, rates: Sequence[float], dpo_trials: Sequence[str], preferences: Sequence[str]
) -> list[dict]:
    """Every trial's setting and score; the preference trials start from the best learning rate of SFT and IDK-IT together."""
    table = [
        {"learning_rate": lr, **on_validation(p.replace(learning_rate=lr), method)}
        for lr in rates
        for method in graph.TUNED
    ]
    best = pd.DataFrame(table).groupby("learning_rate").s_trust.mean().idxmax()
    for lr, beta in (map(float, trial.split(":")) for trial in dpo_trials):
        q = p.replace(learning_rate=best, dpo_learning_rate=lr, beta=beta)
        table += [
            {"learning_rate": best, "dpo_learning_rate": lr, "beta": beta, **on_validation(q, m)}
            for m in preferences
        ]
    return table


def main(argv: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--profile", default="micro")
    parser.add_argument(
        "--rates", type=float, nargs="+", default=RATES, help="learning rates of SFT and IDK-IT"
    )
    parser.add_argument(
        "--dpo-trials",
        nargs="+",
        default=DPO_TRIALS,
        metavar="RATE:BETA",
        help="settings of preference training",
    )
    parser.add_argument("--preferences", nargs="+", default=PREFERENCES, choices=PREFERENCES)
    args = parser.parse_args(argv)
    p = params.load(args.profile, **VALIDATION)
    table = pd.DataFrame(trials(p, args.rates, args.dpo_trials, args.preferences)).drop(
        columns=["unjudged"]
    )
    table.round(5).to_csv(paths.ROOT / "params" / f"{args.profile}_tuning.csv", index=False)
    print(table.round(3).to_string())
    return 0


if __name__ == "__main__":
    sys.exit(main())
