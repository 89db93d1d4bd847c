"""The peer of sampling: `generate`, in every recipe that spares it work.

A prompt whose cache is copied for its responses is the best public recipe for many responses, a
cached picture that for many questions about it. Both need nothing but Transformers.
"""

import copy
from collections.abc import Callable, Iterator, Sequence
from typing import Any, NamedTuple

import torch
from PIL import Image
from transformers import BatchFeature, DynamicCache, PreTrainedModel, ProcessorMixin

from inbol_lib.mllm import chat
from inbol_lib.mllm.attention import can_share

#: inputs with a column for each token
OF_TOKENS = ("input_ids", "attention_mask", "mm_token_type_ids")


class Ask(NamedTuple):
    """What is asked: `n` responses of `new_tokens` tokens (one is greedy) to each text.

    Questions about one picture follow each other, `per_picture` of them.
    """

    images: Sequence[Image.Image]
    texts: Sequence[str]
    n: int
    new_tokens: int
    per_picture: int = 1


#: a peer's way to answer: the texts of all responses, those of a question in a row
Recipe = Callable[[PreTrainedModel, ProcessorMixin, Ask], list[str]]


def chunks(ask: Ask, size: int) -> Iterator[tuple[Sequence[Image.Image], Sequence[str]]]:
    """Yield pictures and texts of `size` questions at a time."""
    for first in range(0, len(ask.texts), size):
        yield ask.images[first : first + size], ask.texts[first : first + size]


def all_at_once(model: PreTrainedModel, processor: ProcessorMixin, ask: Ask) -> list[str]:
    return plain(model, processor, ask, len(ask.texts))


def one_by_one(model: PreTrainedModel, processor: ProcessorMixin, ask: Ask) -> list[str]:
    return plain(model, processor, ask, 1)


def plain(model: PreTrainedModel, processor: ProcessorMixin, ask: Ask, size: int) -> list[str]:
    """`generate(num_return_sequences=n)` for `size` questions at a time."""
    said = []
    for images, texts in chunks(ask, size):
        batch = chat.encode(processor, images, texts).to(model.device)
        out = model.generate(**batch, **how(ask), num_return_sequences=ask.n)
        said += decoded(processor, out, batch["input_ids"])
    return said


def how(ask: Ask) -> dict[str, Any]:
    """The settings of `generate`: greedy for one response, else the untempered model."""
    drawn = {"do_sample": True, "top_k": 0} if ask.n > 1 else {"do_sample": False}
    return drawn | {"max_new_tokens": ask.new_tokens}


def decoded(processor: ProcessorMixin, out: torch.Tensor, ids: torch.Tensor) -> list[str]:
    new = out[:, ids.shape[1] :]
    return [text.strip() for text in processor.tokenizer.batch_decode(new, True)]


def prompts_cached(model: PreTrainedModel, processor: ProcessorMixin, ask: Ask) -> list[str]:
    return prompts_read_once(model, processor, ask, len(ask.texts))


def prompt_cached(model: PreTrainedModel, processor: ProcessorMixin, ask: Ask) -> list[str]:
    return prompts_read_once(model, processor, ask, 1)


@torch.no_grad()
def prompts_read_once(
    model: PreTrainedModel, processor: ProcessorMixin, ask: Ask, size: int
) -> list[str]:
    """Read the prompts of `size` questions, copy their cache for all responses, and `generate`."""
    said = []
    for images, texts in chunks(ask, size):
        batch = chat.encode(processor, images, texts).to(model.device)
        ids, mask = batch["input_ids"], batch["attention_mask"]
        cache = read_start(model, batch, ids.shape[1] - 1)
        said += continued(model, processor, ask, ids, mask, cache)
    return said


def read_start(model: PreTrainedModel, batch: BatchFeature, length: int) -> DynamicCache:
    """Return the cache of the first `length` tokens of a batch with all its pictures."""
    start = {
        name: value[:, :length] if name in OF_TOKENS else value for name, value in batch.items()
    }
    cache = DynamicCache(config=model.config.get_text_config())
    model(**start, **positions(model, start["attention_mask"], 0), **kept(cache))
    return cache


def positions(model: PreTrainedModel, mask: torch.Tensor, first: int) -> dict[str, torch.Tensor]:
    """Positions behind padding, from token `first` on; some families count them by themselves."""
    if not can_share(model):
        return {}
    return {"position_ids": (mask.cumsum(1) - 1).clamp(min=0)[:, first:]}


