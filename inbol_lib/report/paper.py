"""The paper's printed numbers as data (inbol_lib/paper_tables/*.csv); where eq. 5 contradicts a printed cell, see NOTES."""

from importlib import resources

import pandas as pd

FILES = {
    1: "table1_in_domain", 2: "table2_out_of_domain", 3: "table3_unanswerable", 4: "table4_preference_data",
    5: "table5_generators_unanswerable", 6: "table6_generators_ood", 7: "table7_linear_probe",
}  # fmt: skip
KEYS = ["method", "dataset"]
#: Three printed s_trust cells of Table 1 (13B) do not follow from their own Acc and RefR by eq. 5.
NOTES = {
    ("llava-1.5-13b", "idk_it", "VQAv2"): "eq. 5 gives 28.67",
    ("llava-1.5-13b", "idk_it", "OVEN"): "eq. 5 gives 18.33",
    ("llava-1.5-13b", "ca_dpo", "OVEN"): "eq. 5 gives 30.33",
}
#: Which of the paper's models each of ours stands for.
COUNTERPART = {"micro-s": "llava-1.5-7b", "micro-m": "llava-1.5-13b"}


def table(number: int) -> pd.DataFrame:
    """Printed Table 1 to 7, in percentage points."""
    if number not in FILES:
        raise ValueError(f"the paper has Tables 1 to 7, not {number}")
    with (
        resources.files("inbol_lib.report") / "paper_tables" / f"{FILES[number]}.csv"
    ).open() as file:
        return pd.read_csv(file)


def compare(ours: pd.DataFrame, number: int) -> pd.DataFrame:
    """Our table with the paper's metric columns beside it as `paper_<metric>` (joined on the model's counterpart)."""
    printed = table(number)
    keys = [
        c
        for c in ("method", "dataset", "mixed_pairs")
        if c in printed.columns and c in ours.columns
    ]
    printed = printed.rename(
        columns={
            c: f"paper_{c}" for c in printed.columns if printed[c].dtype == float and c not in keys
        }
    )
    left = ours.assign(counterpart=ours["model"].map(COUNTERPART))
    return left.merge(
        printed.rename(columns={"model": "counterpart"}), on=["counterpart", *keys], how="left"
    ).drop(columns="counterpart")
