"""Find places for the control regions of parts, and measure how well those in the table fit.

Usage: python -m benchmarks.control_places PHOTOS [--step N]

PHOTOS are faces from the front, which are aligned and parsed (the London set gave the table of parts). For each part,
it prints places as far apart as twelve can be, of those that fit on 85 % of the photos, in random order. Then, for
the places in the table: on which share of the photos the shape fits there; and how far the control regions of all
photos lie from there, relative to the part, in pixels of a photo of 224x224. ``--step 3`` takes every third photo.
"""

import argparse
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.arrays import align_faces, parse_faces
from facepart.data.photo_input import read_photo
from facepart.data.photos import find_photos
from facepart.errors import FacepartError
from facepart.networks.label_map import SIZE
from facepart.occlusion.control import STEP, Room, control_mask
from facepart.occlusion.parts import PARTS, part_mask
from facepart.occlusion.recipe import REFERENCE

PLACES = 12
LEAST_SHARE = 0.85
# Of places, in pixels of the label map.
FARTHEST = 80

# From -SIZE to SIZE, in steps.
GRID = STEP * np.arange(-SIZE // STEP, SIZE // STEP + 1)


def fitting(labels: NDArray[np.uint8], part: str) -> NDArray[np.bool_]:
    """Return at which displacements on the grid a part's shape fits, bool (down, right)."""
    found = np.zeros((len(GRID), len(GRID)), bool)
    mask = part_mask(labels, PARTS[part])
    if not mask.any():
        return found
    left, top, columns, rows = cv2.boundingRect(mask)
    room = Room(labels, PARTS[part])
    for row, down in enumerate(GRID.tolist()):
        for column, right in enumerate(GRID.tolist()):
            if 0 <= top + down <= SIZE - rows and 0 <= left + right <= SIZE - columns:
                found[row, column] = room.fits(top + down, left + right)
    return found


def spread_places(shares: NDArray[np.float64], seed: int) -> list[tuple[int, int]]:
    """Choose places that fit on enough photos, as far apart as so many can be in random order."""
    candidates = np.stack([GRID[each] for each in np.nonzero(shares >= LEAST_SHARE)], axis=1)
    chosen: list[NDArray[np.int64]] = []
    for distance in range(FARTHEST, 0, -STEP):
        chosen = []
        for candidate in np.random.default_rng(seed).permutation(candidates):
            if all(np.hypot(*(candidate - other)) >= distance for other in chosen):
                chosen.append(candidate)
        if len(chosen) >= PLACES:
            break
    order = np.random.default_rng(seed).permutation(len(chosen))[:PLACES]
    return [(int(chosen[place][0]), int(chosen[place][1])) for place in order]


def moved_by(labels: NDArray[np.uint8], part: str, draw: int) -> NDArray[np.float64] | None:
    """Return how far a control region is from its place in the table, in pixels of the label map."""
    control = control_mask(labels, PARTS[part], draw)
    if not control.kind:
        return None
    corners = [np.array(cv2.boundingRect(mask)[1::-1]) for mask in (control.mask, part_mask(labels, PARTS[part]))]
    moved: NDArray[np.float64] = (corners[0] - corners[1] - np.array(PARTS[part].places[draw - 1])).astype(np.float64)
    return moved


def read_label_maps(paths: Sequence[Path]) -> list[NDArray[np.uint8]]:
    """Align and parse photos; those without a face are left out."""
    labels = []
    for path in paths:
        try:
            labels += list(parse_faces(align_faces([read_photo(path)])))
        except FacepartError as error:
            print(f"{path}: {error}")
    return labels


def main() -> None:
    """Print places, and how well those of the table fit."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("photos", type=Path)
    parser.add_argument("--step", type=int, default=1)
    options = parser.parse_args()
    photos, _ = find_photos(options.photos)
    label_maps = read_label_maps([photo.path for photo in photos[:: options.step]])
    parts = [name for name, part in PARTS.items() if part.controllable]
    for number, part in enumerate(parts):
        found = [labels for labels in label_maps if part_mask(labels, PARTS[part]).any()]
        shares = np.mean([fitting(labels, part) for labels in found], axis=0)
        print(f"{part}: {spread_places(shares, number)}")
    for part in parts:
        found = [labels for labels in label_maps if part_mask(labels, PARTS[part]).any()]
        at_place, distances = [], []
        for draw in range(1, len(PARTS[part].places) + 1):
            moved = [moved_by(labels, part, draw) for labels in found]
            apart = np.array([np.hypot(*each) for each in moved if each is not None]) * REFERENCE / SIZE
            at_place.append(float(np.mean(apart == 0)))
            distances.append(apart)
        apart = np.concatenate(distances)
        without = len(found) - len(distances[0])
        print(
            f"{part}: {len(found)} photos, {without} without a control; at its place {np.mean(apart == 0):.1%} "
            f"(by place {' '.join(f'{share:.0%}' for share in at_place)}); apart in pixels: median "
            f"{np.median(apart):.1f}, 90 % {np.quantile(apart, 0.9):.1f}, 95 % {np.quantile(apart, 0.95):.1f}, "
            f"most {apart.max():.1f}"
        )


if __name__ == "__main__":
    main()
