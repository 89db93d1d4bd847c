"""Read the prompts of a batch: every picture once, then each question's own tokens."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple
from weakref import WeakKeyDictionary

import torch
from PIL import Image
from transformers import DynamicCache, PreTrainedModel, ProcessorMixin
from transformers.cache_utils import Cache

from inbol_lib.mllm.attention import additive
from inbol_lib.mllm.chat import encode
from inbol_lib.mllm.grouping import parts
from inbol_lib.mllm.picture_features import Features
from inbol_lib.mllm.sampling.cache import gathered, lengthen, rows_of
from inbol_lib.mllm.sampling.last_layer import at_last_token
from inbol_lib.mllm.sampling.prompts import Prompts, written

#: The owner of a cached token that belongs to the prompt, and of one that nobody sees.
PROMPT, NOBODY = -1, -2
#: Tokens of trunks that a CPU reads at a time: so many stay in its caches.
READ_AT_ONCE = 1200
#: What one more pass costs, in tokens: on a CPU some, on a GPU too many to save padding by it.
PASS = {"cpu": 250}
NEVER = 10**9

#: Whether a model reads a prompt alike, whole and in two parts.
_ALIKE: WeakKeyDictionary[PreTrainedModel, bool] = WeakKeyDictionary()


class Read(NamedTuple):
    """What a model knows after prompts, a row for each question.

    `questions` has the shape `(rows,)` and says which question each row is about, `owners` has the
    shape `(rows, length)` and `logits` `(rows, vocabulary)`.
    """

    cache: Cache
    questions: torch.Tensor
    owners: torch.Tensor
    logits: torch.Tensor


def read(model: PreTrainedModel, prompts: Prompts, features: Features, spare: int) -> Read:
    """Read prompts.

    Parameters
    ----------
    model : PreTrainedModel
        One whose cache can be shared (`attention.can_share`).
    prompts : Prompts
        As `prompts.written` gives them.
    features : Features
        Keeps the features of pictures for later.
    spare : int
        For how many tokens behind the prompts the cache is to have room at once.
    """
    device = model.device
    order, caches = [], []
    for chunk in _chunks(prompts.trunks, device.type):
        order += chunk
        caches.append(_read_trunks(model, prompts, chunk, features))
    place = {trunk: row for row, trunk in enumerate(order)}

    widths = [len(ids) for ids in prompts.branches]
    groups = parts(widths, NEVER, PASS.get(device.type, NEVER))
    questions = [number for group in groups for number in group]
    trunks = [prompts.trunk_of[number] for number in questions]
    rows = torch.tensor([place[trunk] for trunk in trunks], device=device)
    lengths = torch.tensor([len(prompts.trunks[trunk]) for trunk in trunks], device=device)
    cache = gathered(caches, rows, max(widths) + spare)

    done, first = [], 0
    for group in groups:
        mine = slice(first, first + len(group))
        branches = [prompts.branches[number] for number in group]
        done.append(_read_branches(model, branches, lengths[mine], rows_of(cache, mine)))
        first += len(group)
    longest = max(owners.shape[1] for owners, _ in done)
    lengthen(cache, [owners.shape[1] for owners, _ in done], list(map(len, groups)))
    return Read(
        cache,
        torch.tensor(questions, device=device),
        torch.cat([_widened(owners, longest) for owners, _ in done]),
        torch.cat([logits for _, logits in done]),
    )


def _widened(owners: torch.Tensor, length: int) -> torch.Tensor:
    return torch.nn.functional.pad(owners, (0, length - owners.shape[1]), value=NOBODY)


def _chunks(trunks: Sequence[list[int]], device: str) -> Iterator[list[int]]:
    """Yield numbers of trunks of equal length, which need no padding and no mask."""
    by_length: dict[int, list[int]] = {}
    for number, ids in enumerate(trunks):
        by_length.setdefault(len(ids), []).append(number)
    for length, numbers in by_length.items():
        size = max(1, READ_AT_ONCE // length) if device == "cpu" else len(numbers)
        for start in range(0, len(numbers), size):
            yield numbers[start : start + size]


def _read_trunks(
    model: PreTrainedModel, prompts: Prompts, chunk: Sequence[int], features: Features
) -> Cache:
    """Return the cache of trunks of equal length."""
    ids = torch.tensor([prompts.trunks[number] for number in chunk], device=model.device)
    several = [prompts.pixels[number] for number in chunk]
    pixels = {name: torch.cat([one[name] for one in several]) for name in several[0]}
    pixels = {name: tensor.to(model.device) for name, tensor in pixels.items()}
    shown = features(model, [prompts.pictures[number] for number in chunk], pixels)
    cache = DynamicCache(config=model.config.get_text_config())
    with at_last_token(model):
        model(input_ids=ids, **shown, past_key_values=cache, use_cache=True, logits_to_keep=1)
    return cache


def _read_branches(
    model: PreTrainedModel, branches: Sequence[list[int]], lengths: torch.Tensor, cache: Cache
) -> tuple[torch.Tensor, torch.Tensor]:
    """Read each question's own tokens behind its trunk, whose length is given.

    Returns the owners of all tokens of the cache, `(rows, length)`, and the logits behind them.
    """
    width = max(map(len, branches))
    ids = torch.tensor([[0] * (width - len(ids)) + ids for ids in branches], device=model.device)
    own = torch.tensor([len(ids) for ids in branches], device=model.device)[:, None]
    place = torch.arange(width, device=model.device) - (width - own)  # below 0: padding
    trunk = torch.arange(cache.get_seq_length(), device=model.device) < lengths[:, None]
    owners = torch.where(torch.cat([trunk, place >= 0], 1), PROMPT, NOBODY)
    before = torch.ones(width, len(trunk[0]) + width, device=model.device).tril(len(trunk[0]))
    with at_last_token(model):
        out = model(
            input_ids=ids,
            attention_mask=additive((owners[:, None] == PROMPT) & before.bool(), model),
            position_ids=lengths[:, None] + place.clamp(min=0),
            past_key_values=cache,
            use_cache=True,
            logits_to_keep=1,
        )
    return owners, out.logits[:, -1].float()


@torch.inference_mode()
def reads_alike(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    images: Sequence[Image.Image],
    texts: Sequence[str],
) -> bool:
    """Return whether a model reads prompts in two parts as it reads them whole.

    Some families let a picture attend to the question behind it. A model is tried once.
    """
    if not len(texts):
        return True
    if model not in _ALIKE:
        _ALIKE[model] = _reads_alike(model, processor, images, texts)
    return _ALIKE[model]


def _reads_alike(
    model: PreTrainedModel,
    processor: ProcessorMixin,
    images: Sequence[Image.Image],
    texts: Sequence[str],
) -> bool:
    batch = encode(processor, images, texts).to(model.device)
    whole = model(**batch, logits_to_keep=1).logits[:, -1].float()
    prompts = written(processor, images, texts, range(len(texts)))
    found = read(model, prompts, Features(limit=0), spare=0)
    return same_logits(found.logits, whole[found.questions], model)


def same_logits(found: torch.Tensor, expected: torch.Tensor, model: PreTrainedModel) -> bool:
    """Return whether logits are equal up to the rounding of the model's precision."""
    exact = 1e-3 if model.dtype == torch.float32 else 5e-2  # 16-bit floats keep two to three digits
    return bool((found - expected).abs().max() <= exact * (1 + expected.abs().max()))
