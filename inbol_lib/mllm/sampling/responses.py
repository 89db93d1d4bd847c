"""Responses to questions about images: what is asked for, and how it is shared out in batches.

Every question has a random stream of its own, drawn from (seed, question id), so that neither the
batch that it falls into nor a resumed run changes any of its responses.
"""

import warnings
from collections.abc import Hashable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
from PIL import Image
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.data.records import rng_for
from inbol_lib.mllm.attention import can_share
from inbol_lib.mllm.chat import encode
from inbol_lib.mllm.endpoints import Endpoint
from inbol_lib.mllm.picture_features import Features, picture_key
from inbol_lib.mllm.sampling.continuation import Drawn, Settings, continue_prompts
from inbol_lib.mllm.sampling.prompts import written
from inbol_lib.mllm.sampling.reading import reads_alike
from inbol_lib.mllm.sampling.stock import generate
from inbol_lib.progress import bar

#: Image tokens of a prompt, to estimate its length where the configuration does not say (LLaVA's).
IMAGE_TOKENS = 576


class Response(NamedTuple):
    """A sampled text and its log-probability.

    The log-probability, in nats, is the sum over all tokens, EOS included, under the untempered
    model. An endpoint gives texts alone (the log-probability is NaN), and None where it failed.
    """

    text: str | None
    logprob: float


def greedy(
    model: PreTrainedModel | Endpoint,
    processor: ProcessorMixin | None,
    images: Sequence[Image.Image],
    texts: Sequence[str],
    max_new_tokens: int,
    token_budget: int,
    features: Features | None = None,
) -> list[str | None]:
    """Return the greedy response to each user text, equal to `generate(do_sample=False)`.

    Parameters and errors are those of `sample`.
    """
    how = (1, 0.0, 1.0, max_new_tokens, token_budget)
    responses = sample(model, processor, images, texts, *how, features=features)
    return [only.text for (only,) in responses]


def sample(
    model: PreTrainedModel | Endpoint,
    processor: ProcessorMixin | None,
    images: Sequence[Image.Image],
    texts: Sequence[str],
    n: int,
    temperature: float,
    top_p: float,
    max_new_tokens: int,
    token_budget: int,
    seed: int = 0,
    ids: Sequence[str] | None = None,
    features: Features | None = None,
) -> list[list[Response]]:
    """Return `n` responses to each user text about its image.

    All questions about a picture share one reading of it. A model whose cache cannot be shared
    (several position axes, recurrent states, sliding windows, pictures that attend to the text
    behind them) goes through `generate`, one question at a time, with a warning.

    Parameters
    ----------
    model, processor
        As `loading.load` returns them.
    images, texts : Sequence
        One image for each text.
    n : int
        Responses to each text.
    temperature : float
        0 is greedy.
    top_p : float
        The share of probability in (0, 1] that is sampled from.
    max_new_tokens : int
        The longest response, in tokens.
    token_budget : int
        About how many tokens a batch holds, all responses at their longest included.
    seed : int
        Together with a question's id it decides the random stream.
    ids : Sequence[str] | None
        A distinct name for each question; by default its place.
    features : Features | None
        Keeps the features of pictures for other calls; by default nothing is kept.

    Raises
    ------
    ValueError
        If numbers of images, texts and ids differ, if ids repeat, or if a setting is out of range.
    EndpointError
        See `Endpoint.ask`.
    """
    settings = Settings(n, temperature, top_p, max_new_tokens)
    if isinstance(model, Endpoint):
        return _ask(model, images, texts, settings, seed)
    ids = [str(place) for place in range(len(texts))] if ids is None else ids
    _check(images, texts, ids, settings)
    pictures = [picture_key(image) for image in images]
    features = Features(limit=0) if features is None else features

    def shared(chosen: list[int], streams: Sequence[np.random.Generator]) -> Drawn:
        asked = ([held[i] for i in chosen] for held in (images, texts, pictures))
        prompts = written(processor, *asked)
        return continue_prompts(model, processor, prompts, settings, streams, features)

    def alone(chosen: list[int], streams: Sequence[np.random.Generator]) -> Drawn:
        batch = encode(processor, [images[i] for i in chosen], [texts[i] for i in chosen])
        return generate(model, processor, batch.to(model.device), settings, streams)

    draw = shared
    if not can_share(model) or not reads_alike(model, processor, images[:1], texts[:1]):
        draw, token_budget = alone, 0
        warnings.warn(
            f"{type(model).__name__}: its cache cannot be shared, "
            "so `generate` samples it question by question",
            stacklevel=2,
        )
    image_tokens = getattr(model.config, "image_seq_length", None) or IMAGE_TOKENS
    found: dict[int, list[Response]] = {}
    with bar("sampling", "question", len(texts)) as shown:
        for chosen in _batches(pictures, texts, settings, token_budget, image_tokens):
            drawn = draw(chosen, [rng_for(seed, ids[i]) for i in chosen])
            found |= zip(chosen, _responses(processor, drawn, n), strict=True)
            shown.update(len(chosen))
    return [found[i] for i in range(len(texts))]


