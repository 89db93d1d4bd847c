"""The micro world: pictures made by rules, and questions about them whose truth is known.

An id is all there is to a picture: `scene_of` rebuilds from it what the picture shows. So the world
can say at any time which answers are right (`grammar.truth`) and whether there is one at all
(`is_answerable`), which no collection of photographs allows.
"""

from inbol_lib.micro.world.scenes import scene_of
from inbol_lib.micro.world.sources import OOD_SOURCES, SOURCES, questions
from inbol_lib.micro.world.unanswerable_questions import is_answerable, unanswerable

__all__ = ["OOD_SOURCES", "SOURCES", "is_answerable", "questions", "scene_of", "unanswerable"]
