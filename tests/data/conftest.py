"""Fixtures of this room's tests."""

import pytest
from benchmark_files import OFFICIAL


@pytest.fixture
def everything(tmp_path):
    """A folder with all benchmarks in their official formats."""
    for name, write in OFFICIAL.items():
        write(tmp_path / name)
    return tmp_path
