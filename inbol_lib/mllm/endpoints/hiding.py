"""Keep the key and the password of a server out of what people see: messages and notebooks."""

import base64
from collections.abc import Iterable
from urllib.parse import unquote, urlsplit

HIDDEN = "***"
#: As many first characters of a secret give it away: a text may end within it.
TELLING = 8
#: Characters of a secret that is no word: one that no answer holds by chance.
LONG = 16


def secrets(key: str, address: str) -> list[str]:
    """Return what must not be shown: the key, and the password in every form in which it travels.

    Parameters
    ----------
    key : str
        The server's key.
    address : str
        Where the server is; it may hold a user and a password.
    """
    parts = urlsplit(address)
    if not parts.password:
        return [key]
    plain = unquote(parts.password)  # it is written with %40 for @
    basic = base64.b64encode(f"{unquote(parts.username or '')}:{plain}".encode()).decode()
    return [key, basic, plain, parts.password]


def hidden(text: str, kept: Iterable[str]) -> str:
    """Return a text without the secrets, nor the beginning of one that is cut off.

    Parameters
    ----------
    text : str
        All of it: a text that was shortened before may end within a secret.
    kept : iterable of str
        What `secrets` returns.
    """
    for secret in sorted(filter(None, kept), key=len, reverse=True):
        for length in range(len(secret), min(TELLING, len(secret)) - 1, -1):
            text = text.replace(secret[:length], HIDDEN)
    return text


def without_password(address: str) -> str:
    """Return an address with `***` in place of its user and password."""
    parts = urlsplit(address)
    _, at, host = parts.netloc.rpartition("@")
    return parts._replace(netloc=f"{HIDDEN}@{host}").geturl() if at else address