def _ask(
    endpoint: Endpoint,
    images: Sequence[Image.Image],
    texts: Sequence[str],
    settings: Settings,
    seed: int,
) -> list[list[Response]]:
    """Return an endpoint's responses."""
    answers = endpoint.ask(
        texts,
        images,
        settings.n,
        temperature=settings.temperature,
        top_p=settings.top_p,
        max_tokens=settings.max_new_tokens,
        seed=seed,
    )
    unknown = float("nan")
    return [[Response(text and text.strip(), unknown) for text in said] for said in answers]


def _check(
    images: Sequence[Image.Image], texts: Sequence[str], ids: Sequence[str], settings: Settings
) -> None:
    """Raise ValueError where what is asked for makes no sense."""
    if not len(images) == len(texts) == len(ids):
        raise ValueError(
            f"{len(images)} images, {len(texts)} texts and {len(ids)} ids; "
            "each question needs one of each"
        )
    if len(set(ids)) < len(ids):
        raise ValueError(
            "ids repeat, so questions would share a random stream; "
            "give every question an id of its own"
        )
    n, temperature, top_p, max_new_tokens = settings
    if n < 1 or max_new_tokens < 1 or temperature < 0 or not 0 < top_p <= 1:
        raise ValueError(
            f"n={n} and max_new_tokens={max_new_tokens} must be >= 1, "
            f"temperature={temperature} >= 0, top_p={top_p} in (0, 1]"
        )


def _batches(
    pictures: Sequence[Hashable],
    texts: Sequence[str],
    settings: Settings,
    budget: int,
    image_tokens: int,
) -> Iterator[list[int]]:
    """Yield places of texts: pictures together, longest first, so that rows of a batch are alike.

    A batch holds about `budget` tokens, but at least one question.
    """
    longest: dict[Hashable, int] = {}
    for picture, text in zip(pictures, texts, strict=True):
        longest[picture] = max(longest.get(picture, 0), len(text))
    rank = {picture: place for place, picture in enumerate(longest)}
    order = sorted(
        range(len(texts)), key=lambda place: (-longest[pictures[place]], rank[pictures[place]])
    )
    while order:
        prompt = image_tokens + longest[pictures[order[0]]] // 2 + 16
        size = max(1, budget // (prompt + settings.n * settings.max_new_tokens))
        yield order[:size]
        order = order[size:]


def _responses(processor: ProcessorMixin, drawn: Drawn, n: int) -> list[list[Response]]:
    """Return the `n` responses of each question in a batch."""
    texts = processor.tokenizer.batch_decode(drawn.tokens, skip_special_tokens=True)
    pairs = zip(texts, drawn.logprobs.tolist(), strict=True)
    flat = [Response(text.strip(), logprob) for text, logprob in pairs]
    return [flat[first : first + n] for first in range(0, len(flat), n)]
