"""Ask many questions, several at a time, until each has its answers."""

import sys
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from threading import Lock

from inbol_lib.errors import EndpointError
from inbol_lib.mllm.endpoints import settings
from inbol_lib.mllm.endpoints.client import Client, RequestFailed
from inbol_lib.mllm.endpoints.replies import Reply
from inbol_lib.mllm.endpoints.requests import Request, for_samples
from inbol_lib.mllm.endpoints.spending import described
from inbol_lib.mllm.journal import Journal
from inbol_lib.progress import bar

#: After so many failures in a row a greeting is sent, to see whether the requests are at fault.
IN_A_ROW = 16


class Workers:
    """Threads that ask one endpoint, write its answers down, and stop where going on is pointless.

    Parameters
    ----------
    name : str
        The endpoint's name, for people.
    client : Client
        Sends the requests.
    journal : Journal
        Receives each reply as soon as it is there.
    greeting : Request
        A request that any sound server answers.
    """

    def __init__(self, name: str, client: Client, journal: Journal, greeting: Request) -> None:
        self.name = name
        self.client = client
        self.journal = journal
        self.greeting = greeting
        self.lock = Lock()  # for what follows
        self.tally: Counter[str] = Counter()
        self.failures = 0
        self.failures_in_a_row = 0
        self.last_failure = ""

    def fill(
        self, missing: dict[str, list[str]], request: Callable[[str], Request], n: int
    ) -> None:
        """Bring every list in `missing` to `n` answers, except where a live server fails.

        Parameters
        ----------
        missing : dict[str, list[str]]
            Key -> the answers so far; new ones are appended.
        request : Callable[[str], Request]
            Returns the request of a key.
        n : int
            How many answers each question needs.

        Raises
        ------
        EndpointError
            If the settings are wrong or going on is pointless. What was answered is kept.
        """
        settings.prices()  # wrong settings are reported before anything is sent
        pool = ThreadPoolExecutor(settings.concurrency())
        self.client.stopping.clear()
        try:
            _ = self.client.openai
            futures = [
                pool.submit(self._finish, key, request, answers, n)
                for key, answers in missing.items()
            ]
            finished = as_completed(futures)
            for future in bar(self.name, "question", len(futures), finished):
                future.result()
            if not self.tally["requests"]:
                self._greet()
        except EndpointError as error:
            raise EndpointError(
                f"{self.name}: {error}. What was answered is kept: "
                "run the same again and only the rest is sent"
            ) from None
        finally:
            self.client.stopping.set()
            pool.shutdown(cancel_futures=True)  # requests on their way end, and are written down
            print(self._summary(), file=sys.stderr)

    def _finish(
        self, key: str, request: Callable[[str], Request], answers: list[str], n: int
    ) -> None:
        """Ask one question until it has `n` answers.

        Servers may give fewer than asked for, though at least one, or refuse to give several at
        once; then they are asked for one at a time.
        """
        asked = request(key)
        body = asked.body()
        most = n
        while len(answers) < n and not self.client.stopping.is_set():
            number = min(most, n - len(answers))
            try:
                reply = self.client.send(for_samples(body, len(answers), number))
            except RequestFailed as failure:
                refused_several = number > 1 and failure.status in (400, 422)
                if not refused_several:
                    self._note_failure(failure)
                    return
                most = 1
                continue
            kept = Reply(reply.texts[:number], reply.used)
            self._note_reply(key, asked, len(answers), kept)
            answers += kept.texts

    def _note_reply(self, key: str, asked: Request, first: int, reply: Reply) -> None:
        """Write a reply down, and count it."""
        line = {"key": key, "first": first, "texts": reply.texts, **reply.used}
        self.journal.add({**line, "asked": asked.text, "model": asked.model})
        with self.lock:
            self.tally.update(requests=1, answers=len(reply.texts), **reply.used)
            self.failures_in_a_row = 0

    def _note_failure(self, failure: RequestFailed) -> None:
        """Count a failure, and greet the server after too many in a row."""
        if self.client.stopping.is_set():
            return
        with self.lock:
            self.failures += 1
            self.last_failure = str(failure)
            self.failures_in_a_row = (self.failures_in_a_row + 1) % IN_A_ROW
            suspicious = self.failures_in_a_row == 0
        if suspicious:
            self._greet()

    def _greet(self) -> None:
        """Send the greeting: if even that fails, the requests are not at fault, and all stops."""
        try:
            self.client.send(self.greeting.body())
        except RequestFailed as failure:
            raise self.client.stop(
                f"{self.failures} requests and a mere greeting failed, the last with: {failure}"
            ) from None

    def _summary(self) -> str:
        failed = ""
        if self.failures:
            failed = f", {self.failures} failed (the last: {self.last_failure})"
        return f"{self.name}: {described(self.tally)}{failed}"
