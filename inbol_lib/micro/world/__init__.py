"""The micro world: pictures made by rules, and questions about them whose truth is known."""

from inbol_lib.micro.world.scenes import scene_of
from inbol_lib.micro.world.sources import OOD_SOURCES, SOURCES, questions
from inbol_lib.micro.world.unanswerable_questions import is_answerable, unanswerable

__all__ = ["OOD_SOURCES", "SOURCES", "is_answerable", "questions", "scene_of", "unanswerable"]
