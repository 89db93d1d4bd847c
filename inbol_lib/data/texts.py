"""Texts as people and servers send them: with halves of characters in them."""

import json
import re
from collections.abc import Iterable
from typing import Any

#: Words that tokenizers read as marks: a picture's place, the end of a turn.
MARK = re.compile(
    r"<image(?:_soft_token)?>|<\|[^|<>\s]{1,30}\|>|</?s>|<(?:pad|unk|bos|eos)>"
    r"|<(?:start|end)_of_(?:turn|utterance|image)>|<fake_token_around_image>",
    re.I,
)


#: Levels of brackets in JSON that people and tables write; deeper ones stop whoever reads them.
DEEPEST = 50


def from_json(text: str | bytes) -> Any:
    """Return the value that JSON describes.

    Raises
    ------
    ValueError
        When it is no JSON in UTF-8, or has more than `DEEPEST` brackets inside each other.
    """
    too_deep = ValueError(f"more than {DEEPEST} brackets are open at a time")
    try:
        value = json.loads(text)
    except RecursionError:
        raise too_deep from None
    level = [[value]]
    for _ in range(DEEPEST + 1):
        level = [one for outer in level for one in _parts(outer) if isinstance(one, dict | list)]
        if not level:
            return value
    raise too_deep


def _parts(value: dict | list) -> Iterable[Any]:
    """Return what an object or a list holds."""
    return value.values() if isinstance(value, dict) else value


def mended(text: str) -> str:
    """Return a text that any encoding can hold: half a character becomes U+FFFD.

    JSON can write one half of an emoji (a lone surrogate), which no UTF-8 file can hold; two halves
    that belong together become the character.

    Raises
    ------
    TypeError
        If `text` is no text.
    """
    if not isinstance(text, str):
        raise TypeError(f"a text is needed, given {type(text).__name__}")
    if text.isascii():
        return text
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def mended_all(value: Any) -> Any:
    """Return a JSON value with every text in it mended."""
    if isinstance(value, str):
        return mended(value)
    if isinstance(value, list):
        return [mended_all(item) for item in value]
    if isinstance(value, dict):
        return {mended(name): mended_all(item) for name, item in value.items()}
    return value


def is_whole(text: str) -> bool:
    """Return whether a text holds whole characters alone."""
    return mended(text) == text
