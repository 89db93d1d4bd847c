"""Scenes and samples of the micro world for its tests."""

import hashlib
from itertools import product

from inbol_lib.micro import world
from inbol_lib.micro.world import conversations
from inbol_lib.micro.world.scenes import Scene, Thing

SPLITS = [
    *product(world.SOURCES, ("train", "validation", "test")),
    *((s, "test") for s in world.OOD_SOURCES),
]


TASKS = tuple(conversations.TASKS)


def scene(*things: Thing) -> Scene:
    return Scene("scene:test:hand", "scene", things, 0.0)


RED_CIRCLE, BLUE_SQUARE = Thing("circle", "red", True, 0), Thing("square", "blue", False, 8)


STRIPED_STAR = Thing("star", "orange", True, 4, pattern="striped")


LOW_TEAL = Thing("bar", "teal", True, 0, height=2)
HIGH_BROWN = Thing("bar", "brown", True, 1, height=5)


FOUR, NINE = Thing("digit", "black", True, 3, digit=4), Thing("digit", "black", True, 5, digit=9)


def pixels(row: dict) -> str:
    return hashlib.sha256(row["image"]["bytes"]).hexdigest()
