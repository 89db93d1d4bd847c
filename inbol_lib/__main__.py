"""`python -m inbol_lib`, the same as `inbol`."""

import sys

from inbol_lib.commands import main

if __name__ == "__main__":
    sys.exit(main())
