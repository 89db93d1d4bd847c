"""How packed questions are arranged: tokens, positions, visibility and parts of a batch (ours).

All pure functions of lists and integer tensors, without a model. `packing` builds its batches with
them.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import torch

from inbol_lib.training.collating import padded

PROMPT, PADDING = -2, -1  # segments that are not responses; the responses are 0, 1 and 2


class Layout(NamedTuple):
    """Where everything lies in a batch of packed rows; `tail` is the longest sum of responses."""

    tokens: torch.Tensor  # (rows, length): prompt and responses, padded on both sides
    segments: torch.Tensor  # (rows, length): PROMPT, PADDING or the number of the response
    positions: torch.Tensor  # (rows, length): the position that the model gives each token
    owner: torch.Tensor  # (rows, tail): the number of a token's response, -1 for padding
    source: torch.Tensor  # (rows, tail): which of the last tail + 1 logits predict the token


def lay_out(
    prompts: list[list[int]], responses: list[list[list[int]]], padding_token: int
) -> Layout:
    """Put each row's responses one after another behind its prompt.

    Parameters
    ----------
    prompts : list of list of int
        Token ids of each row's prompt; padded on the left.
    responses : list of list of list of int
        Token ids of each row's responses; padded on the right after the last of them.
    padding_token : int
        Fills the gaps.

    Returns
    -------
    Layout
        Integer tensors.

    Notes
    -----
    A model's logits at a token predict the next one. Of the logits kept, number 0 belongs to the
    prompt's last token, and number j + 1 to token j of the tail. So number 0 predicts the first
    token of every response, and number j any other token j.

    Examples
    --------
    Behind a prompt of three tokens stand a response of two and one of three; a third is missing.
    Both responses have positions from 3, as if each followed the prompt alone.

    >>> layout = lay_out([[10, 11, 12]], [[[20, 21], [], [30, 31, 32]]], padding_token=0)
    >>> layout.tokens
    tensor([[10, 11, 12, 20, 21, 30, 31, 32]])
    >>> layout.segments
    tensor([[-2, -2, -2,  0,  0,  2,  2,  2]])
    >>> layout.positions
    tensor([[0, 1, 2, 3, 4, 3, 4, 5]])
    >>> layout.source  # 20 and 30 are predicted by the logits of 12, 31 by those of 30
    tensor([[0, 1, 0, 3, 4]])
    """
    heads = padded(prompts, padding_token, "left")
    tails = padded([_joined(row) for row in responses], padding_token)
    owner = padded([_owners(row) for row in responses], PADDING)
    place = padded([_places(row) for row in responses], 0)
    source = torch.arange(tails.shape[1]) * (place > 0)

    lengths = torch.tensor([[len(prompt)] for prompt in prompts])
    # Positions in the prompt: its last token has length - 1, and padding is below 0.
    head_positions = lengths - torch.arange(heads.shape[1], 0, -1)
    head_segments = torch.where(head_positions < 0, PADDING, PROMPT)
    return Layout(
        tokens=torch.cat([heads, tails], 1),
        segments=torch.cat([head_segments, owner], 1),
        positions=torch.cat([head_positions.clamp(min=0), lengths + place], 1),
        owner=owner,
        source=source,
    )


def _joined(responses: list[list[int]]) -> list[int]:
    return [token for response in responses for token in response]


def _owners(responses: list[list[int]]) -> list[int]:
    """Return the number of each token's response."""
    return [number for number, response in enumerate(responses) for _ in response]


def _places(responses: list[list[int]]) -> list[int]:
    """Return each token's place in its response, from 0."""
    return [place for response in responses for place in range(len(response))]


def visible(segments: torch.Tensor) -> torch.Tensor:
    """Tell which token sees which: a response sees the prompt and what it has said so far.

    Padding sees the prompt and padding, but no token of a prompt or response sees padding.

    Parameters
    ----------
    segments : torch.Tensor, shape (rows, length)
        As in `Layout`.

    Returns
    -------
    torch.Tensor, shape (rows, length, length)
        True where the token of the second axis sees the token of the third.

    Examples
    --------
    One prompt token, a response of two tokens, another response of one.

    >>> visible(torch.tensor([[PROMPT, 0, 0, 2]])).int()
    tensor([[[1, 0, 0, 0],
             [1, 1, 0, 0],
             [1, 1, 1, 0],
             [1, 0, 0, 1]]], dtype=torch.int32)
    """
    in_prompt = segments[:, None] == PROMPT
    same_segment = segments[:, None] == segments[:, :, None]
    return (in_prompt | same_segment).tril()


def parts(lengths: Sequence[int], budget: int) -> Iterator[list[int]]:
    """Yield the indices of items in groups of similar length that each fit into a budget.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each item.
    budget : int
        The most tokens of a group, padding counted. An item that exceeds it makes a group alone.

    Yields
    ------
    list of int
        Indices in the order of rising length.

    Examples
    --------
    >>> list(parts([5, 90, 7, 6], budget=21))
    [[0, 3, 2], [1]]
    """
    group: list[int] = []
    for index in sorted(range(len(lengths)), key=lambda index: lengths[index]):
        if group and (len(group) + 1) * lengths[index] > budget:
            yield group
            group = []
        group.append(index)
    yield group
