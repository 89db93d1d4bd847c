"""`python -m inbol_lib.score`, the published name of `inbol score`."""

import sys

from inbol_lib.evaluation.score import main

if __name__ == "__main__":
    sys.exit(main())
