"""Run a command whose kernels are forked: `python -m inbol_lib.study.kernels snakemake ...`."""

import os
import sys

from inbol_lib.study.kernels.starting import start

if __name__ == "__main__":
    if len(sys.argv) == 1:
        sys.exit(__doc__)
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as Snakemake gives each of its jobs
    start()  # it ends with this process, which becomes the command
    os.execvp(sys.argv[1], sys.argv[1:])
