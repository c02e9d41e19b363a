"""Equal-area patches: as many pixels in every part, at one place of it, and as much of the photo."""

import numpy as np
import pytest
import scipy.ndimage

from benchmarks.null_world import drawn_labels
from facepart.arrays import align_faces, parse_faces
from facepart.data.photo_input import read_photo
from facepart.errors import UsageError
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlude import apply_occlusions
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import PARTS, part_mask
from facepart.occlusion.patch import PIXELS, patch_mask

PATCHES = {part: Occlusion(Region(PARTS[part], patch=True)) for part in PARTS}


def patch_by_sorting(labels, part):
    """The same by SciPy's distance transform and Python's sort of all pixels."""
    mask = part_mask(labels, PARTS[part]) > 0
    depth = scipy.ndimage.distance_transform_edt(np.pad(mask, 1))[1:-1, 1:-1]
    pixels = np.argwhere(mask)
    middle = pixels[:, 1].mean()
    chosen = np.zeros((512, 512), bool)
    for half in (pixels[pixels[:, 1] < middle], pixels[pixels[:, 1] >= middle]):
        if len(half) < PIXELS / 2:
            return np.zeros((512, 512), bool)
        centre = half.mean(axis=0)
        order = sorted(map(tuple, half), key=lambda at: (-min(depth[at], 6), np.square(at - centre).sum(), at))
        for at in order[: PIXELS // 2]:
            chosen[at] = True
    return chosen


@pytest.mark.parametrize("part", PARTS)
def test_a_patch_is_deep_in_the_part_and_near_its_middle(part):
    labels = drawn_labels(np.random.default_rng(4))
    patch = patch_mask(labels, PARTS[part])
    assert set(np.unique(patch)) == {0, 255}
    assert np.count_nonzero(patch) == PIXELS
    assert np.all(part_mask(labels, PARTS[part])[patch > 0])
    expected = patch_by_sorting(labels, part)
    # Distances of two libraries differ in their last digits, which may swap pixels that are equally good.
    assert np.count_nonzero((patch > 0) != expected) <= 0.01 * PIXELS


def test_half_of_a_patch_lies_in_each_eye():
    labels = drawn_labels(np.random.default_rng(4))
    for part in ("eyes", "brows"):
        left, right = PARTS[part].classes
        patch = patch_mask(labels, PARTS[part]) > 0
        assert np.count_nonzero(labels[patch] == left) == PIXELS // 2
        assert np.count_nonzero(labels[patch] == right) == PIXELS // 2


def test_a_part_too_small_for_a_patch_has_none():
    labels = np.zeros((512, 512), np.uint8)
    labels[100:120, 100:115] = 4
    labels[100:120, 300:315] = 5
    assert np.count_nonzero(patch_mask(labels, PARTS["eyes"])) == PIXELS
    labels[110, 110] = 1
    assert not patch_mask(labels, PARTS["eyes"]).any()
    assert not patch_mask(labels, PARTS["nose"]).any()
    # Enough in both together, and not in one.
    labels[100:140, 300:315] = 5
    labels[100, 100:114] = 1
    assert not patch_mask(labels, PARTS["eyes"]).any()


@pytest.mark.parametrize("part", PARTS)
def test_a_patch_moves_with_the_part(part):
    labels = drawn_labels(np.random.default_rng(5))
    moved = scipy.ndimage.shift(labels, (-7, 9), order=0)
    if part not in ("hair", "skin"):  # whose borders the frame cuts
        np.testing.assert_array_equal(
            patch_mask(moved, PARTS[part]), scipy.ndimage.shift(patch_mask(labels, PARTS[part]), (-7, 9), order=0)
        )


@pytest.mark.parametrize("size", [(112, 112), (224, 224), (300, 250)])
def test_patches_of_all_parts_replace_as_much_of_a_photo(size):
    rng = np.random.default_rng(6)
    photo = rng.integers(0, 256, (*size, 3)).astype(np.uint8)
    shares = []
    for _ in range(5):
        occluded = apply_occlusions(photo, drawn_labels(rng), PATCHES.values())
        shares.append([occluded[patch].share for patch in PATCHES.values()])
        for patch in PATCHES.values():
            assert occluded[patch].control == ""
            changed = np.any(occluded[patch].photo != photo, axis=2)
            assert changed.any()
            assert not np.any(changed & (occluded[patch].soft.whole(*size) == 0))
    assert np.max(shares) / np.min(shares) < 1.05
    # Nearly all of 600 pixels of a label map; a Gaussian of 8-bit values drops fractions.
    assert np.mean(shares) == pytest.approx(PIXELS / 512**2, rel=0.06)


def test_names_and_recipes():
    assert PATCHES["nose"].name == "nose_patch"
    assert (
        Occlusion(Region(PARTS["eyes"], patch=True), OcclusionMethod("grey", dilation=2)).name
        == "eyes_patch_grey-dilation-2"
    )
    recipes = {part: patch.recipe() for part, patch in PATCHES.items()}
    assert recipes["nose"]["patch"]["pixels"] == PIXELS
    # The soft border is the same for all parts.
    constants = [(each["dilations_5x5"], each["mask_sigma"], each["box"]) for each in recipes.values()]
    assert constants == [(0, 2.0, 15)] * len(PARTS)
    assert recipes["nose"] != Occlusion(Region(PARTS["nose"])).recipe()
    with pytest.raises(UsageError, match="patches have no control"):
        Region(PARTS["nose"], 1, patch=True)


def test_patches_of_real_faces(shared, bisenet_weights):
    """London, aligned: every part but a bald head's hair has its patch, of one share, at one place of the part."""
    paths = sorted((shared / "data" / "london" / "images").glob("*.jpg"))[::17]
    crops = align_faces([read_photo(path) for path in paths])
    label_maps = parse_faces(crops, model=str(bisenet_weights))
    shares = []
    for part in ("eyes", "brows", "nose", "mouth", "skin"):
        places = []
        for crop, labels in zip(crops, label_maps, strict=True):
            occluded = apply_occlusions(crop, labels, [PATCHES[part]])[PATCHES[part]]
            assert np.count_nonzero(occluded.mask) == PIXELS, part
            shares.append(occluded.share)
            places.append(
                np.argwhere(occluded.mask).mean(axis=0) - np.argwhere(part_mask(labels, PARTS[part])).mean(axis=0)
            )
        apart = np.linalg.norm(np.array(places) - np.median(places, axis=0), axis=1) * 224 / 512
        assert np.median(apart) < 4, part
    assert np.max(shares) / np.min(shares) < 1.06
