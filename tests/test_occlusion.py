"""Parts and blurs: parity with the original program, SciPy as oracle of the Gaussian, and what must always hold."""

import cv2
import numpy as np
import pytest
import scipy.ndimage
from hypothesis import given, settings
from hypothesis import strategies as st

from facepart.data.photo_input import read_photo
from facepart.errors import UsageError
from facepart.networks import face_parser as parser
from facepart.occlusion.method import STANDARD
from facepart.occlusion.occlude import blend, occlude_parts
from facepart.occlusion.parts import PARTS, choose_parts, class_mask, part_mask
from facepart.occlusion.recipe import SIGMA, box_side, growth, scale_of
from facepart.occlusion.soften import ROUNDING
from tests.opened_networks import parser_of
from tests.soft_masks import soft_mask, truncating_gaussian
from tests.test_parsing import ORIGINAL_NAMES


def golden_masks(shared, stem):
    folder = shared / "golden" / "blur"
    return {
        part: cv2.imread(
            str(folder / f"mask_{ORIGINAL_NAMES.get(part, part)}" / f"{stem}_annotation.png"), cv2.IMREAD_GRAYSCALE
        )
        for part in PARTS
    }


@pytest.mark.parametrize("stem", ["001_00M30", "006_00M30", "010_00M30", "064_00M30"])
def test_blurs_from_the_golden_masks_differ_by_one_level_at_most(shared, stem):
    folder = shared / "golden" / "blur"
    photo = read_photo(folder / "images" / f"{stem}.png")
    for part, occluded in occlude_parts(photo, golden_masks(shared, stem)).items():
        blurred = occluded.photo
        expected = read_photo(folder / f"blurred_{ORIGINAL_NAMES.get(part, part)}" / f"{stem}.png")
        assert np.abs(blurred.astype(int) - expected).max() <= 1, part
        assert np.any(blurred != photo), part


def test_blurs_from_the_photo_alone_stay_within_three_levels(shared, bisenet_weights):
    folder = shared / "golden" / "blur"
    paths = sorted((folder / "images").glob("*.png"))
    engine = parser_of(bisenet_weights, "auto")
    for path in paths:
        photo = read_photo(path)
        labels = engine(parser.fit_photo(photo)[None])[0]
        for part, occluded in occlude_parts(photo, {part: part_mask(labels, PARTS[part]) for part in PARTS}).items():
            blurred = occluded.photo
            expected = read_photo(folder / f"blurred_{ORIGINAL_NAMES.get(part, part)}" / f"{path.stem}.png")
            difference = np.abs(blurred.astype(int) - expected).max(axis=2)
            assert np.mean(difference <= 3) >= 0.999, (path.stem, part)


def test_masks_are_the_classes_of_the_part():
    labels = np.arange(19, dtype=np.uint8).reshape(1, 19)
    for name, part in PARTS.items():
        assert set(np.flatnonzero(part_mask(labels, PARTS[name])[0])) == set(part.classes)
        assert set(np.unique(part_mask(labels, PARTS[name]))) == {0, 255}


def test_classes_need_not_follow_each_other():
    labels = np.arange(19, dtype=np.uint8).reshape(1, 19)
    for classes in [(4,), (4, 5), (5, 4, 6), (4, 6), (0, 18), (18, 2, 7)]:
        mask = class_mask(labels, classes)
        assert set(np.flatnonzero(mask[0])) == set(classes)
        assert set(np.unique(mask)) == {0, 255}


def test_parts_are_chosen_by_name_in_one_order():
    assert choose_parts(["nose", "eyes", "nose"]) == (PARTS["eyes"], PARTS["nose"])
    with pytest.raises(
        UsageError,
        match=r"unknown part 'ear' \(did you mean ears\?\); known: eyes brows eyes_brows nose mouth hair skin",
    ):
        choose_parts(["eyes", "ear"])
    with pytest.raises(UsageError, match="no part named"):
        choose_parts([])


@settings(max_examples=30, deadline=None)
@given(st.integers(0, 2**32 - 1), st.floats(0.8, 12.0))
def test_the_gaussian_is_scipys_on_8_bits(seed, sigma):
    values = np.random.default_rng(seed).integers(0, 256, (37, 53)).astype(np.uint8)
    expected = scipy.ndimage.gaussian_filter(values, sigma)
    # Both drop the fraction after each axis; a value that falls on a whole number may land on either side of it.
    assert np.abs(truncating_gaussian(values, sigma).astype(int) - expected).max() <= 1


