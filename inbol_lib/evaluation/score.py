"""Score any model's responses: accuracy, refusal rate, s_trust and the user's gain.

inbol score responses.jsonl
inbol score responses.jsonl --cost 1 3 9 --judge endpoint:gpt-4o --out outcomes.parquet

The file holds one JSON object a line: id, question, response and answers (every right answer; [] if
the question is unanswerable), and optionally choices (for multiple choice; `answers` then holds the
text of the right option), source and image_id. "-" reads standard input. The result is one JSON
object; all metrics are shares, each with its 95 % interval.
"""

import argparse
import json
import math
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

import pandas as pd

from inbol_lib.data.response_files import NEEDED, OPTIONAL, read
from inbol_lib.errors import EndpointError
from inbol_lib.evaluation import intervals, metrics
from inbol_lib.judging.matching import RULES as RULES_OF_MATCHING
from inbol_lib.judging.matching import matched

METRICS = ("acc", "refr", "s_trust", "answered_acc")
SHOWN = 20  # faults that are printed
FEW = 30  # with fewer images an interval is rough
RULES = "string"  # the judge that asks no language model: string match alone


def say(text: str) -> None:
    """Print a message for people, apart from the result."""
    print(text, file=sys.stderr)


def outcomes(rows: list[dict], judge: str, rule: str = "final") -> pd.DataFrame:
    """Return the outcome table: id, image_id, source, seed, response, outcome, answerable.

    Raises
    ------
    SystemExit
        When the judge can not be loaded or reached.
    """
    rows = [{"choices": [], **row} for row in rows]
    return pd.DataFrame(
        {
            "id": [str(row["id"]) for row in rows],
            "image_id": [str(row.get("image_id", f"of {row['id']}")) for row in rows],
            "source": [str(row.get("source", "")) for row in rows],
            "seed": 0,
            "response": [row["response"] for row in rows],
            "outcome": _verdicts(rows, judge, rule),
            "answerable": [bool(row["answers"]) for row in rows],
        }
    )


def _verdicts(rows: list[dict], judge: str, rule: str) -> list[str]:
    if judge == RULES:
        return [matched(row, row["response"], rule) or "incorrect" for row in rows]
    from inbol_lib.judging import hybrid  # torch and transformers, which string match does without

    try:
        return hybrid.judge(rows, [row["response"] for row in rows], judge, rule)
    except (OSError, EndpointError) as error:
        raise SystemExit(f"the judge {judge!r} can not be asked: {error}") from error


def measures(costs: Iterable[float]) -> dict[str, intervals.Statistic]:
    """Return name -> function of summed counts; the user's gain at cost c is called phi_c."""
    named = {name: intervals.metric(name) for name in METRICS}
    gains = {f"phi_{cost:g}": _gain(cost) for cost in costs}
    return {**named, **gains, "unjudged": lambda totals: totals["unjudged"] / totals["n"]}


def _gain(cost: float) -> intervals.Statistic:
    return lambda totals: metrics.phi(totals["correct"], totals["refusal"], totals["n"], cost)


def report(table: pd.DataFrame, costs: Iterable[float]) -> dict:
    """Return the result for one outcome table.

    Returns
    -------
    dict
        n, images, and for each measure its value and its 95 % interval (value, lo, hi; null where
        the measure does not exist). "unjudged" also has the count.
    """
    totals = metrics.counts(table).sum()
    result = {"n": len(table), "images": table.image_id.nunique()}
    for name, function in measures(costs).items():
        result[name] = _measured(table, function, float(function(totals)))
    result["unjudged"] = {"count": int(totals["unjudged"]), **result["unjudged"]}
    return result


def _measured(table: pd.DataFrame, function: intervals.Statistic, value: float) -> dict:
    if math.isnan(value):
        return {"value": None, "lo": None, "hi": None}
    lo, hi = intervals.interval(table, statistic=function)
    return {"value": round(value, 6), "lo": round(lo, 6), "hi": round(hi, 6)}


