"""Two evaluations side by side, with paired differences (`inbol compare`).

inbol compare runs/evaluation/micro-s-5-methods-seed0-0a1b2c3d runs/evaluation/micro-s-...-4e5f6a7b
inbol compare 0a1b2c3d 4e5f6a7b
inbol compare 0a1b2c3d --methods idk_it ca_dpo
inbol compare seed=0 seed=1 -f micro

A run is an evaluation's folder, or a part of its name that no other has (its last eight characters,
for instance), or `parameter=value`, by which it differs from the profile of -f and -p. Differences
are the second less the first, in points, on the questions that both were asked; their 95 %
intervals resample pictures. With --methods, two methods of one run are compared.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from inbol_lib import paths
from inbol_lib.errors import ParameterError
from inbol_lib.evaluation import intervals, metrics
from inbol_lib.params import Params
from inbol_lib.report.tables import layout
from inbol_lib.study import graph, running

#: metrics that are compared
SCORES = ("acc", "refr", "s_trust")


def folder_of(word: str, p: Params) -> Path:
    """Return the complete evaluation that a word of the command line means.

    Parameters
    ----------
    word
        A folder, a part of one's name, or `parameter=value`.
    p
        What `parameter=value` changes.

    Raises
    ------
    ParameterError
        If there is no such evaluation, or more than one.
    """
    if "=" in word and not Path(word).exists():
        cell = p.replace(**running.overrides([[word]]))
        if not graph.complete("evaluation", cell):
            raise ParameterError(
                f"{word}: {graph.path('evaluation', cell)} is not complete; make it with "
                f"`inbol run 06 -f {p.profile} -p {word} --ensure`"
            )
        return graph.path("evaluation", cell)
    there = sorted(file.parent for file in (paths.runs() / "evaluation").glob("*/outcomes.parquet"))
    if (Path(word) / "outcomes.parquet").is_file():
        return Path(word).resolve()
    found = [folder for folder in there if word in folder.name]
    if len(found) != 1:
        if not there:
            raise ParameterError(
                f"{word!r} names no evaluation: there is none yet under "
                f"{paths.runs() / 'evaluation'}; `inbol run 06 -f micro --ensure` makes one"
            )
        listed = "".join(f"\n  {folder.name}" for folder in (found or there)[:20])
        count = f"{len(found)} evaluations" if found else "no evaluation"
        raise ParameterError(
            f"{count} under {paths.runs() / 'evaluation'} with {word!r} in its name; give a "
            f"folder, or a part of one of these names that no other has:{listed}"
        )
    return found[0]


def outcomes_of(folder: Path) -> pd.DataFrame:
    """Return an evaluation's in-domain outcomes."""
    return layout.in_domain(pd.read_parquet(folder / "outcomes.parquet"))


def differing(first: Path, second: Path) -> dict[str, tuple]:
    """Return parameter -> its two values, of those in which two runs differ."""
    a, b = (json.loads((folder / "params.json").read_text()) for folder in (first, second))
    return {key: (a.get(key), b.get(key)) for key in a | b if a.get(key) != b.get(key)}


def compare(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return one row per metric: both values, the paired difference and its 95 % interval.

    Parameters
    ----------
    first, second
        Outcomes of one method each, under one seed each; of the questions, those that both were
        asked count. Seeds may differ: a question pairs with itself.

    Returns
    -------
    pd.DataFrame
        metric, first, second, diff, diff_lo, diff_hi (points), mark ("*": the interval excludes 0)
        and n (questions).

    Raises
    ------
    ParameterError
        If no question was asked in both.
    """
    common = set(first.id) & set(second.id)
    if not common:
        raise ParameterError(
            "the two runs share no question, so that nothing can be paired; compare runs on the "
            "same data set, data_seed and test set sizes"
        )
    a, b = (
        table[table.id.isin(common)].drop_duplicates("id").assign(seed=0)
        for table in (first, second)
    )
    totals = [metrics.score(metrics.counts(table).sum()) for table in (a, b)]
    rows = []
    for name in SCORES:
        gap = intervals.difference(a, b, name)
        points = {key: 100 * gap[key] for key in ("diff", "diff_lo", "diff_hi")}
        before, after = (100 * float(total[name]) for total in totals)
        rows.append(
            {"metric": name, "first": before, "second": after, **points, "mark": gap["mark"]}
        )
    return pd.DataFrame(rows).assign(n=len(common))


def side_by_side(first: pd.DataFrame, second: pd.DataFrame) -> pd.DataFrame:
    """Return `compare` of every method that both tables of outcomes have, in the first's order.

    Raises
    ------
    ParameterError
        If they have no method in common, or no question.
    """
    methods = [name for name in first.method.unique() if name in set(second.method)]
    if not methods:
        raise ParameterError(
            f"no method in common: {', '.join(first.method.unique())} in the first, "
            f"{', '.join(second.method.unique())} in the second; name one of each with --methods"
        )
    tables = [
        compare(*(table[table.method == name] for table in (first, second))).assign(method=name)
        for name in methods
    ]
    made = pd.concat(tables, ignore_index=True)
    return made[["method", *made.columns.drop("method")]]


def two_methods(first: pd.DataFrame, second: pd.DataFrame, names: Sequence[str]) -> pd.DataFrame:
    """Return `compare` of a method of the first table with a method of the second one.

    Raises
    ------
    ParameterError
        If a table lacks its method.
    """
    picked = []
    for table, name in zip((first, second), names, strict=True):
        picked.append(table[table.method == name])
        if picked[-1].empty:
            there = ", ".join(table.method.unique())
            raise ParameterError(f"--methods: given {name!r}; there are {there}")
    made = compare(*picked).assign(method=" → ".join(names))
    return made[["method", *made.columns.drop("method")]]


def parser() -> argparse.ArgumentParser:
    """Return the parser of `inbol compare`."""
    made = argparse.ArgumentParser(
        "inbol compare", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    made.add_argument("runs", nargs="+", metavar="RUN", help="one run or two, as described above")
    running.add_profile_options(made)
    made.add_argument("--methods", nargs=2, metavar="METHOD", help="of the first, and the second")
    made.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return made


def main(argv: Sequence[str] | None = None) -> int:
    """Print the comparison for which `argv` asks (default: the process's arguments).

    Returns
    -------
    int
        0, or 2 if something was asked wrongly, which is then printed.
    """
    args = parser().parse_args(argv)
    try:
        folders, table = _compared(args)
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    if args.json:
        print(table.to_json(orient="records", indent=1))
        return 0
    for name, folder in zip(("first", "second"), folders, strict=True):
        print(f"{name}: {folder}")
    for key, (before, after) in differing(*folders).items():
        print(f"  {key}: {before} → {after}")
    print(table.to_string(index=False, float_format=lambda value: f"{value:.1f}"))
    return 0


def _compared(args: argparse.Namespace) -> tuple[list[Path], pd.DataFrame]:
    """Return the two folders and the table of their comparison."""
    wanted = 1 if args.methods and len(args.runs) == 1 else 2
    if len(args.runs) != wanted:
        raise ParameterError(
            f"{len(args.runs)} runs given; two are needed, or one and two --methods"
        )
    p = running.profile_of(args)
    folders = [folder_of(word, p) for word in args.runs] * (3 - wanted)
    tables = [outcomes_of(folder) for folder in folders]
    if args.methods:
        return folders, two_methods(*tables, args.methods)
    return folders, side_by_side(*tables)
