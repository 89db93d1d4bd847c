"""Where one stands among the questions that are wanted. It knows nothing of the widget."""

from dataclasses import dataclass, field

import numpy as np

from inbol_lib.explore.browsing.filtering import Wanted, mask
from inbol_lib.explore.material import Book

PAGE = 20  # questions on a page of the list


@dataclass
class Browser:
    """Questions of a book that are wanted, a page of them, and the one that is shown.

    Attributes
    ----------
    book
        What is browsed.
    wanted
        The filter, changed by `want`.
    places
        Rows of the book that are wanted, in its order.
    at
        Which of these is shown, from 0; 0 as well where none is wanted.
    """

    book: Book
    wanted: Wanted = Wanted()
    places: np.ndarray = field(init=False)
    at: int = 0

    def __post_init__(self) -> None:
        """Begin with the first question."""
        self.want(self.wanted)

    def want(self, wanted: Wanted) -> None:
        """Change the filter; the question shown stays, if it is still wanted.

        Raises
        ------
        ParameterError
            As in `filtering.mask`; nothing has changed then.
        """
        shown = self.place
        self.places = np.flatnonzero(mask(self.book, wanted))
        self.wanted = wanted
        found = np.searchsorted(self.places, -1 if shown is None else shown)
        same = found < len(self.places) and self.places[found] == shown
        self.at = int(found) if same else 0

    @property
    def place(self) -> int | None:
        """The row of the question shown; None where none is wanted."""
        places = getattr(self, "places", ())
        return int(places[self.at]) if len(places) else None

    @property
    def page(self) -> range:
        """The positions on the page that holds the question shown."""
        first = self.at - self.at % PAGE
        return range(first, min(first + PAGE, len(self.places)))

    @property
    def pages(self) -> int:
        """How many pages there are, at least one."""
        return max(1, -(-len(self.places) // PAGE))

    def go(self, at: int) -> None:
        """Show the question at a position; beyond the ends, the first or the last."""
        self.at = min(max(at, 0), max(len(self.places) - 1, 0))

    def move(self, step: int) -> None:
        """Go some questions on, or back where `step` is negative."""
        self.go(self.at + step)