def remarks(rows: list[dict], table: pd.DataFrame, judge: str) -> Iterator[str]:
    """Yield what a reader of the numbers should know about them."""
    if judge == RULES:
        yield (
            "scored by string match alone: right answers in other words count as wrong; "
            "with --judge <model> a language model decides about them"
        )
    without = sum("image_id" not in row for row in rows)
    if without:
        yield (
            f"{without} of {len(rows)} rows have no image_id: each counts as an image of its own; "
            "if some share an image, the intervals are too narrow"
        )
    unknown = {key for row in rows for key in row} - {*NEEDED, *OPTIONAL}
    if unknown:
        yield f"not used: {', '.join(sorted(unknown))}"
    unjudged = int((table.outcome == "unjudged").sum())
    if unjudged:
        yield (
            f"{unjudged} of {len(table)} responses are unjudged: the judge failed or gave no clear "
            "verdict; they count as wrong"
        )
    for source, images in table.groupby("source").image_id.nunique().items():
        if images < FEW:
            place = f" in {source}" if source else ""
            yield f"few images{place}, only {images}: the interval is rough"


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    cli = argparse.ArgumentParser(
        "inbol score", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    cli.add_argument("responses", help="a JSON Lines file, or -")
    cli.add_argument(
        "--cost",
        type=float,
        nargs="+",
        default=[1.0],
        metavar="C",
        help="what a wrong answer costs, a right one being worth 1",
    )
    cli.add_argument(
        "--judge",
        default=RULES,
        help="string (default) | micro-judge | model id | endpoint:<model>",
    )
    cli.add_argument(
        "--rule",
        choices=RULES_OF_MATCHING,
        default=RULES_OF_MATCHING[0],
        help="where a long response answers: its end (final, default) | anywhere (paper, App. D.1)",
    )
    cli.add_argument("--out", type=Path, help="also write every row's outcome, as parquet")
    return cli


def arguments(argv: list[str] | None) -> argparse.Namespace:
    """Parse and check the command line; a wrong one ends the program with status 2."""
    cli = parser()
    args = cli.parse_args(argv)
    if not all(0 <= cost < math.inf for cost in args.cost):
        given = " ".join(f"{cost:g}" for cost in args.cost)
        cli.error(f"--cost takes numbers >= 0, given {given}")
    if args.out and not args.out.absolute().parent.is_dir():
        cli.error(f"--out: there is no folder {args.out.parent}")
    return args


def lines_of(source: str) -> Iterable[bytes]:
    """Return the lines of a file, or of standard input for "-"."""
    return sys.stdin.buffer if source == "-" else Path(source).read_bytes().splitlines()


def say_faults(found: list[str]) -> None:
    """Print the first faults and the number of the others."""
    shown = found[:SHOWN]
    if len(found) > SHOWN:
        shown.append(f"... and {len(found) - SHOWN} more")
    say("\n".join(shown))


def main(argv: list[str] | None = None) -> int:
    """Score a file from the command line (default: the process's arguments).

    Returns
    -------
    int
        Exit status: 0, or 2 where the call or the file is wrong.
    """
    args = arguments(argv)
    try:
        rows, found = read(lines_of(args.responses))
    except OSError as error:
        parser().error(str(error))
    if found:
        say_faults(found)
        return 2
    say(f"{len(rows)} responses, judge: {args.judge}")
    table = outcomes(rows, args.judge, args.rule)
    for remark in remarks(rows, table, args.judge):
        say(remark)
    if args.out:
        table.to_parquet(args.out)
    costs = sorted(set(args.cost))
    parts = {source: part for source, part in table.groupby("source", sort=False) if source}
    result = {
        "judge": args.judge,
        "costs": costs,
        "overall": report(table, costs),
        "sources": {source: report(part, costs) for source, part in parts.items()},
    }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
