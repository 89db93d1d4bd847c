"""What there is to look at: the artefacts of some parameters, or else the published outcomes.

Nothing is made here. What is missing is named, with the command that makes it.
"""

from inbol_lib.explore.material.artefacts import complete, missing
from inbol_lib.explore.material.books import Book
from inbol_lib.explore.material.opening import book, outcomes, published_or_not
from inbol_lib.explore.material.pictures import Pictures

__all__ = ["Book", "Pictures", "book", "complete", "missing", "outcomes", "published_or_not"]
