"""`python -m inbol_lib`, which is `inbol`."""

import sys

from inbol_lib.commands import main

if __name__ == "__main__":
    sys.exit(main())
