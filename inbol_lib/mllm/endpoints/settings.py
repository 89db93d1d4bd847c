"""Settings of endpoints, read from environment variables whenever they are needed.

OPENAI_BASE_URL      where the server is; without it, OpenAI
OPENAI_API_KEY       its key (any word for a local server)
INBOL_CONCURRENCY    requests at a time (8)
INBOL_TIMEOUT        seconds until a request is given up as late (300)
INBOL_REQUEST_LIMIT  most requests of one stage (no limit)
INBOL_DRY_RUN        1: show what would be sent, and send nothing
INBOL_PRICE          US dollars per million prompt and completion tokens, for instance "2.5 10"
"""

import contextlib
import os
from typing import NamedTuple
from urllib.parse import urlsplit

from inbol_lib.errors import EndpointError

#: requests on their way at the same time
MOST_AT_A_TIME = 1024


class Prices(NamedTuple):
    """What tokens cost, in US dollars per million."""

    prompt: float
    completion: float


def concurrency() -> int:
    """Return how many requests may be on their way at a time."""
    number = _number("INBOL_CONCURRENCY", 8)
    if not 1 <= number <= MOST_AT_A_TIME:
        raise EndpointError(
            f"INBOL_CONCURRENCY: given {os.environ['INBOL_CONCURRENCY']!r}, a number from 1 to "
            f"{MOST_AT_A_TIME} is needed"
        )
    return int(number)


def timeout() -> float:
    """Return the seconds after which a request is late."""
    return _number("INBOL_TIMEOUT", 300)


def request_limit() -> float:
    """Return the most requests that this process may send; infinity without a limit."""
    return _number("INBOL_REQUEST_LIMIT", float("inf"))


def check_address() -> None:
    """Check OPENAI_BASE_URL where it is set; the message does not show it, for its password.

    Raises
    ------
    EndpointError
        If it is no address of a server.
    """
    given = os.environ.get("OPENAI_BASE_URL")
    try:
        parts = urlsplit(given or "https://openai")
        is_address = parts.scheme in ("http", "https") and parts.hostname and parts.port != 0
    except ValueError:  # the port is no number, or too large
        is_address = False
    if not is_address:
        raise EndpointError(
            "OPENAI_BASE_URL is no address; it looks like http://host:8000/v1, and signs such as "
            "# or / in a password are written as %23 or %2F"
        )


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
    """Return an environment variable as a number above 0; raise EndpointError where it is none."""
    given = os.environ.get(name)
    if not given:
        return default
    with contextlib.suppress(ValueError):
        if (number := float(given)) > 0:  # NaN is not
            return number
    raise EndpointError(f"{name}: given {given!r}, a number above 0 is needed")
