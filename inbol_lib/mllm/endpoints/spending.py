"""Add up what endpoints were asked and what that cost; `inbol endpoints` prints it."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from inbol_lib import paths
from inbol_lib.mllm.endpoints import settings
from inbol_lib.mllm.endpoints.replies import TOKENS
from inbol_lib.mllm.endpoints.requests import PREFIX
from inbol_lib.mllm.journal import Journal, is_answer


def described(tally: Mapping[str, int]) -> str:
    """Return counts as one line, with dollars where INBOL_PRICE is set.

    Parameters
    ----------
    tally : Mapping[str, int]
        What was counted -> how many; the names of `TOKENS` are those of tokens.
    """
    counts = [f"{value:,} {name.replace('_', ' ')}" for name, value in tally.items()]
    line = ", ".join(counts) or "nothing"
    prices = settings.prices()
    if prices is None:
        return line
    pairs = zip(prices, TOKENS, strict=True)
    dollars = sum(price * tally.get(name, 0) / 1e6 for price, name in pairs)
    return f"{line}, {dollars:.4f} USD"


def held_in(path: Path) -> str:
    """Return one line about a journal: its models, requests, answers, tokens and dollars.

    Lines that are no answers are counted, and their number is shown.
    """
    tally: Counter[str] = Counter()
    models = set()
    journal = Journal(path)
    for line in filter(is_answer, journal.lines()):
        tally.update(requests=1, answers=len(line["texts"]))
        tally.update({name: _count(line.get(name)) for name in TOKENS})
        models.add(str(line.get("model", "unknown")))
    passed = journal.written() - tally["requests"]
    others = f"; {passed:,} lines are no answers and do not count" if passed else ""
    return f"{PREFIX}{', '.join(sorted(models))}: {described(tally)}{others} ({path})"


def _count(value: Any) -> int:
    """Return a number of tokens, 0 for what is none."""
    return value if isinstance(value, int) and value > 0 else 0


def main(argv: Sequence[str] | None = None) -> int:
    """Print what each journal holds."""
    argparse.ArgumentParser(
        "inbol endpoints",
        description=f"{__doc__}\n\n{settings.__doc__}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    ).parse_args(argv)
    for path in sorted((paths.runs() / "endpoints").glob("*.jsonl")):
        print(held_in(path))
    return 0