@pytest.mark.parametrize("sigma", [0.8, 2.5, 5.0, 80 / 7, 22.9, 91.4])
def test_the_gaussian_keeps_flat_areas_flat(sigma):
    for level in (0, 1, 128, 255):
        flat = np.full((64, 61), level, np.uint8)
        np.testing.assert_array_equal(truncating_gaussian(flat, sigma), flat)


def test_blending_is_exact_for_every_photo_other_and_mask():
    photo, other = np.mgrid[:256, :256].astype(np.uint8)
    for share in range(256):
        mixed = blend(np.dstack([photo] * 3), np.dstack([other] * 3), np.full((256, 256), share, np.uint8))
        exact = (share * other.astype(int) + (255 - share) * photo.astype(int)) // 255
        for channel in range(3):
            np.testing.assert_array_equal(mixed[:, :, channel], exact)


def test_a_part_that_is_nowhere_leaves_the_photo_as_it_is():
    photo = np.random.default_rng(1).integers(0, 256, (50, 50, 3)).astype(np.uint8)
    empty = np.zeros((512, 512), np.uint8)
    np.testing.assert_array_equal(occlude_parts(photo, {"hair": empty})["hair"].photo, photo)


def test_a_blur_changes_the_part_and_nothing_far_from_it():
    photo = np.random.default_rng(2).integers(0, 256, (224, 224, 3)).astype(np.uint8)
    mask = np.zeros((512, 512), np.uint8)
    mask[230:280, 230:280] = 255
    changed = np.any(occlude_parts(photo, {"nose": mask})["nose"].photo != photo, axis=2)
    assert changed[105:118, 105:118].mean() > 0.95
    # Grown by 6 pixels, and the Gaussian ends at 20.
    assert not changed[:70].any()
    assert not changed[:, 150:].any()


@settings(max_examples=40, deadline=None)
@given(
    st.sampled_from([(224, 224), (512, 512), (250, 250), (60, 90), (300, 201), (97, 640), (640, 480)]),
    st.sampled_from(sorted(PARTS)),
    st.lists(st.tuples(*[st.integers(0, 511)] * 2, *[st.integers(1, 200)] * 2), min_size=1, max_size=3),
)
def test_soft_masks_are_those_of_the_whole_photo(size, part, rectangles):
    height, width = size
    mask = np.zeros((512, 512), np.uint8)
    for top, left, rows, columns in rectangles:
        mask[top : top + rows, left : left + columns] = 255
    radius = growth(PARTS[part].dilations, height, width)
    shrinks = height <= 512 and width <= 512
    method = cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR
    whole = cv2.resize(mask, (width, height), interpolation=method).astype(np.uint8)
    if radius:
        whole = scipy.ndimage.maximum_filter(whole, 2 * radius + 1)
    expected = whole.astype(float)
    for axis in (0, 1):
        smooth = scipy.ndimage.gaussian_filter1d(expected, SIGMA * scale_of(height, width), axis=axis)
        expected = np.floor(smooth + ROUNDING)
    assert np.abs(soft_mask(mask, PARTS[part], height, width) - expected).max() <= 1


@pytest.mark.parametrize(("height", "width"), [(112, 112), (224, 224), (250, 250), (512, 512), (1024, 768), (60, 90)])
def test_soft_masks_fit_photos_of_any_size_and_keep_their_share(height, width):
    mask = np.zeros((512, 512), np.uint8)
    mask[128:384, 128:384] = 255
    soft = soft_mask(mask, PARTS["skin"], height, width)
    assert soft.shape == (height, width)
    assert soft.mean() / 255 == pytest.approx(0.25, abs=0.02)


def test_the_constants_scale_with_the_photo():
    def constants(part, height, width):
        scale = scale_of(height, width)
        return growth(PARTS[part].dilations, height, width), SIGMA * scale, box_side(STANDARD, height, width)

    assert constants("eyes", 224, 224) == (8, 5.0, 15)
    assert constants("skin", 224, 224)[0] == 0
    assert constants("eyes", 448, 448) == (16, 10.0, 29)
    assert constants("nose", 112, 448) == constants("nose", 224, 224)
