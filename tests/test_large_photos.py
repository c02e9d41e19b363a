"""Large photos are worked on piece by piece: the pixels are those of the whole at once, and memory stays bounded."""

import numpy as np
import pytest

from facepart.occlusion import occlude
from facepart.occlusion.occlude import blend, occlude_parts
from facepart.occlusion.replace import blur, blur_around

DICE = np.random.default_rng(0)


def noise(height: int, width: int) -> np.ndarray:
    return DICE.integers(0, 256, (height, width, 3), dtype=np.uint8)


@pytest.mark.parametrize("box", [3, 15, 101, 401])
@pytest.mark.parametrize("width", [830, 1001, 1277])
def test_a_place_is_blurred_as_in_the_whole_photo(box, width) -> None:
    photo = noise(900, width)
    whole = blur(photo, box)
    for _ in range(12):
        top, bottom = sorted(DICE.choice(901, 2, replace=False))
        left, right = sorted(DICE.choice(width + 1, 2, replace=False))
        place = slice(int(top), int(bottom)), slice(int(left), int(right))
        assert np.array_equal(blur_around(photo, place, box), whole[place])


def test_blending_in_strips_is_exact(monkeypatch) -> None:
    photo, other, mask = noise(97, 61), noise(97, 61), noise(97, 61)[:, :, 0]
    monkeypatch.setattr(occlude, "_BLENDED_PIXELS", 500)
    share = mask[:, :, None].astype(np.int64)
    expected = (share * other + (255 - share) * photo) // 255
    assert np.array_equal(blend(photo, other, mask), expected)


def test_an_occluded_large_photo_is_what_it_would_be_as_a_small_one(monkeypatch) -> None:
    photo, mask = noise(1200, 1100), np.zeros((512, 512), np.uint8)
    mask[150:250, 100:400] = 255
    masks = {"eyes": mask, "skin": np.full((512, 512), 255, np.uint8)}
    before = occlude_parts(photo, masks)
    monkeypatch.setattr(occlude, "_WHOLE_PIXELS", 1000)
    monkeypatch.setattr(occlude, "_BLENDED_PIXELS", 5000)
    after = occlude_parts(photo, masks)
    for part, each in before.items():
        assert np.array_equal(after[part].photo, each.photo), part
        assert not np.array_equal(each.photo, photo)
