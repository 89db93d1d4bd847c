"""Questions without their pictures keep everything else."""

import numpy as np
import pytest
from datasets import concatenate_datasets

from inbol_lib.data import blind_pictures
from inbol_lib.micro import world


@pytest.fixture(scope="module")
def rows():
    return concatenate_datasets([world.questions(name, "test", 8) for name in ("vqav2", "oven")])


@pytest.mark.parametrize("kind", blind_pictures.KINDS)
def test_only_the_picture_and_the_names_change(rows, kind):
    found = blind_pictures.blinded(rows, kind)
    for name in ("question", "answers", "choices", "accepted", "split"):
        assert found[name] == rows[name]
    assert set(found["source"]) == {f"blind_{kind}"}
    assert len(set(found["id"]) | set(rows["id"])) == 2 * len(rows)
    assert found["id"] == blind_pictures.blinded(rows, kind)["id"]


def test_real_pictures_stay_as_they_are(rows):
    shown = blind_pictures.blinded(rows, "real")["image"]
    pairs = zip(shown, rows["image"], strict=True)
    assert all(image.tobytes() == own.tobytes() for image, own in pairs)


def test_grey_shows_nothing_and_noise_no_two_alike(rows):
    grey, noise = (blind_pictures.blinded(rows, kind)["image"] for kind in ("grey", "noise"))
    assert all(np.ptp(np.asarray(image)) == 0 for image in grey)
    assert len({image.tobytes() for image in noise}) == len(rows)
    assert all(100 < np.asarray(image).mean() < 155 for image in noise)


def test_another_picture_comes_from_another_source(rows):
    found = blind_pictures.blinded(rows, "other")
    sources = {
        image.tobytes(): source for image, source in zip(rows["image"], rows["source"], strict=True)
    }
    for image, source in zip(found["image"], rows["source"], strict=True):
        assert sources[image.tobytes()] != source


def test_what_can_not_be_exchanged_is_refused(rows):
    with pytest.raises(ValueError, match="share one picture"):
        blind_pictures.blinded(rows.select([0]), "other")
    with pytest.raises(ValueError, match="real, grey, noise, other"):
        blind_pictures.blinded(rows, "black")
