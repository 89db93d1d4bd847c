"""Groups of rows of similar length."""

import doctest
import itertools

from inbol_lib.mllm import grouping
from inbol_lib.mllm.grouping import parts


def test_parts_hold_alike_lengths_within_the_budget():
    lengths = [5, 90, 7, 6, 30, 31]
    groups = parts(lengths, 64, overhead=20)
    assert groups == [[0, 3, 2], [4, 5], [1]]
    assert all(len(group) * max(lengths[i] for i in group) <= 64 for group in groups[:-1]), (
        "only an item that is too long alone may exceed it"
    )


def cost(groups, lengths, overhead):
    return sum(len(g) * max(lengths[i] for i in g) + overhead for g in groups)


def test_no_other_cut_is_cheaper():
    lengths, overhead = [40, 41, 43, 60, 61, 80, 120], 25
    found = parts(lengths, 10_000, overhead)
    for size in range(len(lengths)):
        for cuts in itertools.combinations(range(1, len(lengths)), size):
            edges = itertools.pairwise([0, *cuts, len(lengths)])
            other = [list(range(begin, end)) for begin, end in edges]
            assert cost(found, lengths, overhead) <= cost(other, lengths, overhead)


def test_a_pass_that_costs_nothing_is_made_for_each_length():
    assert parts([7, 9, 7], 10_000, overhead=1) == [[0, 2], [1]]
    assert parts([7, 9, 7], 10_000, overhead=1_000) == [[0, 2, 1]]


def test_the_example_in_the_docstring_is_true():
    assert doctest.testmod(grouping) == (0, 2)
