"""Score any model's responses from a file: accuracy, refusal rate, s_trust, answered accuracy and the user's gain at any cost of an error.

inbol score responses.jsonl
inbol score responses.jsonl --cost 1 3 9 --judge endpoint:gpt-4o --out outcomes.parquet

One JSON object a line: id, question, response, answers (every right answer; [] = unanswerable), and optionally choices (for multiple
choice; `answers` holds the right option's text), source and image_id. "-" reads standard input. One JSON object comes out; all shares.
"""

import argparse
import json
import math
import sys
from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

import pandas as pd

from inbol_lib.evaluation import intervals, metrics
from inbol_lib.judging.matching import matched

NEEDED, OPTIONAL = ("id", "question", "response", "answers"), ("choices", "source", "image_id")
SHOWN = 20  # faults that are printed
FEW = 30  # images under which an interval is rough
RULES = "string"  # no judge: string match alone


def say(text: str) -> None:
    """A message for people, apart from the result."""
    print(text, file=sys.stderr)


def texts(value: object) -> bool:
    """Whether it is a list of texts that are not empty."""
    return isinstance(value, list) and all(isinstance(v, str) and v.strip() for v in value)


def faults(row: object) -> list[str]:
    """What is wrong with one row, in words; [] for a good one."""
    if not isinstance(row, dict):
        return ["one JSON object a line is needed"]
    found = [f"{key} is missing" for key in NEEDED if key not in row]
    found += [f"{key} must be text or a whole number, given {row[key]!r}" for key in ("id", "source", "image_id")
              if key in row and (isinstance(row[key], bool) or not isinstance(row[key], str | int) or row[key] == "")]  # fmt: skip
    found += [
        f"{key} must be text, given {row[key]!r}"
        for key in ("question", "response")
        if key in row and not isinstance(row[key], str)
    ]
    found += [
        f"{key} must be a list of texts, given {row[key]!r}"
        for key in ("answers", "choices")
        if key in row and not texts(row[key])
    ]
    if found or not row.get("choices"):
        return found
    if not 2 <= len(row["choices"]) <= 26:
        return [f"choices must be 2 to 26 options, given {len(row['choices'])}"]
    wrong = [answer for answer in row["answers"] if answer not in row["choices"]]
    return (
        [
            f"the answer {wrong[0]!r} is none of the choices; give the right option's text, not its letter"
        ]
        if wrong
        else []
    )


def read(lines: Iterable[bytes]) -> tuple[list[dict], list[str]]:
    """(rows, faults by line number). Lines without anything are passed over; a second row of one id is a fault."""
    rows, found, first = [], [], {}
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line.decode("utf-8-sig"))
        except ValueError as error:
            reason = (
                f"{error.msg} at character {error.pos + 1}"
                if isinstance(error, json.JSONDecodeError)
                else error
            )
            found.append(f"line {number}: not JSON ({reason})")
            continue
        if isinstance(row, dict):  # tables write null where an optional value is not there
            row = {
                key: value for key, value in row.items() if value is not None or key not in OPTIONAL
            }
        bad = faults(row)
        if not bad and (before := first.setdefault(str(row["id"]), number)) != number:
            bad = [f"id {row['id']!r} was used in line {before} already"]
        found += [f"line {number}: {fault}" for fault in bad]
        rows.append(row)
    return rows, found if rows or found else ["the file has no rows"]


def outcomes(rows: list[dict], judge: str) -> pd.DataFrame:
    """The outcome table: id, image_id, source, seed, response, outcome, answerable."""
    rows = [{"choices": [], **row} for row in rows]
    if judge == RULES:
        words = [matched(row, row["response"]) or "incorrect" for row in rows]
    else:
        from inbol_lib.errors import EndpointError
        from inbol_lib.judging import hybrid

        try:
            words = hybrid.judge(rows, [row["response"] for row in rows], judge)
        except (OSError, EndpointError) as error:
            raise SystemExit(f"the judge {judge!r} can not be asked: {error}") from error
    table = pd.DataFrame(
        {
            "id": [str(r["id"]) for r in rows],
            "image_id": [str(r.get("image_id", f"of {r['id']}")) for r in rows],
        }
    )
    return table.assign(source=[str(r.get("source", "")) for r in rows], seed=0, response=[r["response"] for r in rows], outcome=words,
                        answerable=[bool(r["answers"]) for r in rows])  # fmt: skip


