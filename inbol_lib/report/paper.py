"""The paper's printed numbers as data (`paper_tables/*.csv`), and our tables beside them."""

from importlib import resources

import pandas as pd

from inbol_lib.params import Params

#: number of a table -> name of its file
FILES = {
    1: "table1_in_domain",
    2: "table2_out_of_domain",
    3: "table3_unanswerable",
    4: "table4_preference_data",
    5: "table5_generators_unanswerable",
    6: "table6_generators_ood",
    7: "table7_linear_probe",
}
#: Three printed s_trust cells of Table 1 (13B) do not follow from their own Acc and RefR by eq. 5.
NOTES = {
    ("llava-1.5-13b", "idk_it", "VQAv2"): "eq. 5 gives 28.67",
    ("llava-1.5-13b", "idk_it", "OVEN"): "eq. 5 gives 18.33",
    ("llava-1.5-13b", "ca_dpo", "OVEN"): "eq. 5 gives 30.33",
}
#: Which of the paper's models each of ours stands for.
COUNTERPART = {"micro-s": "llava-1.5-7b", "micro-m": "llava-1.5-13b"}


def table(number: int) -> pd.DataFrame:
    """Return one of the paper's tables as it is printed, in percentage points.

    Raises
    ------
    ValueError
        If `number` is not one of 1 to 7.
    """
    if number not in FILES:
        raise ValueError(f"the paper has Tables 1 to 7, not {number}")
    path = resources.files("inbol_lib.report") / "paper_tables" / f"{FILES[number]}.csv"
    with path.open() as file:
        return pd.read_csv(file)


def counterpart_table(number: int, model: str) -> pd.DataFrame:
    """Return the rows of a printed table that are about the counterpart of one of our models."""
    printed = table(number)
    return printed[printed.model == COUNTERPART.get(model)]


def measured_here(p: Params) -> bool:
    """Tell whether the paper has numbers for these data, or for what the micro world stands for.

    It has none for a folder of one's own.
    """
    return not p.dataset.startswith("folder:")


def compare(ours: pd.DataFrame, number: int, p: Params | None = None) -> pd.DataFrame:
    """Return our table with the paper's metrics beside it, as columns `paper_<metric>`.

    Rows are matched by the counterpart of their model and by method, data set and number of mixed
    pairs where both tables have them. For data that are not the paper's (`p`; default: they are),
    our table comes back as it is.
    """
    if p is not None and not measured_here(p):
        return ours
    printed = table(number)
    keys = [
        name
        for name in ("method", "dataset", "mixed_pairs")
        if name in printed.columns and name in ours.columns
    ]
    values = [name for name in printed if printed[name].dtype == float and name not in keys]
    names = {name: f"paper_{name}" for name in values} | {"model": "counterpart"}
    left = ours.assign(counterpart=ours["model"].map(COUNTERPART))
    both = left.merge(printed.rename(columns=names), on=["counterpart", *keys], how="left")
    return both.drop(columns="counterpart")
