"""Prefill once, sample many: the image is encoded and the prompt read once, and one copy of its cache serves all continuations.

Every question has a random stream of its own, drawn from (seed, question id), so that neither the batch it falls in nor a resumed run
changes any of its responses."""

import warnings
from collections.abc import Iterator, Sequence
from itertools import islice
from typing import NamedTuple

import numpy as np
import torch
from PIL import Image
from tqdm import tqdm
from transformers import DynamicCache, PreTrainedModel, ProcessorMixin

from inbol_lib.data.records import rng_for
from inbol_lib.mllm.attention import additive, can_share
from inbol_lib.mllm.chat import encode
from inbol_lib.mllm.endpoints import Endpoint
from inbol_lib.progress import progress

PROMPT = -1


class Response(NamedTuple):
    """A sampled text and its log-probability in nats (sum over tokens, EOS included, under the untempered model).

    An endpoint gives texts alone (log-probability NaN), and None for what it failed to answer."""

    text: str | None
    logprob: float


def greedy(
    model: PreTrainedModel, processor: ProcessorMixin, images: Sequence[Image.Image], texts: Sequence[str],
    max_new_tokens: int, token_budget: int,
) -> list[str]:  # fmt: skip
    """The most likely response to each user text, token by token; equal to `generate(do_sample=False)`."""
    return [
        r.text
        for (r,) in sample(
            model, processor, images, texts, 1, 0.0, 1.0, max_new_tokens, token_budget
        )
    ]


def sample(
    model: PreTrainedModel | Endpoint, processor: ProcessorMixin, images: Sequence[Image.Image], texts: Sequence[str],
    n: int, temperature: float, top_p: float, max_new_tokens: int, token_budget: int,
    seed: int = 0, ids: Sequence[str] | None = None,
) -> list[list[Response]]:  # fmt: skip
    """`n` responses to each user text (one image each). `temperature` 0 is greedy; `ids` name the random streams.

    Batches hold about `token_budget` tokens, continuations counted. A model whose cache can not serve several continuations (several
    position axes, recurrent states, sliding windows) goes through `generate` one question at a time, with a warning. Raises ValueError
    on bad settings."""
    ids = [str(i) for i in range(len(texts))] if ids is None else ids
    if isinstance(model, Endpoint):
        settings = {
            "temperature": temperature,
            "top_p": top_p,
            "max_tokens": max_new_tokens,
            "seed": seed,
        }
        return [
            [Response(text and text.strip(), float("nan")) for text in said]
            for said in model.ask(texts, images, n, **settings)
        ]
    if not len(images) == len(texts) == len(ids):
        raise ValueError(
            f"{len(images)} images, {len(texts)} texts and {len(ids)} ids; each question needs one of each"
        )
    if len(set(ids)) < len(ids):
        raise ValueError(
            "ids repeat, so questions would share a random stream; give every question an id of its own"
        )
    if n < 1 or max_new_tokens < 1 or temperature < 0 or not 0 < top_p <= 1:
        raise ValueError(
            f"n={n} and max_new_tokens={max_new_tokens} must be >= 1, temperature={temperature} >= 0, top_p={top_p} in (0, 1]"
        )
    draw = _continue
    if not can_share(model):
        draw, token_budget = _generate, 0
        warnings.warn(
            f"{type(model).__name__}: its cache can not be shared, so `generate` samples it question by question",
            stacklevel=2,
        )
    out: dict[int, list[Response]] = {}
    image_tokens = getattr(model.config, "image_seq_length", None) or 576
    with tqdm(total=len(texts), desc="sampling", unit="question", disable=not progress()) as bar:
        for chosen in _batches(texts, n, max_new_tokens, token_budget, image_tokens):
            batch = encode(processor, [images[i] for i in chosen], [texts[i] for i in chosen])
            streams = [rng_for(seed, ids[i]) for i in chosen]
            tokens, logprobs = draw(
                model,
                processor,
                batch.to(model.device),
                n,
                temperature,
                top_p,
                max_new_tokens,
                streams,
            )
            said = (
                text.strip()
                for text in processor.tokenizer.batch_decode(tokens, skip_special_tokens=True)
            )
            responses = map(Response, said, logprobs.tolist())
            out |= {i: list(islice(responses, n)) for i in chosen}
            bar.update(len(chosen))
    return [out[i] for i in range(len(texts))]


