"""Rows of a batch in groups of similar length: less padding for a few more passes (ours)."""

from collections.abc import Sequence


def parts(lengths: Sequence[int], budget: int, overhead: int = 0) -> list[list[int]]:
    """Cut rows into groups of similar length, so that all of them cost the least.

    A group costs its tokens, padding counted, and the overhead of one more pass. Of all ways to cut
    the rows, in the order of their length, the cheapest is found.

    Parameters
    ----------
    lengths : sequence of int
        Tokens of each row.
    budget : int
        The most tokens of a group, padding counted. A row that exceeds it makes a group alone.
    overhead : int
        What a pass costs beside its tokens, counted in tokens.

    Returns
    -------
    list of list of int
        Indices in the order of rising length.

    Examples
    --------
    >>> parts([5, 90, 7, 6], budget=200, overhead=10)
    [[0, 3, 2], [1]]
    >>> parts([5, 9, 7, 6], budget=200, overhead=10)
    [[0, 3, 2, 1]]
    """
    order = sorted(range(len(lengths)), key=lambda index: lengths[index])
    best = [(0, 0)]  # of the first n rows: the lowest cost, and where the last group begins
    for end in range(1, len(order) + 1):
        longest = lengths[order[end - 1]]
        earliest = max(0, min(end - 1, end - budget // longest))
        best.append(
            min(
                (best[begin][0] + (end - begin) * longest + overhead, begin)
                for begin in range(earliest, end)
            )
        )
    groups, end = [], len(order)
    while end:
        begin = best[end][1]
        groups.append(order[begin:end])
        end = begin
    return groups[::-1]
