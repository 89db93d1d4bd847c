"""Flags: bands of colour in nine layouts, and an emblem in the middle."""

from PIL import Image, ImageDraw

from inbol_lib.micro.world.drawing.canvas import ZOOM
from inbol_lib.micro.world.drawing.shapes import draw_shape
from inbol_lib.micro.world.entities import COLOURS, Country
from inbol_lib.micro.world.scenes import Thing

LARGE, SMALL = (66, 48), (46, 34)  # width and height, in pixels


def flag_of(country: Country, emblems: tuple[Thing, ...], size: tuple[int, int]) -> Image.Image:
    """Draw a flag of a size in pixels of the picture, at the drawing's scale."""
    width, height = size
    flag = Image.new("RGB", (width * ZOOM, height * ZOOM))
    _draw_bands(flag, country)
    for emblem in emblems:
        centre = (flag.width / 2, flag.height / 2)
        draw_shape(flag, emblem.shape, centre, flag.height * 0.24, COLOURS[emblem.colour])
    return flag


def _draw_bands(flag: Image.Image, country: Country) -> None:
    draw = ImageDraw.Draw(flag)
    width, height = flag.size
    first, second, *rest = (COLOURS[name] for name in country.colours)
    draw.rectangle((0, 0, width, height), fill=first)
    match country.layout:
        case "h3":
            draw.rectangle((0, height / 3, width, 2 * height / 3), fill=second)
            draw.rectangle((0, 2 * height / 3, width, height), fill=rest[0])
        case "v3":
            draw.rectangle((width / 3, 0, 2 * width / 3, height), fill=second)
            draw.rectangle((2 * width / 3, 0, width, height), fill=rest[0])
        case "h2":
            draw.rectangle((0, height / 2, width, height), fill=second)
        case "v2":
            draw.rectangle((width / 2, 0, width, height), fill=second)
        case "cross":
            draw.rectangle((0.3 * width, 0, 0.46 * width, height), fill=second)
            draw.rectangle((0, 0.39 * height, width, 0.61 * height), fill=second)
        case "saltire":
            draw.line((0, 0, width, height), fill=second, width=int(0.2 * height))
            draw.line((0, height, width, 0), fill=second, width=int(0.2 * height))
        case "canton":
            draw.rectangle((0, 0, 0.45 * width, 0.5 * height), fill=second)
        case "border":
            draw.rectangle((0, 0, width - 1, height - 1), outline=second, width=int(0.18 * height))
        case "diagonal":
            draw.polygon([(0, height), (width, height), (width, 0)], fill=second)
