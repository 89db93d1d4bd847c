"""Choose the learning rates and beta of the micro profile on the validation questions, with as many trials for every method.

    python -m inbol_lib.micro.tune --profile micro

Writes params/<profile>_tuning.csv: one line per trial. The values of the best line go into params/<profile>.yaml by hand.
"""

import argparse

import pandas as pd

from inbol_lib import evaluation, metrics, params, paths, stages
from inbol_lib.params import Params
from inbol_lib.records import load_table

LEARNING_RATES = (3e-4, 1e-3, 3e-3)
PREFERENCE_TRIALS = ((1e-4, 0.1), (3e-4, 0.1), (1e-3, 0.1), (1e-4, 1.0), (3e-4, 1.0), (1e-3, 1.0))  # learning rate, beta
PREFERENCES = ("ca_dpo", "dpo_1", "dpo_2", "dpo_3")


def on_validation(p: Params, method: str) -> dict[str, float]:
    """Metrics of a method on the validation questions of its composition (shares; s_trust in [-1, 1])."""
    rows = load_table(stages.ensure("composition", p) / "validation.parquet")
    table = evaluation.outcomes(p, method, rows.add_column("in_domain", [True] * len(rows)), evaluation.adapter_of(p, method))
    return metrics.summary(table, ["method"]).iloc[0].to_dict()


def trials(p: Params) -> list[dict]:
    """Every trial's setting and score; the preference trials start from the best learning rate of SFT and IDK-IT together."""
    table = [
        {"learning_rate": lr, **on_validation(p.replace(learning_rate=lr), method)} for lr in LEARNING_RATES for method in stages.TUNED
    ]
    best = pd.DataFrame(table).groupby("learning_rate").s_trust.mean().idxmax()
    for lr, beta in PREFERENCE_TRIALS:
        q = p.replace(learning_rate=best, dpo_learning_rate=lr, beta=beta)
        table += [{"learning_rate": best, "dpo_learning_rate": lr, "beta": beta, **on_validation(q, m)} for m in PREFERENCES]
    return table


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--profile", default="micro")
    args = parser.parse_args()
    table = pd.DataFrame(trials(params.load(args.profile))).drop(columns=["unjudged"])
    table.round(4).to_csv(paths.ROOT / "params" / f"{args.profile}_tuning.csv", index=False)
    print(table.round(3).to_string())


if __name__ == "__main__":
    main()
