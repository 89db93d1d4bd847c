"""The front door: `inbol`, one command for the whole study."""

import argparse
import errno
import importlib
import sys
from collections.abc import Sequence
from typing import NamedTuple

from inbol_lib.errors import INTERRUPTED, STOPPED


class Command(NamedTuple):
    """One subcommand: the module whose `main` it calls, what it does, and an example."""

    module: str
    purpose: str
    example: str


COMMANDS = {
    "run": Command(
        "inbol_lib.run",
        "run a notebook with checked parameters",
        "inbol run 05_ca_dpo -f micro -p beta=0.2 --ensure",
    ),
    "study": Command(
        "inbol_lib.study.workflow.whole",
        "run the whole study through Snakemake, here or on a cluster",
        "inbol study -f micro --cores 2",
    ),
    "compare": Command(
        "inbol_lib.report.comparing.runs",
        "two runs, seeds or methods side by side, with paired differences",
        "inbol compare seed=0 seed=1 -f micro",
    ),
    "score": Command(
        "inbol_lib.evaluation.score",
        "score any model's responses from a file",
        "inbol score responses.jsonl --judge micro-judge --cost 1 3",
    ),
    "plan": Command(
        "inbol_lib.study.plan",
        "say what a profile costs before it is paid for",
        "inbol plan --profile llava-1.5-7b --gpu a100",
    ),
    "benchmarks": Command(
        "inbol_lib.data.benchmarks.__main__",
        "list the real data sets, or export one",
        "inbol benchmarks --root data",
    ),
    "tune": Command(
        "inbol_lib.study.tune",
        "choose learning rates on the validation questions",
        "inbol tune --profile micro",
    ),
    "archive": Command(
        "inbol_lib.study.published_outcomes",
        "lay out the published outcomes for an analysis of your own",
        "INBOL_RUNS=/tmp/opened inbol archive",
    ),
    "endpoints": Command(
        "inbol_lib.mllm.endpoints",
        "add up the requests, tokens and dollars of all endpoints so far",
        "inbol endpoints",
    ),
}

DESCRIPTION = """\
InBoL teaches a multimodal LLM to refuse a question when the image does not hold the
answer or when the model does not know it. Ten notebooks run the study, in this order:
  00 tour                        05 CA-DPO
  01 confidence estimation       06 evaluation
  02 unanswerable generation     07 threshold heatmaps
  03 data composition            08 linear probing
  04 IDK-IT                      09 paper vs ours
`make study` runs them all; `inbol run` runs one, after those that it needs.
Parameters are in params/*.yaml, artefacts in runs/, tables and figures in figures/.
Environment variables are listed in inbol_lib/paths.py."""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the front door.

    It leaves whatever follows a subcommand's name to the subcommand's own parser.
    """
    rows = []
    for name, command in COMMANDS.items():
        rows += [f"  {name:<11}{command.purpose}", f"{'':13}{command.example}"]
    front = argparse.ArgumentParser(
        "inbol",
        description=DESCRIPTION,
        epilog="commands (`inbol COMMAND --help` says more):\n" + "\n".join(rows),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    front.add_argument("command", choices=COMMANDS, metavar="COMMAND")
    front.add_argument("arguments", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    return front


def main(argv: Sequence[str] | None = None) -> int:
    """Run the subcommand that `argv` names (default: the process's arguments).

    Returns
    -------
    int
        The subcommand's exit status: 0, 1 if something failed, 2 if it was asked wrongly, 130
        after Ctrl-C.
    """
    words = sys.argv[1:] if argv is None else list(argv)
    if not words:
        parser().print_help(sys.stderr)
        return 2
    given = parser().parse_args(words)
    module = importlib.import_module(COMMANDS[given.command].module)
    try:
        return module.main(given.arguments)
    except KeyboardInterrupt:
        print(STOPPED, file=sys.stderr)
        return INTERRUPTED
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        place = error.filename or "what it was to write"
        print(f"the disk is full, or your quota of it: {place} is not written", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
