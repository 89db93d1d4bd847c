"""Read what a server sends back: answers, token counts, and how long it asks to wait.

Pure functions of bytes, status codes and headers.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

#: The counts that a reply names and a journal keeps.
TOKENS = ("prompt_tokens", "completion_tokens")
#: The most seconds that a server may ask for.
LONGEST_WAIT = 120


class NoCompletion(ValueError):
    """The server's reply is not a chat completion."""


class Reply(NamedTuple):
    """The answers of one reply, at least one, and the number of each of `TOKENS` used."""

    texts: list[str]
    used: dict[str, int]


def read(content: bytes) -> Reply:
    """Return the answers and token counts of a chat completion.

    Raises
    ------
    NoCompletion
        If the bytes are anything else (an error page, half a reply), or hold no answer.
    """
    try:
        reply = json.loads(content)
        texts = [answer(choice) for choice in reply["choices"]]
        used = usage(reply)
    except (ValueError, KeyError, TypeError, AttributeError):
        texts, used = [], {}
    if not texts:
        raise NoCompletion(f"no chat completion: {content[:80]!r}")
    return Reply(texts, used)


def answer(choice: dict[str, Any]) -> str:
    """Return the text of one choice; an answer without content is empty."""
    return choice["message"]["content"] or ""


def usage(reply: dict[str, Any]) -> dict[str, int]:
    """Return the number of each of `TOKENS`, 0 where the server does not count them."""
    counts = reply.get("usage") or {}
    return {name: int(counts.get(name) or 0) for name in TOKENS}


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that the server asks to wait, at most `LONGEST_WAIT`.

    Without the header they are 0; also for a date, which few servers send.
    """
    value = headers.get("retry-after", "")
    is_number = value.replace(".", "", 1).isdigit()
    return min(float(value), LONGEST_WAIT) if is_number else 0.0


def may_pass(status: int | None) -> bool:
    """Return whether sending the same request again may help.

    Parameters
    ----------
    status : int | None
        The HTTP status; None where no readable reply came.
    """
    return status is None or status in (408, 409, 429) or status >= 500
