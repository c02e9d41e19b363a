"""A world in which every place of the face is alike: no part is worth more than another place of its size.

All faces show one stationary texture, with noise that is new in each photo; nobody has anything of his own, and the
recogniser is the cosine of the pixels. So an importance must be about 0.
"""

import cv2
import numpy as np
import pytest

from benchmarks.null_world import NullWorld, drawn_labels, soft_masks
from facepart.analysis.contrasts import contrast, pair_sums
from facepart.occlusion.method import STANDARD
from facepart.occlusion.occlude import occlude_parts
from facepart.occlusion.occlusion import Region
from facepart.occlusion.parts import find_part

pytestmark = pytest.mark.slow

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


class Photos:
    """Photos with the pixels of a person following each other, and the masks of their regions."""

    def __init__(self, label_maps, regions):
        masks = [{region: region.find(labels, STANDARD).mask for region in regions} for labels in label_maps]
        self.masks = [masks[number % len(masks)] for number in range(PEOPLE * PHOTOS)]

    def pixels(self, seed):
        """Show one texture, lose each region, and return the pixels, of length 1: region -> (photos, pixels)."""
        rng = np.random.default_rng(seed)
        texture = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), 1.2)
        texture *= 40 / texture.std()
        rows = {region: np.zeros((PEOPLE * PHOTOS, SIDE * SIDE)) for region in self.masks[0]}
        for number, masks in enumerate(self.masks):
            face = np.clip(128 + texture + rng.standard_normal((SIDE, SIDE)) * 25, 0, 255).astype(np.uint8)
            photo = np.repeat(face[:, :, None], 3, axis=2)
            for region, mask in masks.items():
                occluded = occlude_parts(photo, {region.part.name: mask})[region.part.name].photo
                row = occluded[:, :, 0].astype(np.float64).ravel() - 128
                rows[region][number] = row / np.linalg.norm(row)
        return rows


def importance_of(part, controls):
    by_person = [each.reshape(PEOPLE, PHOTOS, -1).sum(axis=1) for each in (part, *controls)]
    sums = [pair_sums(np.full(PEOPLE, PHOTOS), each) for each in by_person]
    return contrast(sums, [1, *[-1 / len(controls)] * len(controls)]).value


@pytest.mark.parametrize("faces", ["one", "many"])
def test_no_part_is_worth_more_than_another_place(faces):
    """On average over four textures: in one of them, a place is not quite like the others."""
    rng = np.random.default_rng(11)
    label_maps = [boxes()] if faces == "one" else [drawn_labels(rng) for _ in range(PEOPLE * PHOTOS)]
    photos = Photos(label_maps, [Region(find_part(part), draw) for part in PARTS for draw in range(DRAWS + 1)])
    found: dict[str, list[float]] = {part: [] for part in PARTS}
    for seed in range(4):
        pixels = photos.pixels(seed)
        for part in PARTS:
            controls = [pixels[Region(find_part(part), draw)] for draw in range(1, DRAWS + 1)]
            found[part].append(importance_of(pixels[Region(find_part(part))], controls))
    for part, importances in found.items():
        assert abs(np.mean(importances)) < 0.002, part
        assert np.abs(importances).max() < 0.005, part


def test_the_world_tells_controls_at_different_places():
    """Were each photo to lose another place, importance would be far from 0."""
    regions = [Region(find_part("nose"), draw) for draw in range(DRAWS + 1)]
    pixels = Photos([boxes()], regions).pixels(seed=2)
    drawn = np.random.default_rng(3).integers(1, DRAWS + 1, PEOPLE * PHOTOS)
    mixed = np.stack([pixels[regions[draw]][number] for number, draw in enumerate(drawn)])
    assert importance_of(pixels[regions[0]], [mixed]) > 0.008


def test_the_interval_with_the_variance_of_places_holds_the_truth():
    """Of the part's shift beyond the mean over its places; subjects alone give intervals that are far too short."""
    rng = np.random.default_rng(5)
    softs = soft_masks([drawn_labels(rng) for _ in range(40)], ["nose"])
    studies = []
    for _ in range(8):
        world = NullWorld(softs, rng)
        studies += [world.study("nose", subjects=24, draws=5) for _ in range(10)]
    held = np.mean([study.holds(study.truth) for study in studies])
    # Ten studies of one texture are wrong together: the share is known to some 0.05.
    assert held >= 0.85
    assert np.mean([study.holds(study.truth, places=False) for study in studies]) < held - 0.1
