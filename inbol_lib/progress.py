"""Whether long work shows how far it is."""

import os


def progress() -> bool:
    """Whether long loops show progress: on a terminal or in Jupyter, but not in CI or under nbval."""
    return not (os.environ.get("CI") or os.environ.get("INBOL_QUIET"))
