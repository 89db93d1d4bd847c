"""Whether long work shows how far it has come."""

import os


def progress() -> bool:
    """Return whether long loops show progress bars: not in CI, and not where INBOL_QUIET is set."""
    return not (os.environ.get("CI") or os.environ.get("INBOL_QUIET"))
