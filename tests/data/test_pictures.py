"""Pictures come out as people see them: upright, 8 bits a channel, transparency on white."""

import io

import numpy as np
import pytest
from PIL import Image

from inbol_lib.data.benchmarks.hub_tables import rgb
from inbol_lib.data.pictures import as_rgb

RAMP = np.linspace(0, 1, 64).reshape(8, 8)


@pytest.mark.parametrize(
    "pixels",
    [
        (RAMP * 65535).astype(np.uint16),
        (RAMP * 65535).astype(np.int32),
        RAMP.astype(np.float32),
        (RAMP * 255).astype(np.float32),
        (RAMP * 1000).astype(np.float32) * 1000,
    ],
)
def test_grey_values_keep_their_order_and_their_range(pixels):
    shown = np.asarray(as_rgb(Image.fromarray(pixels)))
    assert shown.shape == (8, 8, 3)
    assert np.abs(shown[..., 0] - RAMP * 255).max() <= 1


def test_values_that_are_no_number_are_black():
    pixels = np.array([[np.nan, 1.0], [0.5, np.inf]], np.float32)
    assert np.asarray(as_rgb(Image.fromarray(pixels)))[..., 0].tolist() == [[0, 255], [128, 0]]


@pytest.mark.parametrize("mode", ["RGBA", "LA", "PA", "P"])
def test_transparency_is_white(mode):
    image = Image.new("RGBA", (4, 4), (0, 0, 0, 0))
    image.putpixel((0, 0), (0, 0, 0, 255))
    shown = as_rgb(image.convert(mode))
    if mode == "P":  # a palette keeps no transparency of its own here
        image = image.convert("P")
        image.info["transparency"] = image.getpixel((3, 3))
        assert as_rgb(image).getpixel((3, 3)) == (255, 255, 255)
        return
    assert shown.getpixel((3, 3)) == (255, 255, 255)
    assert shown.getpixel((0, 0)) == (0, 0, 0)


@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK", "RGBA", "P"])
def test_a_picture_on_its_side_is_turned_upright(mode):
    image = Image.new("RGB", (6, 4), "white").convert(mode)
    exif = Image.Exif()
    exif[0x0112] = 6
    kind = "JPEG" if mode in ("RGB", "L", "CMYK") else "PNG"
    image.save(file := io.BytesIO(), kind, exif=exif)
    assert as_rgb(Image.open(file)).size == (4, 6)
    if mode != "RGB":  # whose bytes stay, and are turned by whoever decodes them
        assert Image.open(io.BytesIO(rgb(file.getvalue()))).size == (4, 6)


def test_an_ordinary_picture_stays_as_it_is():
    noise = np.random.default_rng(0).integers(0, 256, (8, 8, 3), np.uint8)
    assert (np.asarray(as_rgb(Image.fromarray(noise))) == noise).all()
