"""Large inputs, a hundredth of them (all of them: `python tests/load.py`)."""

import load
import pytest


@pytest.mark.parametrize("name", load.CASES)
def test_a_hundredth_takes_little_time_and_memory(name):
    case = load.CASES[name]
    seconds, gib = load.measured(name, case.size // 100)
    assert seconds < max(10, case.seconds / 10)
    assert gib < 1
