"""List the benchmarks, or write the Question records of one.

inbol benchmarks --root DIR [--json]
inbol benchmarks NAME --root DIR --export out.jsonl [--split test] [-n 300] [--seed 0]
inbol benchmarks NAME --hub [--revision SHA] --export out.jsonl

The list gives licence, size and source of each, and what of it lies in a folder.
"""

import argparse
import io
import json
import re
import sys
import warnings
from pathlib import Path

from inbol_lib.data import benchmarks
from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.benchmarks.listing import described, listing
from inbol_lib.data.benchmarks.release_files import digest
from inbol_lib.data.files import whole
from inbol_lib.data.pictures import opened
from inbol_lib.errors import ParameterError


def file_name(text: str) -> str:
    """Return a name for a file that no other text has, also where letters' case does not count."""
    readable = re.sub(r"[^a-z0-9_-]", "_", text)[:60]
    return readable if readable == text else f"{readable}-{digest(text).hex()[:8]}"


def picture_path(row: dict, source: Path | bytes, folder: Path) -> str:
    """Return the path of a picture; bytes are written into `folder` first."""
    if isinstance(source, Path):
        return str(source)
    folder.mkdir(exist_ok=True)
    ending = opened(io.BytesIO(source)).format.lower().replace("jpeg", "jpg")
    file = folder / f"{file_name(row['id'])}.{ending}"
    file.write_bytes(source)
    return str(file)


def export(benchmark: Benchmark, rows: list[dict], target: Path) -> None:
    """Write one Question record a line; a file that exists is complete.

    Pictures that are not files of their own are written to <target>_images/.
    """
    folder = target.with_name(f"{target.stem}_images")
    records = benchmark.pictured(rows, lambda row, source: picture_path(row, source, folder))
    lines = [json.dumps(row, ensure_ascii=False) for row in records]
    with whole(target) as unfinished:
        unfinished.write_text("".join(f"{line}\n" for line in lines), encoding="utf-8")


def parser() -> argparse.ArgumentParser:
    """Return the command line's parser."""
    cli = argparse.ArgumentParser(
        "inbol benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    names = ", ".join(benchmarks.ALL)
    cli.add_argument("name", nargs="?", help=f"one of {names}; without it all are listed")
    cli.add_argument(
        "--root",
        type=Path,
        default=Path("data"),
        help="folder with one folder for each benchmark (default: data)",
    )
    cli.add_argument("--hub", action="store_true", help="read from the Hugging Face Hub instead")
    cli.add_argument("--revision", help="commit of the Hub's repository")
    cli.add_argument("--split", default="test", choices=["train", "validation", "test"])
    cli.add_argument("-n", type=int, help="number of questions (default: all)")
    cli.add_argument(
        "--seed", type=int, default=0, help="seed of the order in which questions are drawn"
    )
    cli.add_argument("--export", type=Path, help="write Question records here")
    cli.add_argument("--json", action="store_true", help="list as JSON")
    return cli


def main(argv: list[str] | None = None) -> int:
    """List or export from the command line (default: the process's arguments).

    Returns
    -------
    int
        Exit status: 0, or 2 where something is missing or wrongly asked.
    """
    args = parser().parse_args(argv)
    warnings.showwarning = _show_warning
    try:
        chosen = [benchmarks.get(args.name)] if args.name else list(benchmarks.ALL.values())
        if args.export:
            return _export(args)
    except (ParameterError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    shown = [described(benchmark, args.root) for benchmark in chosen]
    print(json.dumps(shown, indent=1) if args.json else listing(shown, args.root))
    return 0


def _export(args: argparse.Namespace) -> int:
    if not args.name:
        names = ", ".join(benchmarks.ALL)
        raise ParameterError(f"--export writes one benchmark; name it: {names}")
    benchmark = benchmarks.get(args.name)
    root = None if args.hub else args.root
    rows = benchmark.drawn(root, args.split, args.n, args.seed, args.revision)
    export(benchmark, rows, args.export)
    print(f"{len(rows):,} records written to {args.export}")
    return 0


def _show_warning(message: Warning | str, *_args: object, **_kwargs: object) -> None:
    print(f"warning: {message}", file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
