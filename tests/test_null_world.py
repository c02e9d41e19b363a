"""A world in which every place of the face is alike: no part is worth more than another place of its size.

All faces show one stationary texture, with noise that is new in each photo; nobody has anything of his own, and the
recogniser is the cosine of the pixels. So an importance must be about 0.
"""

import cv2
import numpy as np
import pytest

from benchmarks.null_world import NullWorld, drawn_labels, soft_masks
from facepart.analysis.contrasts import contrast, pair_sums
from facepart.occlusion.occlude import apply_occlusions
from facepart.occlusion.occlusion import Occlusion, Region

SIDE, PEOPLE, PHOTOS, DRAWS = 128, 24, 2, 5
PARTS = ("eyes", "brows", "nose", "mouth")


def boxes():
    """A label map of rectangles; the same face in all photos."""
    small = np.zeros((128, 128), np.uint8)
    small[4:124, 14:114] = 1
    small[38:42, 30:52], small[38:42, 76:98] = 2, 3
    small[50:58, 30:50], small[50:58, 78:98] = 4, 5
    small[64:84, 54:74], small[98:108, 44:84] = 10, 12
    return cv2.resize(small, (512, 512), interpolation=cv2.INTER_NEAREST)


def occluded_pixels(label_maps, occlusions, seed):
    """The pixels of all photos, of length 1: occlusion -> (photos, pixels); a person's follow each other."""
    rng = np.random.default_rng(seed)
    common = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), 1.2)
    common *= 40 / common.std()
    rows = {occlusion: np.zeros((PEOPLE * PHOTOS, SIDE * SIDE)) for occlusion in occlusions}
    for number in range(PEOPLE * PHOTOS):
        face = np.clip(128 + common + rng.standard_normal((SIDE, SIDE)) * 25, 0, 255).astype(np.uint8)
        photo = np.repeat(face[:, :, None], 3, axis=2)
        occluded = apply_occlusions(photo, label_maps[number % len(label_maps)], occlusions)
        for occlusion in occlusions:
            row = occluded[occlusion].photo[:, :, 0].astype(np.float64).ravel() - 128
            rows[occlusion][number] = row / np.linalg.norm(row)
    return rows


def importance_of(part, controls):
    by_person = [each.reshape(PEOPLE, PHOTOS, -1).sum(axis=1) for each in (part, *controls)]
    sums = [pair_sums(np.full(PEOPLE, PHOTOS), each) for each in by_person]
    return contrast(sums, [1, *[-1 / len(controls)] * len(controls)]).value


@pytest.mark.parametrize("faces", ["one", "many"])
def test_no_part_is_worth_more_than_another_place(faces):
    rng = np.random.default_rng(11)
    label_maps = [boxes()] if faces == "one" else [drawn_labels(rng) for _ in range(PEOPLE * PHOTOS)]
    occlusions = [Occlusion(Region(part, draw)) for part in PARTS for draw in range(DRAWS + 1)]
    pixels = occluded_pixels(label_maps, occlusions, seed=1)
    for part in PARTS:
        controls = [pixels[Occlusion(Region(part, draw))] for draw in range(1, DRAWS + 1)]
        assert abs(importance_of(pixels[Occlusion(Region(part))], controls)) < 0.002, part


def test_the_world_tells_controls_at_different_places():
    """Were each photo to lose another place, importance would be far from 0."""
    occlusions = [Occlusion(Region("nose", draw)) for draw in range(DRAWS + 1)]
    pixels = occluded_pixels([boxes()], occlusions, seed=2)
    drawn = np.random.default_rng(3).integers(1, DRAWS + 1, PEOPLE * PHOTOS)
    mixed = np.stack([pixels[occlusions[draw]][number] for number, draw in enumerate(drawn)])
    assert importance_of(pixels[occlusions[0]], [mixed]) > 0.008


def test_the_interval_with_the_variance_of_places_holds_the_truth():
    """Of the part's shift beyond the mean over its places; subjects alone give intervals that are far too short."""
    rng = np.random.default_rng(5)
    softs = soft_masks([drawn_labels(rng) for _ in range(40)], ["nose"])
    studies = []
    for _ in range(8):
        world = NullWorld(softs, rng)
        studies += [world.study("nose", subjects=24, draws=5) for _ in range(10)]
    held = np.mean([study.holds(study.truth) for study in studies])
    assert held >= 0.88
    assert np.mean([study.holds(study.truth, places=False) for study in studies]) < held - 0.1
