"""Which questions of a benchmark belong to a split, and in which order they are drawn."""

import heapq
from collections.abc import Iterable

from inbol_lib.data.benchmarks.release_files import digest

#: One image in ten of a release's training split is our validation split, where the release has no
#: validation split to spare (ours).
HELD_OUT = 10


def held_out(image_id: str) -> bool:
    """Tell whether an image of a release's training split belongs to our validation split."""
    return digest(image_id)[0] % HELD_OUT == 0


def draw(rows: Iterable[dict], n: int | None, seed: int, rotations: int = 1) -> list[dict]:
    """Return the first `n` base questions in an order drawn by `seed`, each with its rotations.

    Parameters
    ----------
    rows : iterable of dict
        Questions; those with one `group` are rotations of the base question whose `id` it is.
    n : int or None
        Number of base questions; None for all.
    seed : int
        A smaller `n` gives the beginning of the order of a greater one.
    rotations : int
        The most rows that share a group.
    """

    def place(row: dict) -> tuple[bytes, bool]:
        return digest(f"{seed}|{row['group']}"), row["id"] != row["group"]

    if n is None:
        return sorted(rows, key=place)
    first = heapq.nsmallest(n * rotations, rows, key=place)  # they hold the first n groups whole
    groups = list(dict.fromkeys(row["group"] for row in first))
    taken = set(groups[:n])
    return [row for row in first if row["group"] in taken]
