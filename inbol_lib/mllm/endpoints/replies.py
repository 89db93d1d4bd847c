"""Read what a server sends back: answers, token counts, and how long it asks to wait.

Pure functions of bytes, status codes and headers.
"""

import json
from collections.abc import Mapping
from typing import Any, NamedTuple

from inbol_lib.data.texts import mended

#: The counts that a reply names and a journal keeps.
TOKENS = ("prompt_tokens", "completion_tokens")
#: The most seconds that a server may ask for.
LONGEST_WAIT = 120


class NoCompletion(ValueError):
    """The server's reply is not a chat completion."""


class NoAnswer(ValueError):
    """The server completed the request without an answer; asking again will not help."""


class Reply(NamedTuple):
    """The answers of one reply, at least one, and the number of each of `TOKENS` used."""

    texts: list[str]
    used: dict[str, int]


def read(content: bytes) -> Reply:
    """Return the answers and token counts of a chat completion.

    Of several choices, those without an answer are left out.

    Raises
    ------
    NoCompletion
        If the bytes are anything else: an error page, half a reply.
    NoAnswer
        If no choice holds an answer, for instance because a model reasoned until its tokens ended,
        or because a filter stopped it.
    """
    try:
        reply = json.loads(content)
        choices = list(reply["choices"])
        texts = [text for text in map(answer, choices) if text is not None]
        used = usage(reply)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        choices, texts, used = [], [], {}
    if not choices:
        raise NoCompletion(f"no chat completion: {content!r}")  # cut where secrets are hidden
    if not texts:
        reasons = sorted({str(choice.get("finish_reason")) for choice in choices})
        raise NoAnswer(f"no answer came (finish_reason: {', '.join(reasons)})")
    return Reply(texts, used)


#: Reasons to finish that leave a model without an answer, unless it wrote some text before.
CUT = ("length", "content_filter")


def answer(choice: dict[str, Any]) -> str | None:
    """Return the text of one choice, None where the model gave no answer.

    The content is a text, or a list of parts whose texts are joined. A model that declines through
    the `refusal` field says what stands there. Without content there is no answer if the model was
    cut off or filtered, or if it only reasoned; else the answer is empty.
    """
    message = choice["message"]
    content = message["content"]
    if isinstance(content, list):
        content = "".join(part["text"] for part in content if isinstance(part.get("text"), str))
    if content:
        return mended(content)
    if message.get("refusal"):
        return mended(message["refusal"])
    reasoned = message.get("reasoning_content") or message.get("reasoning")
    return None if reasoned or choice.get("finish_reason") in CUT else ""


def usage(reply: dict[str, Any]) -> dict[str, int]:
    """Return the number of each of `TOKENS`, 0 where the server does not count them."""
    counts = reply.get("usage") or {}
    return {name: int(counts.get(name) or 0) for name in TOKENS}


def retry_after(headers: Mapping[str, str]) -> float:
    """Return the seconds that the server asks to wait, at most `LONGEST_WAIT`.

    Without the header they are 0; also for a date, which few servers send.
    """
    try:
        seconds = float(headers.get("retry-after", ""))
    except ValueError:
        return 0.0
    return min(seconds, LONGEST_WAIT) if seconds > 0 else 0.0  # NaN is not


def may_pass(status: int | None) -> bool:
    """Return whether sending the same request again may help.

    Parameters
    ----------
    status : int | None
        The HTTP status; None where no readable reply came.
    """
    return status is None or status in (408, 409, 429) or status >= 500