def _batches(
    texts: Sequence[str], n: int, new: int, budget: int, image_tokens: int
) -> Iterator[list[int]]:
    """Indices by falling prompt length, so that rows of a batch are alike; about `budget` tokens each."""
    order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
    while order:
        prompt = image_tokens + len(texts[order[0]]) // 2 + 16
        size = max(1, budget // (prompt + n * new))
        yield order[:size]
        order = order[size:]


@torch.inference_mode()
def _continue(
    model, processor, batch, n, temperature, top_p, max_new_tokens, streams
) -> tuple[torch.Tensor, torch.Tensor]:
    """Tokens (questions * n, length) and log-probabilities of a batch. A question stays one row whose cache is never repeated: its n
    continuations are n tokens a step, which see the prompt and their own past alone. What has ended leaves its row, then the batch."""
    stop, device = _stop_ids(model, processor), model.device
    prompt = batch["attention_mask"].bool()
    places = (prompt.cumsum(1) - 1).clamp(min=0)  # as `generate` counts: padding has no place
    cache = DynamicCache(config=model.config.get_text_config())
    out = model(
        **batch, position_ids=places, past_key_values=cache, use_cache=True, logits_to_keep=1
    )
    logits = out.logits[:, -1:].float().expand(-1, n, -1)
    noise = (
        torch.from_numpy(np.stack([s.random((n, max_new_tokens)) for s in streams])).to(device)
        if temperature
        else None
    )
    tokens = torch.full(
        (len(prompt), n, max_new_tokens), processor.tokenizer.pad_token_id, device=device
    )
    logprobs = torch.zeros(len(prompt), n, dtype=torch.float64, device=device)
    rows = torch.arange(len(prompt), device=device)[:, None]  # the question of a row
    slots = torch.arange(n, device=device).expand(
        len(prompt), n
    )  # the continuation of a token; n = padding
    owner, alive = (
        torch.where(prompt, PROMPT, n),
        torch.ones_like(slots, dtype=torch.bool),
    )  # whose a cached token is
    for step in range(max_new_tokens):
        token = _choose(
            logits,
            temperature,
            top_p,
            None if noise is None else noise[rows, slots.clamp(max=n - 1), step],
        )
        at = (rows.expand_as(slots)[alive], slots[alive])
        tokens[(*at, step)] = token[alive]
        logprobs[at] += torch.log_softmax(logits, -1).gather(2, token[..., None])[..., 0][alive]
        alive = alive & ~torch.isin(token, stop)
        if step + 1 == max_new_tokens or not alive.any():
            break
        kept = alive.any(1).nonzero()[:, 0]
        if len(kept) < len(rows):
            cache.batch_select_indices(kept)
        rows, slots, owner, token, alive = (x[kept] for x in (rows, slots, owner, token, alive))
        first = (
            (~alive).long().argsort(dim=1, stable=True)[:, : int(alive.sum(1).max())]
        )  # the living move to the front
        alive, token = alive.gather(1, first), token.gather(1, first)
        slots = slots.gather(1, first).where(alive, n)
        owner = torch.cat([owner, slots], 1)
        seen = (owner[:, None] == PROMPT) | (owner[:, None] == slots[..., None])
        position = (owner == PROMPT).sum(1, keepdim=True).expand_as(slots) + step
        out = model(
            input_ids=token,
            attention_mask=additive(seen, model),
            position_ids=position,
            past_key_values=cache,
            use_cache=True,
        )
        logits = out.logits.float()
    return tokens.flatten(0, 1).cpu(), logprobs.flatten().cpu()


def _generate(
    model, processor, batch, n, temperature, top_p, max_new_tokens, streams
) -> tuple[torch.Tensor, torch.Tensor]:
    """The same for one question by the stock `generate`, whose global generator is seeded from the question's stream."""
    how = (
        {"do_sample": True, "temperature": temperature, "top_p": top_p, "top_k": 0}
        if temperature
        else {"do_sample": False}
    )
    with torch.random.fork_rng():
        torch.manual_seed(int(streams[0].integers(2**62)))
        out = model.generate(
            **batch, **how, num_return_sequences=n if temperature else 1, max_new_tokens=max_new_tokens,
            output_logits=True, return_dict_in_generate=True,
        )  # fmt: skip
    tokens = out.sequences[:, batch["input_ids"].shape[1] :]
    logprobs = torch.log_softmax(torch.stack(out.logits, 1).float(), -1).gather(
        2, tokens[..., None]
    )[..., 0]
    stops = torch.isin(tokens, _stop_ids(model, processor)).long()
    padding = stops.cumsum(1) > stops  # whatever follows a row's first stop
    again = 1 if temperature else n
    return tokens.repeat(again, 1), logprobs.double().masked_fill(padding, 0).sum(1).repeat(again)


def _stop_ids(model, processor) -> torch.Tensor:
    stop = model.generation_config.eos_token_id
    ids = {processor.tokenizer.eos_token_id, *(stop if isinstance(stop, list) else [stop])} - {None}
    return torch.tensor(sorted(ids), device=model.device)


def _choose(
    logits: torch.Tensor, temperature: float, top_p: float, uniform: torch.Tensor | None
) -> torch.Tensor:
    """Next tokens for logits (..., vocabulary): greedy without `uniform`, else by inverting the cumulative distribution at it. The nucleus
    of `top_p` is the fewest tokens of highest probability that together reach it. Tokens keep the vocabulary's order, so that rounding
    can not swap two of nearly equal probability."""
    if uniform is None:
        return logits.argmax(-1)
    probabilities = torch.softmax(logits.double() / temperature, -1)
    if top_p < 1:
        ranked, order = probabilities.sort(dim=-1, descending=True)
        outside = ranked.cumsum(-1) - ranked >= top_p
        probabilities = probabilities.scatter(-1, order, ranked.masked_fill(outside, 0))
    total = probabilities.cumsum(-1)
    target = uniform.clamp(max=1 - 1e-12)[..., None] * total[..., -1:]
    return torch.searchsorted(total, target, right=True)[..., 0]
