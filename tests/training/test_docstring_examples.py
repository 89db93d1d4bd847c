import doctest

import pytest

from inbol_lib.training import collating, layout, preference_loss


@pytest.mark.parametrize("module", [collating, layout, preference_loss])
def test_the_examples_in_docstrings_are_true(module):
    result = doctest.testmod(module)
    assert result.attempted > 0
    assert result.failed == 0
