"""The pictures of a data set: which rows show the same one, and which must be processed."""

import hashlib
from collections.abc import Hashable, Sequence
from typing import Any

import torch
from datasets import Dataset, Image
from transformers import PreTrainedModel, ProcessorMixin

from inbol_lib.mllm.picture_features import Features, as_inputs, one_fixed_picture_a_row


def file_keys(rows: Dataset) -> list[bytes]:
    """Return a digest of each row's picture file, without decoding it: equal files, equal keys.

    Parameters
    ----------
    rows : Dataset
        With the column `image`.

    Returns
    -------
    list of bytes
        16 bytes a row.
    """
    files = rows.select_columns("image").cast_column("image", Image(decode=False))
    keys = []
    for row in files:
        content = row["image"]["bytes"] or str(row["image"]["path"]).encode()
        keys.append(hashlib.blake2b(content, digest_size=16).digest())
    return keys


class Pictures:
    """Processes the pictures of a data set when a batch needs them.

    Attributes
    ----------
    keys : list of bytes
        Of each row's picture (`file_keys`).
    features : Features or None
        Pictures whose features it keeps are not processed again. None processes every picture for
        every batch; so it is for families that cut a picture into tiles.
    """

    def __init__(self, rows: Dataset, processor: ProcessorMixin):
        self.rows, self.processor = rows, processor
        self.keys = file_keys(rows)
        self.features: Features | None = None

    def keep(self, features: Features) -> Features | None:
        """Keep features from now on; None if pictures of this family differ in their sizes."""
        if one_fixed_picture_a_row(self.processed([0]), 1):
            self.features = features
        return self.features

    def processed(self, numbers: Sequence[int]) -> dict[str, torch.Tensor]:
        """Return the processed pictures of the rows of these numbers, in their order."""
        pictures = list(self.rows[list(numbers)]["image"])
        return dict(self.processor.image_processor(pictures, return_tensors="pt"))

    def read(self, numbers: Sequence[int]) -> dict[str, Any]:
        """Return what a batch needs to show the pictures of the rows of these numbers.

        Returns
        -------
        dict
            - `pictures`: the key of the picture of each number;
            - `shown`: the keys of the processed ones: all, or those whose features are not kept;
            - `images`: these, processed; nothing if there are none.
        """
        keys = [self.keys[number] for number in numbers]
        shown = list(numbers)
        if self.features is not None:
            distinct = dict(zip(keys, numbers, strict=True))
            shown = [number for key, number in distinct.items() if key not in self.features.kept]
        return {
            "pictures": keys,
            "shown": [self.keys[number] for number in shown],
            "images": self.processed(shown) if shown else {},
        }


def with_features(
    model: PreTrainedModel, batch: dict[str, Any], features: Features | None
) -> dict[str, Any]:
    """Return the model's inputs with pictures: their pixels, or their features if these are kept.

    Parameters
    ----------
    model : PreTrainedModel
        May be wrapped by DistributedDataParallel.
    batch : dict
        A part of a batch, with `model`, and with what `Pictures.read` returns.
    features : Features or None
        Those of the batch's `Pictures`.
    """
    images, pictures, shown = batch["images"], batch["pictures"], batch["shown"]
    if features is None or not one_picture_each(images, shown):
        return batch["model"] | images
    places = [*shown, *(key for key in dict.fromkeys(pictures) if key not in set(shown))]
    found = features.features_of(model, places, images.get("pixel_values"))
    return batch["model"] | as_inputs([found[key] for key in pictures])


def one_picture_each(images: dict[str, torch.Tensor], shown: Sequence[Hashable]) -> bool:
    """Tell whether features can take the place of these processed pictures."""
    return not shown or one_fixed_picture_a_row(images, len(shown))
