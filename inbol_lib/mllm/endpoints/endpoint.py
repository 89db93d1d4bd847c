"""An endpoint answers questions, and its journal remembers every answer."""

import warnings
from collections import Counter
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import Any

from PIL import Image

from inbol_lib import paths
from inbol_lib.errors import DryRun
from inbol_lib.mllm.endpoints import settings as environment
from inbol_lib.mllm.endpoints.client import Client
from inbol_lib.mllm.endpoints.requests import PREFIX, Request, digest, shortened
from inbol_lib.mllm.endpoints.spending import described
from inbol_lib.mllm.endpoints.workers import Workers
from inbol_lib.mllm.journal import Journal

#: With fewer questions than this, equal samples everywhere may be chance.
ENOUGH_TO_WARN = 10


class Endpoint:
    """One model on one server, and the journal of what it has answered.

    Parameters
    ----------
    name : str
        "endpoint:<model>", with the model's name as the server knows it.
    """

    def __init__(self, name: str) -> None:
        self.name = name
        self.model = name.removeprefix(PREFIX)
        self.journal = Journal(_journal_path(self.model))
        self.client = Client()

    def ask(
        self,
        texts: Sequence[str],
        images: Sequence[Image.Image] | None = None,
        n: int = 1,
        **settings: Any,
    ) -> list[list[str | None]]:
        """Return `n` answers to each text, about its image where there are images.

        What the journal holds is not asked again, and the same question is asked once.

        Parameters
        ----------
        texts : Sequence[str]
            What the user says.
        images : Sequence[Image.Image] | None
            One image for each text, or None.
        n : int
            How many answers to each text.
        **settings
            Sent with each request (temperature, max_tokens, ...). Of a `seed` each request has its
            own, which follows from it.

        Returns
        -------
        list[list[str | None]]
            `n` answers to each text; None for those that a live server failed to give. They are
            asked for again next time.

        Raises
        ------
        EndpointError
            If the server is out of reach, refuses the key or the model, or fails everything.
        DryRun
            If INBOL_DRY_RUN is set and something would be sent.
        ValueError
            If there are more images than texts, or fewer.
        """
        images = [None] * len(texts) if images is None else images
        if len(images) != len(texts):
            raise ValueError(
                f"{len(images)} images and {len(texts)} texts; each text needs one, or none has any"
            )

        def request_at(place: int) -> Request:
            return Request(self.model, texts[place], images[place], settings)

        keys = [request_at(place).key() for place in range(len(texts))]
        places = {key: place for place, key in enumerate(keys)}
        # Requests are made when they are needed: a data set decodes each image when it is read.
        answers = self._answers(places, lambda key: request_at(places[key]), n)
        drawn = [answers[key] for key in places]
        if settings.get("temperature") and n > 1 and _all_equal(drawn, n):
            warnings.warn(
                f"{self.name} gave each question {n} equal answers: does the server heed "
                "temperature and seed? `transformers serve` samples only where the model's "
                "generation_config.json says do_sample: true",
                stacklevel=2,
            )
        return [[*answers[key], *[None] * n][:n] for key in keys]

    def _answers(
        self, keys: Collection[str], request: Callable[[str], Request], n: int
    ) -> dict[str, list[str]]:
        """Return key -> its answers: the journal's, and new ones until there are `n`."""
        with self.journal.held():
            answers = self.journal.answers()
            missing = {
                key: answers.setdefault(key, []) for key in keys if len(answers.get(key, [])) < n
            }
            if missing and environment.dry_run():
                raise DryRun(self._preview(missing, request, n, len(keys)))
            if missing:
                greeting = _greeting(request(next(iter(keys))))
                Workers(self.name, self.client, self.journal, greeting).fill(missing, request, n)
        return answers

    def _preview(
        self,
        missing: dict[str, list[str]],
        request: Callable[[str], Request],
        n: int,
        questions: int,
    ) -> str:
        """Return what would be sent, with the first request in full but for its image.

        Parameters
        ----------
        missing : dict[str, list[str]]
            Key -> the answers so far, fewer than `n`.
        request : Callable[[str], Request]
            Returns the request of a key.
        n : int
            How many answers each question needs.
        questions : int
            How many different questions there are, answered ones included.
        """
        answers = sum(n - len(known) for known in missing.values())
        images = 0
        tokens: Counter[str] = Counter()
        for asked in map(request, missing):
            images += 1 if asked.image else 0
            tokens.update(prompt_tokens=len(asked.text) // 4)
        first = request(next(iter(missing)))
        tokens.update(completion_tokens=answers * first.settings.get("max_tokens", 0))
        return (
            f"dry run, nothing is sent. {self.name} would be asked {len(missing):,} questions "
            f"with {images:,} images for {answers:,} answers ({n} to each); "
            f"{questions - len(missing):,} more are answered already.\n"
            f"About {described(tokens)}: 4 characters a token, images not counted, "
            f"answers at their longest.\nThe first: {shortened(first.body())}"
        )


def _journal_path(model: str) -> Path:
    """Return a file that people recognise by the model's name, and that no other model shares."""
    letters = [
        letter if letter.isalnum() or letter in ".-_" else "-" for letter in model.strip("/")
    ]
    readable = "".join(letters)[-60:]
    return paths.runs() / "endpoints" / f"{readable}-{digest(model)[:8]}.jsonl"


def _greeting(like: Request) -> Request:
    """Return a harmless request with the same settings, with an image if `like` has one."""
    image = like.image and Image.new("RGB", (64, 64))
    return like._replace(text="Hello", image=image)


def _all_equal(drawn: Sequence[Sequence[str]], n: int) -> bool:
    """Return whether there are enough questions, each with `n` answers that are all the same."""
    if len(drawn) < ENOUGH_TO_WARN:
        return False
    return all(len(answers) == n and len(set(answers)) == 1 for answers in drawn)
