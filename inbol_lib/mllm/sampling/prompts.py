"""The questions of a batch behind their pictures: what is common is written, and read, once.

The prompts of several questions about one picture begin alike, up to the picture's last token. This
common part is a trunk, and each question's own tokens are its branch.
"""

from collections.abc import Hashable, Sequence
from typing import NamedTuple

import torch
from PIL import Image
from transformers import BatchFeature, ProcessorMixin

from inbol_lib.mllm.chat import chat_prompt, encode_prompts, image_token_id, writes_bos

#: what the processor makes of a picture, each tensor with one row
Pixels = dict[str, torch.Tensor]


class Prompts(NamedTuple):
    """Prompts as token ids: question i stands in `branches[i]` behind trunk `trunk_of[i]`."""

    trunks: list[list[int]]
    pixels: list[Pixels]  # of each trunk
    pictures: list[Hashable]  # which picture each trunk shows
    branches: list[list[int]]
    trunk_of: list[int]


class Trunk(NamedTuple):
    """What all prompts about a picture begin with.

    `ids` has the picture's tokens; `plain` is how the tokenizer alone writes it, with one mark for
    the whole picture.
    """

    ids: list[int]
    plain: list[int]


def written(
    processor: ProcessorMixin,
    images: Sequence[Image.Image],
    texts: Sequence[str],
    pictures: Sequence[Hashable],
) -> Prompts:
    """Return the prompts of questions, with one trunk for each picture.

    Parameters
    ----------
    processor : ProcessorMixin
        The model's processor; it gets each picture once.
    images, texts : Sequence
        One image for each text.
    pictures : Sequence[Hashable]
        The name of each question's picture: equal names have equal images.

    Raises
    ------
    ValueError
        As `chat.encode`.
    """
    prompts = [chat_prompt(processor, text) for text in texts]
    first = _first_places(pictures)
    shown = [images[i] for i in first.values()]
    asked = [prompts[i] for i in first.values()]
    encoded = encode_prompts(processor, shown, asked)
    plain = _without_pictures(processor, prompts)
    trunks = {
        picture: _trunk(full, plain[i], image_token_id(processor))
        for (picture, i), full in zip(first.items(), _unpadded(encoded), strict=True)
    }
    if not all(_is_behind(trunks[name], ids) for name, ids in zip(pictures, plain, strict=True)):
        return _apart(processor, images, prompts, pictures)
    order = {picture: place for place, picture in enumerate(first)}
    branches = [
        ids[len(trunks[picture].plain) :] for picture, ids in zip(pictures, plain, strict=True)
    ]
    return Prompts(
        trunks=[trunk.ids for trunk in trunks.values()],
        pixels=_pixels(processor, encoded, shown, asked),
        pictures=list(first),
        branches=branches,
        trunk_of=[order[picture] for picture in pictures],
    )


def _first_places(pictures: Sequence[Hashable]) -> dict[Hashable, int]:
    """Return where each picture stands first."""
    first: dict[Hashable, int] = {}
    for place, picture in enumerate(pictures):
        first.setdefault(picture, place)
    return first


def _trunk(full: list[int], plain: list[int], image_token: int) -> Trunk:
    """Tell trunk and branch of a prompt apart: the branch is what both writings end with."""
    behind = full[::-1].index(image_token)  # tokens behind the picture
    own = 0
    while own < min(behind, len(plain)) and full[-1 - own] == plain[-1 - own]:
        own += 1
    return Trunk(full[: len(full) - own], plain[: len(plain) - own])


def _is_behind(trunk: Trunk, plain: list[int]) -> bool:
    return plain[: len(trunk.plain)] == trunk.plain and len(plain) > len(trunk.plain)


def _apart(
    processor: ProcessorMixin,
    images: Sequence[Image.Image],
    prompts: Sequence[str],
    pictures: Sequence[Hashable],
) -> Prompts:
    """Return the prompts with a trunk for each question.

    So it is where texts stand before their picture, or where the tokenizer alone writes a prompt
    otherwise than the processor.
    """
    encoded, image_token = encode_prompts(processor, images, prompts), image_token_id(processor)
    rows = _unpadded(encoded)
    cuts = [len(ids) - ids[::-1].index(image_token) for ids in rows]
    return Prompts(
        trunks=[ids[:cut] for ids, cut in zip(rows, cuts, strict=True)],
        pixels=_pixels(processor, encoded, images, prompts),
        pictures=list(pictures),
        branches=[ids[cut:] for ids, cut in zip(rows, cuts, strict=True)],
        trunk_of=list(range(len(rows))),
    )


def _unpadded(encoded: BatchFeature) -> list[list[int]]:
    rows = zip(encoded["input_ids"], encoded["attention_mask"].bool(), strict=True)
    return [ids[real].tolist() for ids, real in rows]


def _without_pictures(processor: ProcessorMixin, prompts: Sequence[str]) -> list[list[int]]:
    """Return the prompts as the tokenizer alone writes them."""
    special = not writes_bos(processor, prompts[0])
    return processor.tokenizer(list(prompts), add_special_tokens=special).input_ids


def _pixels(
    processor: ProcessorMixin,
    encoded: BatchFeature,
    images: Sequence[Image.Image],
    prompts: Sequence[str],
) -> list[Pixels]:
    """Return what `encoded` says about the picture of each of its rows.

    Families that write the pieces of all pictures behind each other are asked picture by picture.
    """
    rows = len(encoded["input_ids"])
    shown = _beside_text(encoded)
    if all(len(tensor) == rows for tensor in shown.values()):
        return [{name: tensor[i : i + 1] for name, tensor in shown.items()} for i in range(rows)]
    alone = zip(images, prompts, strict=True)
    return [_beside_text(encode_prompts(processor, [image], [one])) for image, one in alone]


def _beside_text(encoded: BatchFeature) -> Pixels:
    """Return the tensors that are not about the text's tokens."""
    shape = encoded["input_ids"].shape
    return {
        name: tensor
        for name, tensor in encoded.items()
        if isinstance(tensor, torch.Tensor) and tensor.shape != shape
    }
