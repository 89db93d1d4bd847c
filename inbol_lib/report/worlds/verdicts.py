"""The same claims in several worlds: a reader sees what the choice of a world decides.

python -m inbol_lib.report.worlds.verdicts        (figures/worlds.csv, .md, .tex)
"""

from collections.abc import Mapping
from pathlib import Path

import pandas as pd

from inbol_lib import micro, paths
from inbol_lib.report.tables import files
from inbol_lib.report.worlds import easy_vqa

KEYS = ["claim", "where", "model"]
#: The verdicts of the world before this one, whose base models were unlike LLaVA: the weights and
#: pictures are gone, the table stays.
FORMER = ("micro world 2", "world_2_claims.csv")
#: What `make study` rules in this world, from one training seed: figures/micro/claims.csv.
ONE_SEED = (f"micro world {micro.VERSION}, one seed", "one_seed_claims.csv")
#: What the profile micro-hour rules in this world, from some third of the data and three seeds.
HOUR = (f"micro world {micro.VERSION}, an hour", "hour_claims.csv")


def sources(folder: Path) -> dict[str, pd.DataFrame]:
    """Return world -> its published verdicts, for those that are there."""
    named = {
        f"micro world {micro.VERSION}": "claims.csv",
        **dict([HOUR, ONE_SEED, FORMER]),
        "easy-VQA": f"{easy_vqa.NAME}_claims.csv",
    }
    files_there = {world: folder / name for world, name in named.items()}
    return {world: pd.read_csv(file) for world, file in files_there.items() if file.is_file()}


def side_by_side(verdicts: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return one row per claim and model, with a column for each world.

    Parameters
    ----------
    verdicts : mapping of str to pd.DataFrame
        World -> its claims as `claims.judged` returns them.

    Returns
    -------
    pd.DataFrame
        `KEYS`, the paper's statistic, and for each world a text such as "reproduced: +4.6
        [+1.2, +7.7]"; empty where the world says nothing about a claim. Points.
    """
    columns, printed = [], []
    for world, table in verdicts.items():
        texts = [_text(row) for row in table.itertuples()]
        columns.append(pd.Series(texts, _index(table), name=world))
        printed.append(table.set_index(_index(table)).paper)
    paper = pd.concat(printed).groupby(level=KEYS, sort=False).first()
    found = pd.concat([paper, *columns], axis=1).fillna(dict.fromkeys(verdicts, ""))
    return found.rename_axis(KEYS).reset_index()


def _index(table: pd.DataFrame) -> pd.MultiIndex:
    return pd.MultiIndex.from_frame(table[KEYS])


def _text(row: tuple) -> str:
    return f"{row.verdict}: {row.ours:+.1f} [{row.lo:+.1f}, {row.hi:+.1f}]"


def main() -> None:
    """Write the table of all worlds."""
    folder = paths.ROOT / "figures"
    table = side_by_side(sources(folder))
    files.save_table_files(table, folder, "worlds", "Points, with 95 % intervals.")
    print(table.to_string(index=False))


if __name__ == "__main__":
    main()
