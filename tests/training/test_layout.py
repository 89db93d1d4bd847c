from inbol_lib.training import layout


def test_parts_hold_alike_lengths_within_the_budget():
    lengths = [5, 90, 7, 6, 30, 31]
    groups = list(layout.parts(lengths, 64))
    assert groups == [[0, 3, 2], [4, 5], [1]]
    assert all(len(group) * max(lengths[i] for i in group) <= 64 for group in groups[:-1]), (
        "only an item that is too long alone may exceed it"
    )
