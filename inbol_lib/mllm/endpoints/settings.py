"""Settings of endpoints, read from environment variables whenever they are needed.

OPENAI_BASE_URL      where the server is; without it, OpenAI
OPENAI_API_KEY       its key (any word for a local server)
INBOL_CONCURRENCY    requests at a time (8)
INBOL_TIMEOUT        seconds until a request is given up as late (300)
INBOL_REQUEST_LIMIT  most requests of one stage (no limit)
INBOL_DRY_RUN        1: show what would be sent, and send nothing
INBOL_PRICE          US dollars per million prompt and completion tokens, for instance "2.5 10"
"""

import os
from typing import NamedTuple

from inbol_lib.errors import EndpointError


class Prices(NamedTuple):
    """What tokens cost, in US dollars per million."""

    prompt: float
    completion: float


def concurrency() -> int:
    """Return how many requests may be on their way at a time."""
    return int(_number("INBOL_CONCURRENCY", 8))


def timeout() -> float:
    """Return the seconds after which a request is late."""
    return _number("INBOL_TIMEOUT", 300)


def request_limit() -> float:
    """Return the most requests that this process may send; infinity without a limit."""
    return _number("INBOL_REQUEST_LIMIT", float("inf"))


def dry_run() -> bool:
    """Return whether requests are to be shown instead of sent."""
    return bool(os.environ.get("INBOL_DRY_RUN"))


def prices() -> Prices | None:
    """Return what tokens cost, or None where INBOL_PRICE is not set.

    Raises
    ------
    EndpointError
        If INBOL_PRICE is not two numbers.
    """
    given = os.environ.get("INBOL_PRICE", "")
    if not given.split():
        return None
    try:
        return Prices(*map(float, given.split()))
    except (ValueError, TypeError):
        raise EndpointError(
            f'INBOL_PRICE: given {given!r}, two numbers are needed, such as "2.5 10"'
        ) from None


def _number(name: str, default: float) -> float:
    """Return an environment variable as a number; raise EndpointError where it is none."""
    try:
        return float(os.environ.get(name) or default)
    except ValueError:
        raise EndpointError(f"{name}: given {os.environ[name]!r}, a number is needed") from None