def measures(costs: Iterable[float]) -> dict[str, Callable]:
    """Name -> function of summed counts; the user's gain at cost c is called phi_c."""
    named = {
        name: partial(lambda totals, name: metrics.score(totals)[name], name=name)
        for name in ("acc", "refr", "s_trust", "answered_acc")
    }
    gains = {
        f"phi_{c:g}": partial(
            lambda t, cost: metrics.phi(t["correct"], t["refusal"], t["n"], cost), cost=c
        )
        for c in costs
    }
    return named | gains | {"unjudged": lambda totals: totals["unjudged"] / totals["n"]}


def report(table: pd.DataFrame, costs: Iterable[float]) -> dict:
    """n, and for each measure its value with the 95 % interval [lo, hi] (images drawn); null where it does not exist."""
    totals, out = metrics.counts(table).sum(), {"n": len(table), "images": table.image_id.nunique()}
    for name, function in measures(costs).items():
        value = float(function(totals))
        exists = not math.isnan(value)
        lo, hi = intervals.interval(table, statistic=function) if exists else (None, None)
        out[name] = (
            {"value": round(value, 6), "lo": round(lo, 6), "hi": round(hi, 6)}
            if exists
            else {"value": None, "lo": None, "hi": None}
        )
    return out | {"unjudged": {"count": int(totals["unjudged"]), **out["unjudged"]}}


def warn(rows: list[dict], table: pd.DataFrame, judge: str) -> None:
    """What a reader of the numbers should know."""
    if judge == RULES:
        say(
            "scored by string match alone: right answers in other words count as wrong; --judge <model> asks a language model about them"
        )
    if without := sum("image_id" not in row for row in rows):
        say(
            f"{without} of {len(rows)} rows have no image_id: each counts as an image of its own; if they share, intervals are too narrow"
        )
    if unknown := sorted({key for row in rows for key in row} - {*NEEDED, *OPTIONAL}):
        say(f"not used: {', '.join(unknown)}")
    if unjudged := int((table.outcome == "unjudged").sum()):
        say(
            f"{unjudged} of {len(table)} responses are unjudged: the judge failed or gave no clear verdict; they earn nothing"
        )
    for source, images in table.groupby("source").image_id.nunique().items():
        if images < FEW:
            say(f"only {images} images{f' in {source}' if source else ''}: its interval is rough")


def main(argv: list[str] | None = None) -> int:
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
    cli.add_argument("--out", type=Path, help="also write every row's outcome, as parquet")
    args = cli.parse_args(argv)
    if not all(0 <= cost < math.inf for cost in args.cost):
        cli.error(f"--cost takes numbers >= 0, given {' '.join(f'{c:g}' for c in args.cost)}")
    if args.out and not args.out.absolute().parent.is_dir():
        cli.error(f"--out: there is no folder {args.out.parent}")
    try:
        rows, found = read(
            sys.stdin.buffer
            if args.responses == "-"
            else Path(args.responses).read_bytes().splitlines()
        )
    except OSError as error:
        cli.error(str(error))
    if found:
        say(
            "\n".join(found[:SHOWN])
            + (f"\n... and {len(found) - SHOWN} more" if len(found) > SHOWN else "")
        )
        return 2
    say(f"{len(rows)} responses, judge: {args.judge}")
    table = outcomes(rows, args.judge)
    warn(rows, table, args.judge)
    if args.out:
        table.to_parquet(args.out)
    costs = sorted(set(args.cost))
    parts = {source: part for source, part in table.groupby("source", sort=False) if source}
    result = {
        "judge": args.judge,
        "costs": costs,
        "overall": report(table, costs),
        "sources": {s: report(t, costs) for s, t in parts.items()},
    }
    print(json.dumps(result, indent=1))
    return 0


if __name__ == "__main__":
    sys.exit(main())
