"""Fixtures of this room's tests."""

import pytest
from world_samples import SPLITS, TASKS

from inbol_lib.micro import world
from inbol_lib.micro.world import conversations


@pytest.fixture(scope="module")
def tables() -> dict[tuple[str, str], list[dict]]:
    return {key: world.questions(*key, 60, seed=3).to_list() for key in SPLITS}


@pytest.fixture(scope="module")
def talks() -> dict[str, list[dict]]:
    return {task: list(conversations.conversations(150, 5, {task: 1.0})) for task in TASKS}
