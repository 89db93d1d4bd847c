"""List the benchmarks with licence, size, source and what of them lies in a folder, or write one's Question records.

inbol benchmarks --root DIR [--json]
inbol benchmarks NAME --root DIR --export out.jsonl [--split test] [-n 300] [--seed 0]
inbol benchmarks NAME --hub [--revision SHA] --export out.jsonl
"""

import argparse
import io
import json
import os
import re
import sys
import warnings
from pathlib import Path

from PIL import Image

from inbol_lib.data import benchmarks
from inbol_lib.data.benchmarks.base import Benchmark
from inbol_lib.data.hub_copies import commits
from inbol_lib.errors import ParameterError


def found(benchmark: Benchmark, root: Path, split: str) -> str:
    """ "official" or "parquet", "" where the split is not under `root`."""
    try:
        return benchmark.form(root, split)
    except ParameterError:
        return ""


def described(benchmark: Benchmark, root: Path) -> dict:
    """What a benchmark is and where, as JSON can hold it."""
    places = [place for files in benchmark.files.values() for place in files.values()]
    return {"name": benchmark.name, "title": benchmark.title, "licence": benchmark.licence, "size": benchmark.size,
            "splits": benchmark.splits, "published": benchmark.published, "hub": [h.repo for h in benchmark.hub],
            "files": list(dict.fromkeys(places)), "images": benchmark.images, "note": benchmark.note,
            "found": {split: found(benchmark, root, split) for split in benchmark.splits},
            "commit": commits(root / benchmark.name)}  # fmt: skip


def counted(rows: int, questions: int | None) -> str:
    """The published number of questions, in words where only that of the rows is known."""
    return f"some of {rows:,}" if questions is None else f"{questions:,}"


def listing(rows: list[dict], root: Path) -> str:
    """The descriptions for people."""
    lines = []
    for row in rows:
        counts = [
            f"{split} {' or '.join(counted(*v) for v in versions)}"
            for split, versions in row["published"].items()
        ]
        there = [f"{split} ({form})" for split, form in row["found"].items() if form] + [
            f"commit {row['commit']}"
        ] * bool(row["commit"])
        sources = [f"https://huggingface.co/datasets/{repo}" for repo in row["hub"]] + row["files"]
        lines += [f"{row['name']}: {row['title']}; {row['licence']}; {row['size']}",
                  f"    questions: {', '.join(counts) or 'not verified'}. {row['note']}".rstrip(),
                  *(f"    from {source}" for source in sources), f"    {row['images']}",
                  f"    in {root / row['name']}: {', '.join(there) or 'nothing'}"]  # fmt: skip
    return "\n".join(lines)


def kept(row: dict, source: Path | bytes, folder: Path) -> str:
    """The path of a picture; one that is no file of its own is written into `folder`."""
    if isinstance(source, Path):
        return str(source)
    folder.mkdir(exist_ok=True)
    kind = Image.open(io.BytesIO(source)).format.lower().replace("jpeg", "jpg")
    file = folder / (re.sub(r"[^\w.-]", "_", row["id"]) + f".{kind}")
    file.write_bytes(source)
    return str(file)


def export(benchmark: Benchmark, rows: list[dict], target: Path) -> None:
    """One Question record a line, whole or not at all; pictures that are no files are written to <target>_images/."""
    folder = target.with_name(f"{target.stem}_images")
    records = benchmark.pictured(rows, lambda row, source: kept(row, source, folder))
    partial = target.with_name(f".{target.name}.{os.getpid()}")
    partial.write_text(
        "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in records), encoding="utf-8"
    )
    partial.replace(target)


def main(argv: list[str] | None = None) -> int:
    cli = argparse.ArgumentParser(
        "inbol benchmarks",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    cli.add_argument(
        "name", nargs="?", help=f"one of {', '.join(benchmarks.ALL)}; without it all are listed"
    )
    cli.add_argument(
        "--root",
        type=Path,
        default=Path("data"),
        help="folder with one folder for each benchmark (default: data)",
    )
    cli.add_argument("--hub", action="store_true", help="read from the Hugging Face Hub instead")
    cli.add_argument("--revision", help="commit of the Hub's repository")
    cli.add_argument("--split", default="test", choices=["train", "validation", "test"])
    cli.add_argument("-n", type=int, help="questions (default: all)")
    cli.add_argument(
        "--seed", type=int, default=0, help="of the order in which questions are drawn"
    )
    cli.add_argument("--export", type=Path, help="write Question records here")
    cli.add_argument("--json", action="store_true", help="list as JSON")
    args = cli.parse_args(argv)
    warnings.showwarning = lambda message, *rest, **more: print(
        f"warning: {message}", file=sys.stderr
    )
    try:
        chosen = [benchmarks.get(args.name)] if args.name else list(benchmarks.ALL.values())
        if args.export and args.name:
            rows = chosen[0].drawn(
                None if args.hub else args.root, args.split, args.n, args.seed, args.revision
            )
            export(chosen[0], rows, args.export)
            print(f"{len(rows):,} records written to {args.export}")
            return 0
        if args.export:
            raise ParameterError(
                f"--export writes one benchmark; name it: {', '.join(benchmarks.ALL)}"
            )
    except (ParameterError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    shown = [described(benchmark, args.root) for benchmark in chosen]
    print(json.dumps(shown, indent=1) if args.json else listing(shown, args.root))
    return 0


if __name__ == "__main__":
    sys.exit(main())
