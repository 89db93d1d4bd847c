"""A cache that grows in place: Transformers' own copies itself whole with every token (ours)."""

from collections.abc import Sequence

import torch
from transformers.cache_utils import Cache, DynamicLayer


class GrowingLayer(DynamicLayer):
    """One layer's keys and values, `(rows, heads, length, width)`, with room for more behind them.

    Attributes
    ----------
    keys, values : torch.Tensor
        What is cached: views of the first `length` places of the room.
    """

    def __init__(self, keys: torch.Tensor, values: torch.Tensor, length: int):
        super().__init__()
        self.lazy_initialization(keys, values)
        self.room = (keys, values)
        self.show(length)

    def show(self, length: int) -> None:
        """Let this many places of the room be what is cached."""
        self.keys, self.values = (held[:, :, :length] for held in self.room)

    def update(self, key_states: torch.Tensor, value_states: torch.Tensor, *_args, **_options):
        """Add the newest tokens; return all keys and values."""
        before = self.get_seq_length()
        after = before + key_states.shape[-2]
        if after > self.room[0].shape[-2]:
            self._make_room(after)
        for held, new in zip(self.room, (key_states, value_states), strict=True):
            held[:, :, before:after] = new
        self.show(after)
        return self.keys, self.values

    def _make_room(self, needed: int) -> None:
        """Move to a room half as long again as is needed."""
        length = self.get_seq_length()
        larger = []
        for held in self.room:
            rows, heads, _, width = held.shape
            wide = held.new_empty(rows, heads, needed + needed // 2, width)
            wide[:, :, :length] = held[:, :, :length]
            larger.append(wide)
        self.room = tuple(larger)

    def batch_select_indices(self, indices: torch.Tensor) -> None:
        """Keep these rows alone."""
        length = self.get_seq_length()
        self.room = tuple(held[indices] for held in self.room)
        self.show(length)


def gathered(parts: Sequence[Cache], rows: torch.Tensor, spare: int) -> Cache:
    """Return one growing cache of rows that lie in several caches, in any order and number.

    Parameters
    ----------
    parts : sequence of Cache
        Their rows are counted through.
    rows : torch.Tensor, shape (rows of the new cache,)
        Which of all rows stands in each place; a row may stand in several.
    spare : int
        For how many more tokens there is to be room.

    Returns
    -------
    Cache
        As long as the longest part; the places behind a shorter row hold zeros.
    """
    number = len(parts[0].layers)
    return Cache(layers=[_layer(parts, layer, rows, spare) for layer in range(number)])


def rows_of(cache: Cache, rows: slice) -> Cache:
    """Return a cache of some rows of a growing one, which writes into its room."""
    layers = [
        GrowingLayer(*(held[rows] for held in layer.room), layer.get_seq_length())
        for layer in cache.layers
    ]
    return Cache(layers=layers)


def lengthen(cache: Cache, lengths: Sequence[int], rows: Sequence[int]) -> None:
    """Let a growing cache hold what has been written into its room through `rows_of`.

    Parameters
    ----------
    cache : Cache
        Is then as long as its longest rows; the places behind the others hold zeros.
    lengths, rows : sequence of int
        How long each group of rows now is, and how many rows it has, from the first row on.
    """
    for layer in cache.layers:
        first = 0
        for length, number in zip(lengths, rows, strict=True):
            for held in layer.room:
                held[first : first + number, :, length : max(lengths)] = 0
            first += number
        layer.show(max(lengths))


def _layer(parts: Sequence[Cache], number: int, rows: torch.Tensor, spare: int) -> GrowingLayer:
    layers = [part.layers[number] for part in parts]
    longest = max(layer.get_seq_length() for layer in layers)
    keys = _joined([layer.keys for layer in layers], longest, spare, rows)
    values = _joined([layer.values for layer in layers], longest, spare, rows)
    return GrowingLayer(keys, values, longest)


def _joined(
    parts: Sequence[torch.Tensor], length: int, spare: int, rows: torch.Tensor
) -> torch.Tensor:
    """Return rows of several tensors `(rows, heads, up to length, width)` in one with room."""
    _, heads, _, width = parts[0].shape
    joined = parts[0].new_empty(len(rows), heads, length + spare, width)
    first = 0
    for part in parts:
        here = (rows >= first) & (rows < first + len(part))
        places = _as_slice(here.nonzero()[:, 0])
        joined[places, :, : part.shape[2]] = part[_as_slice(rows[places] - first)]
        joined[places, :, part.shape[2] : length] = 0  # a masked NaN would still spread
        first += len(part)
    return joined


def _as_slice(places: torch.Tensor) -> torch.Tensor | slice:
    """Return places that follow each other as a slice, which costs no copy."""
    start = int(places[0]) if len(places) else 0
    follow = torch.arange(start, start + len(places), device=places.device)
    return slice(start, start + len(places)) if torch.equal(places, follow) else places
