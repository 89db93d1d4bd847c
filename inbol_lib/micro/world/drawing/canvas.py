"""Sizes and colours that all drawing shares."""

EDGE = 72  # of a picture, in pixels
CELL = 24  # edge of one cell of the 3 x 3 grid, in pixels
ZOOM = 3  # drawn pixels to a pixel of the picture

Colour = tuple[int, int, int]


def mixed(first: Colour, second: Colour, share: float) -> Colour:
    """Return the colour between two, `share` of the way (0 to 1) from the first to the second."""
    return tuple(round(a + (b - a) * share) for a, b in zip(first, second, strict=True))
