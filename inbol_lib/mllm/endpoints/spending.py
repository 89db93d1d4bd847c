"""Add up what endpoints were asked and what that cost; `inbol endpoints` prints it."""

import argparse
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from inbol_lib import paths
from inbol_lib.mllm.endpoints import settings
from inbol_lib.mllm.endpoints.replies import TOKENS
from inbol_lib.mllm.endpoints.requests import PREFIX
from inbol_lib.mllm.journal import Journal


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
    """Return one line about a journal: its models, requests, answers, tokens and dollars."""
    tally: Counter[str] = Counter()
    models = set()
    for line in Journal(path).lines():
        tally.update(requests=1, answers=len(line["texts"]))
        tally.update({name: line[name] for name in TOKENS})
        models.add(line["model"])
    return f"{PREFIX}{', '.join(models)}: {described(tally)} ({path})"


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
