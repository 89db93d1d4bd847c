"""The test's questions without their pictures: does a method refuse for what it sees?

A method that refuses by the words of a question alone would answer as before when the picture is
grey, noise or another question's. The paper does not test this (ours).
"""

from collections.abc import Callable

import numpy as np
from datasets import Dataset
from PIL import Image

from inbol_lib.data.records import rng_for

GREY = (128, 128, 128)


def _grey(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return Image.new("RGB", picture.size, GREY)


def _real(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    return picture


def _noise(picture: Image.Image, rng: np.random.Generator) -> Image.Image:
    pixels = rng.integers(0, 256, (picture.height, picture.width, 3), dtype=np.uint8)
    return Image.fromarray(pixels)


#: kind -> what stands in a picture's place; "other" is handled by `blinded`.
_STAND_INS: dict[str, Callable[[Image.Image, np.random.Generator], Image.Image]] = {
    "real": _real,
    "grey": _grey,
    "noise": _noise,
}
KINDS = (*_STAND_INS, "other")


def blinded(rows: Dataset, kind: str, seed: int = 0) -> Dataset:
    """Return questions with something else in place of their pictures.

    Parameters
    ----------
    rows : Dataset
        Question rows.
    kind : str
        "real" (its own picture, to compare with), "grey" (one colour), "noise" (every pixel drawn
        at random) or "other" (the picture of another question; never a copy of its own, and of
        another source where there are several).
    seed : int
        Seed of the noise and of the exchange.

    Returns
    -------
    Dataset
        The same questions in the same order; `source` is "blind_<kind>", and ids, groups and
        pictures have names of their own. They keep their gold answers, so that what counts as
        refused, right by luck or wrong can be told.

    Raises
    ------
    ValueError
        For another kind, or if "other" is asked of questions that share one picture.
    """
    if kind not in KINDS:
        raise ValueError(f"kind {kind!r} is unknown; choose one of {', '.join(KINDS)}")
    partners = _partners(rows, seed) if kind == "other" else None
    images = rows["image"]

    def blind(row: dict, place: int) -> dict:
        if partners is None:
            picture = _STAND_INS[kind](row["image"], rng_for(seed, f"{kind}|{row['id']}"))
        else:
            picture = images[partners[place]]
        names = {name: f"{row[name]}|{kind}" for name in ("id", "group", "image_id")}
        return {**names, "image": picture, "source": f"blind_{kind}"}

    return rows.map(blind, with_indices=True, features=rows.features, load_from_cache_file=False)


def _partners(rows: Dataset, seed: int) -> list[int]:
    """Choose for each question another one whose picture it gets."""
    names, sources = np.array(rows["image_id"]), np.array(rows["source"])
    partners = []
    for place, name in enumerate(rows["id"]):
        others = np.flatnonzero((names != names[place]) & (sources != sources[place]))
        if not len(others):
            others = np.flatnonzero(names != names[place])
        if not len(others):
            raise ValueError(
                "all questions share one picture, so none can get another's; use grey or noise"
            )
        partners.append(int(others[rng_for(seed, f"other|{name}").integers(len(others))]))
    return partners