def kept(cache: DynamicCache) -> dict[str, Any]:
    return {"past_key_values": cache, "use_cache": True, "logits_to_keep": 1}


def continued(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    ask: Ask,
    ids: torch.Tensor,
    mask: torch.Tensor,
    cache: DynamicCache,
) -> list[str]:
    """Copy the cache for `ask.n` responses to each row, and `generate` them."""
    if ask.n > 1:
        cache.batch_repeat_interleave(ask.n)
        ids, mask = ids.repeat_interleave(ask.n, 0), mask.repeat_interleave(ask.n, 0)
    out = model.generate(input_ids=ids, attention_mask=mask, past_key_values=cache, **how(ask))
    return decoded(processor, out, ids)


def pictures_cached(model: PreTrainedModel, processor: ProcessorMixin, ask: Ask) -> list[str]:
    return pictures_read_once(model, processor, ask, ask.per_picture)


def picture_cached(model: PreTrainedModel, processor: ProcessorMixin, ask: Ask) -> list[str]:
    return pictures_read_once(model, processor, ask, 1)


@torch.no_grad()
def pictures_read_once(
    model: PreTrainedModel, processor: ProcessorMixin, ask: Ask, size: int
) -> list[str]:
    """Read a picture once, then each question about it, and copy the cache for all responses.

    `size` questions about one picture are answered at a time. A picture is processed once, and what
    follows it is tokenized by itself.
    """
    said = []
    for images, texts in chunks(ask, ask.per_picture):
        first = chat.encode(processor, images[:1], texts[:1]).to(model.device)
        tails = [behind_picture(processor, text) for text in texts]
        length = first["input_ids"].shape[1] - len(tails[0])
        start, cache = first["input_ids"][:, :length], read_start(model, first, length)
        for place in range(0, len(tails), size):
            last = place + size >= len(tails)
            copied = cache if last else copy.deepcopy(cache)
            said += asked(model, processor, ask, start, copied, tails[place : place + size])
    return said


def behind_picture(processor: ProcessorMixin, text: str) -> list[int]:
    """The tokens that follow a picture, and the marks around it, in a question's prompt."""
    _, tail = chat.chat_prompt(processor, text).split(processor.image_token)
    ids = processor.tokenizer(tail, add_special_tokens=False).input_ids
    marks = processor.tokenizer.all_special_ids
    return [token for token in ids if token not in marks]


def asked(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    ask: Ask,
    start: torch.Tensor,
    cache: DynamicCache,
    tails: list[list[int]],
) -> list[str]:
    """Answer questions, the `tails`, behind the cached `start` of all their prompts."""
    padded = [{"input_ids": tail} for tail in tails]
    tail = processor.tokenizer.pad(padded, padding_side="left", return_tensors="pt")
    tail = tail.to(model.device)
    ids = torch.cat([start.expand(len(tails), -1), tail["input_ids"]], 1)
    mask = torch.cat([torch.ones_like(start).expand(len(tails), -1), tail["attention_mask"]], 1)
    if len(tails) > 1:
        cache.batch_repeat_interleave(len(tails))
    if ask.n > 1 and can_share(model):  # else `generate` reads the question itself
        read = mask[:, :-1]
        placed = positions(model, read, start.shape[1])
        model(input_ids=tail["input_ids"][:, :-1], attention_mask=read, **placed, **kept(cache))
    return continued(model, processor, ask, ids, mask, cache)


#: setting -> recipe; `n` responses to each question
RECIPES: dict[str, Recipe] = {
    "all questions in one batch": all_at_once,
    "a question a batch": one_by_one,
    "prompts cached, one batch": prompts_cached,
    "prompt cached, a question a batch": prompt_cached,
    "picture cached, a question a batch": picture_cached,
    "picture cached, a picture a batch": pictures_cached,
}


def sensible(n: int, per_picture: int) -> dict[str, Recipe]:
    """The recipes that can spare work: a prompt is cached for many responses, a picture for many
    questions.
    """
    return {
        name: recipe
        for name, recipe in RECIPES.items()
        if (n > 1 or not name.startswith("prompt"))
        and (per_picture > 1 or not name.startswith("picture"))
    }
