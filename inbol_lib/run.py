"""`python -m inbol_lib.run`, the published name of `inbol run`: one notebook, or a grid of them."""

import sys
from collections.abc import Sequence

from inbol_lib.study import running


def main(argv: Sequence[str] | None = None) -> int:
    """Run what `argv` asks for (default: the process's arguments), and return the exit status."""
    words = sys.argv[1:] if argv is None else argv
    if running.parser().parse_args(words).grid:
        from inbol_lib.report.comparing import grids  # here: a job must start fast, without it

        return grids.main(words)
    return running.main(words)


if __name__ == "__main__":
    sys.exit(main())
