"""How much of every part an occlusion removes, against the soft mask and the parts pixel by pixel."""

import numpy as np
import pytest

from benchmarks.null_world import drawn_labels
from facepart.occlusion.method import STANDARD
from facepart.occlusion.occlude import apply_occlusions
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.overlap import removed_shares
from facepart.occlusion.parts import PARTS, part_mask
from tests.soft_masks import soft_patch


def test_the_share_is_the_mean_of_the_soft_mask_over_the_part():
    """On a photo of the label map's size, where nothing is resized."""
    labels = drawn_labels(np.random.default_rng(0))
    labels[labels == 2] = labels[labels == 3] = 1
    regions = {
        "nose": Region(PARTS["nose"]),
        "mouth_control3": Region(PARTS["mouth"], 3),
        "skin": Region(PARTS["skin"]),
    }
    softs, whole = {}, {}
    for name, region in regions.items():
        mask = region.find(labels, STANDARD).mask
        softs[name] = soft_patch(mask, region.part or PARTS[name], 512, 512)
        whole[name] = softs[name].whole(512, 512)
    found = removed_shares(labels, softs, 512, 512)
    for name, shares in found.items():
        assert shares.dtype == np.float32
        for part, share in zip(PARTS, shares, strict=True):
            pixels = whole[name][part_mask(labels, PARTS[part]) > 0]
            if part == "brows":
                assert np.isnan(share)
            else:
                assert share == pytest.approx(pixels.mean() / 255, abs=1e-5), (name, part)
    # A nose's soft mask takes the nose, a little of the mouth, and none of the hair.
    removed = dict(zip(PARTS, found["nose"].tolist(), strict=True))
    assert removed["nose"] > 0.95
    assert 0 < removed["mouth"] < 0.2
    assert removed["hair"] == 0


@pytest.mark.parametrize("size", [(112, 112), (224, 200), (700, 600)])
def test_the_size_of_the_photo_changes_little(size):
    labels = drawn_labels(np.random.default_rng(1))
    found = []
    for height, width in ((512, 512), size):
        photo = np.zeros((height, width, 3), np.uint8)
        occlusions = [Occlusion(Region(PARTS[part], draw)) for part in ("eyes", "nose") for draw in (0, 1, 2)]
        occluded = apply_occlusions(photo, labels, occlusions)
        softs = {each.name: occluded[each].soft for each in occlusions}
        found.append(removed_shares(labels, softs, height, width))
    assert list(found[0]) == list(found[1])
    for name, shares in found[0].items():
        np.testing.assert_allclose(found[1][name], shares, atol=0.05)


def test_an_empty_region_removes_nothing():
    labels = drawn_labels(np.random.default_rng(1))
    soft = soft_patch(np.zeros((512, 512), np.uint8), PARTS["nose"], 224, 224)
    np.testing.assert_array_equal(removed_shares(labels, {"nose": soft}, 224, 224)["nose"], np.zeros(len(PARTS)))
    nothing = removed_shares(np.zeros((512, 512), np.uint8), {"nose": soft}, 224, 224)["nose"]
    assert np.isnan(nothing).all()
