"""`python -m inbol_lib.run`, the published name of `inbol run`."""

import sys

from inbol_lib.study.running import main

if __name__ == "__main__":
    sys.exit(main())
