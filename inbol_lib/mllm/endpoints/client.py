"""Send one request, and send it again while that may help."""

import random
from functools import cached_property
from itertools import count
from threading import Event
from typing import TYPE_CHECKING

from inbol_lib.errors import EndpointError
from inbol_lib.mllm.endpoints import hiding, replies, settings
from inbol_lib.mllm.endpoints.requests import Body

if TYPE_CHECKING:
    import openai
    from openai import OpenAI

#: Seconds before a request is sent again, unless the server names a longer time.
WAITS = (0.5, 1, 2, 4, 8, 16)
#: The limit of tokens as all servers knew it, and as some models of OpenAI call it.
OLD_WORD, NEW_WORD = "max_tokens", "max_completion_tokens"
#: Counts the requests of this process, for the limit.
_sent = count()


class RequestFailed(Exception):
    """A request failed, here for this once or in `Client.send` for good.

    Parameters
    ----------
    message : str
        What the server or the network said, without the key.
    status : int | None
        The HTTP status; None where no readable reply came.
    wait : float
        The seconds that the server asks to wait before the next attempt.
    unreachable : bool
        Whether no connection was made.
    """

    def __init__(
        self, message: str, status: int | None = None, wait: float = 0.0, unreachable: bool = False
    ) -> None:
        super().__init__(message)
        self.status = status
        self.wait = wait
        self.unreachable = unreachable


class Client:
    """OpenAI's client, shared by several threads, any of which can stop the others.

    Once `stopping` is set, no thread begins another request or waits to repeat one.
    """

    def __init__(self) -> None:
        self.stopping = Event()
        self.new_words = False

    @cached_property
    def openai(self) -> "OpenAI":
        """OpenAI's own client; raises EndpointError where a setting is missing or wrong."""
        import openai  # takes half a second that stages without an endpoint can save

        settings.check_address()
        try:
            return openai.OpenAI(max_retries=0, timeout=settings.timeout())
        except openai.OpenAIError:
            raise EndpointError(
                "set OPENAI_API_KEY (any word for a local server) and, unless OpenAI is meant, "
                "OPENAI_BASE_URL"
            ) from None

    def send(self, body: Body) -> replies.Reply:
        """Return the reply to a request, sent again while that may help.

        Raises
        ------
        RequestFailed
            If a live server failed the request for good, or if `stopping` was set meanwhile.
        EndpointError
            If going on is pointless: the server is out of reach, refuses the key or does not know
            the model, or the limit of requests is reached. It sets `stopping`.
        """
        limit = settings.request_limit()
        if next(_sent) >= limit:
            raise self.stop(f"the limit of {limit:.0f} requests is reached")
        for wait in WAITS:
            try:
                return self._attempt(body)
            except RequestFailed as failure:
                if not replies.may_pass(failure.status):
                    raise
                pause = max(wait * random.uniform(0.75, 1), failure.wait)
            if self.stopping.wait(pause):
                raise RequestFailed("stopped")
        return self._last_attempt(body)

    def _last_attempt(self, body: Body) -> replies.Reply:
        """Send once more; a server that is still out of reach stops everything."""
        try:
            return self._attempt(body)
        except RequestFailed as failure:
            if not failure.unreachable:
                raise
            address = hiding.without_password(str(self.openai.base_url))
            raise self.stop(
                f"no server answers at {address}: check OPENAI_BASE_URL and the server"
            ) from None

    def _attempt(self, body: Body) -> replies.Reply:
        """Send a request once; a wrong key, model or address stops everything."""
        import openai

        try:
            raw = self.openai.chat.completions.with_raw_response.create(**self._worded(body))
            return self._without_secrets(replies.read(raw.http_response.content))
        except replies.NoCompletion as error:
            raise RequestFailed(self._readable(error)) from None
        except replies.NoAnswer as error:
            raise RequestFailed(self._readable(error), status=200) from None
        except openai.APIConnectionError as error:
            unreachable = type(error.__cause__).__name__.startswith("Connect")
            raise RequestFailed(self._readable(error), unreachable=unreachable) from None
        except openai.APIStatusError as error:
            if self._asks_for_new_words(error, body):
                return self._attempt(body)
            if error.status_code in (401, 404):  # the key; the model or the address
                raise self.stop(self._readable(error)) from None
            wait = replies.retry_after(error.response.headers)
            raise RequestFailed(self._readable(error), error.status_code, wait) from None

    def _worded(self, body: Body) -> Body:
        """Return the body with its limit of tokens named as this server wants it."""
        if not self.new_words or OLD_WORD not in body:
            return body
        named = {name: value for name, value in body.items() if name != OLD_WORD}
        return {**named, NEW_WORD: body[OLD_WORD]}

    def _asks_for_new_words(self, error: "openai.APIStatusError", body: Body) -> bool:
        """Return whether a server wants the new name, and use it from now on."""
        wants = error.status_code == 400 and NEW_WORD in str(error) and OLD_WORD in body
        if not wants or self.new_words:
            return False
        self.new_words = True
        return True

    def stop(self, message: str) -> EndpointError:
        """Return the error to raise; from now on no thread begins another request."""
        self.stopping.set()
        return EndpointError(message)

    def _without_secrets(self, reply: replies.Reply) -> replies.Reply:
        """Return a reply whose answers do not hold the secrets: a server may echo a request.

        Answers go into journals, tables and notebooks. The word that a local server is given as its
        key ("any") may well be a part of an answer, so only long secrets are hidden.
        """
        kept = [secret for secret in self._secrets() if len(secret) >= hiding.LONG]
        texts = [hiding.hidden(text, kept) for text in reply.texts]
        return reply._replace(texts=texts)

    def _secrets(self) -> list[str]:
        return hiding.secrets(self.openai.api_key, str(self.openai.base_url))

    def _readable(self, error: Exception) -> str:
        """Return an error's message on one line, secrets hidden, and only then shortened."""
        kept = self._secrets()
        return " ".join(hiding.hidden(str(error), kept).split())[:300]
