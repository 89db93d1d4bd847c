"""Sampling by Transformers' own `generate`, for models whose cache continuations cannot share."""

from collections.abc import Sequence
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from transformers import BatchFeature, DynamicCache, PreTrainedModel, ProcessorMixin

from inbol_lib.mllm.chat import stop_ids
from inbol_lib.mllm.sampling.continuation import Drawn, Settings
from inbol_lib.mllm.sampling.reading import same_logits

#: inputs with a column for each token
OF_TOKENS = ("input_ids", "attention_mask", "token_type_ids", "mm_token_type_ids")
#: Whether a model reads a prompt alike whole and behind its own cache.
_COPIES: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()


def generate(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    batch: BatchFeature,
    settings: Settings,
    streams: Sequence[np.random.Generator],
) -> Drawn:
    """Do what `continue_prompts` does, for one question.

    The prompt is read once, and its cache copied for every continuation, where the model allows it.
    The global random generator is seeded from the question's stream.
    """
    how: dict[str, Any] = {"do_sample": False}
    number, copies = 1, settings.n  # greedy responses are all equal
    if settings.temperature:
        how = {"do_sample": True, "top_k": 0}
        how |= {"temperature": settings.temperature, "top_p": settings.top_p}
        number, copies = settings.n, 1
    with torch.random.fork_rng():
        torch.manual_seed(int(streams[0].integers(2**62)))
        out = model.generate(
            **_repeated(model, batch, number),
            **how,
            max_new_tokens=settings.max_new_tokens,
            output_logits=True,
            return_dict_in_generate=True,
        )
    tokens = out.sequences[:, batch["input_ids"].shape[1] :]
    every = torch.log_softmax(torch.stack(out.logits, 1).float(), -1)
    logprobs = every.gather(2, tokens[..., None])[..., 0]
    stops = torch.isin(tokens, stop_ids(model, processor)).long()
    padding = stops.cumsum(1) > stops  # whatever follows a row's first stop
    total = logprobs.double().masked_fill(padding, 0).sum(1)
    return Drawn(tokens.repeat(copies, 1), total.repeat(copies))


def _repeated(model: PreTrainedModel, batch: BatchFeature, number: int) -> dict[str, Any]:
    """Return the inputs of `generate` for a number of continuations of one prompt."""
    if number == 1:
        return dict(batch)
    if not _copies_cache(model, batch):
        return dict(batch) | {"num_return_sequences": number}
    cache = _cache_of_start(model, batch)
    cache.batch_repeat_interleave(number)
    text = {name: batch[name].repeat(number, 1) for name in ("input_ids", "attention_mask")}
    return text | {"past_key_values": cache}


@torch.no_grad()
def _cache_of_start(model: PreTrainedModel, batch: BatchFeature) -> DynamicCache:
    """Return the cache of all of a prompt but its last token."""
    start = {name: value[:, :-1] if name in OF_TOKENS else value for name, value in batch.items()}
    cache = DynamicCache(config=model.config.get_text_config())
    model(**start, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


@torch.no_grad()
def _copies_cache(model: PreTrainedModel, batch: BatchFeature) -> bool:
    """Return whether a copied cache stands for the prompt. A model is tried once.

    It does not in models that keep a state of another kind, or that let a picture attend to the
    text behind it.
    """
    if model not in _COPIES:
        _COPIES[model] = not getattr(model, "_is_stateful", False) and _is_alike(model, batch)
    return _COPIES[model]


def _is_alike(model: PreTrainedModel, batch: BatchFeature) -> bool:
    how = {"do_sample": False, "max_new_tokens": 1, "output_logits": True}
    how["return_dict_in_generate"] = True
    whole = model.generate(**batch, **how).logits[0].float()
    cache = _cache_of_start(model, batch)
    text = {name: batch[name] for name in ("input_ids", "attention_mask")}
    parts = model.generate(**text, past_key_values=cache, **how).logits[0].float()
    return same_logits(parts, whole, model)
