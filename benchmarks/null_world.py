"""A world in which no part is worth more than another place of its size: how often does an importance's CI hold?

Usage: python -m benchmarks.null_world [--photos PHOTOS] [--textures N] [--studies N] [--draws N]
       [--subjects N] [--seed N]

All faces show one stationary texture, with noise that is new in each photo; nobody has anything of his own, so that
every place of the face is alike, but for what one texture happens to have in a place. The recogniser is the cosine of
the pixels. Label maps are those of PHOTOS, aligned and parsed, or else of drawn faces that differ in size, place and
features. Parts are blurred with facepart's soft masks, and controls are facepart's.

Each study draws subjects, and the draws of the controls among their places. The truth is the shift of the part minus
the mean over all its places, in a population of all label maps. Printed for each part: the mean importance; the
standard errors that subjects and places give; how often the 95 % CI holds the truth, with and without the variance of
the places; and how often it holds 0. (Of a single texture, the part's own place is another than the average of the
others: a CI for the average need not hold 0 in 95 %.)
"""

import argparse
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.analysis.contrasts import PairSums, contrast, pair_sums
from facepart.analysis.intervals import t_quantile
from facepart.analysis.place_variance import VarianceComponent, add_components, place_variance
from facepart.occlusion.method import STANDARD
from facepart.occlusion.occlusion import Region
from facepart.occlusion.parts import PARTS
from facepart.occlusion.recipe import box_side, growth, scale_of
from facepart.occlusion.soften import soften_layers

CONTROLLABLE = tuple(name for name, part in PARTS.items() if part.controllable)
# Pixels on a side of a photo, and photos of each subject.
SIDE = 56
PHOTOS_EACH = 2
# Of the texture: its grain and its deviation, and that of the noise, in pixels and grey levels.
GRAIN, CONTRAST, NOISE = 1.05, 40.0, 25.0

# An average face of the London set, aligned: class; centre, across and down; half the width and the height.
OVALS = (
    (17, 252, 220, 215, 245),
    (7, 450, 300, 22, 55),
    (8, 56, 300, 22, 55),
    (1, 252, 240, 184, 200),
    (1, 252, 330, 180, 220),
    (2, 337, 192, 60, 10),
    (3, 167, 192, 60, 10),
    (4, 334, 241, 32, 13),
    (5, 170, 241, 32, 13),
    (10, 252, 290, 48, 67),
    (12, 252, 408, 68, 13),
    (13, 252, 424, 60, 13),
)

Softs = Mapping[tuple[str, int], NDArray[np.float32]]


class Study(NamedTuple):
    """A part's importance in one study.

    Attributes:
        importance: as estimated.
        truth: in the population.
        subjects: the variance between subjects.
        places: that of the draws.
    """

    importance: float
    truth: float
    subjects: VarianceComponent
    places: VarianceComponent

    def holds(self, value: float, *, places: bool = True) -> bool:
        """Return whether the 95 % CI holds a value."""
        total = add_components([self.subjects, self.places] if places else [self.subjects])
        return abs(self.importance - value) <= t_quantile(0.975, total.degrees) * math.sqrt(total.variance)


def drawn_labels(rng: np.random.Generator) -> NDArray[np.uint8]:
    """Draw a label map of an aligned face, uint8 (512, 512); no two faces have features of one size and place."""
    labels = np.zeros((512, 512), np.uint8)
    for value, across, down, wide, high in OVALS:
        right, below = rng.normal(0, 4, 2)
        wider, higher = rng.normal(1, 0.06, 2)
        centre, axes = (round(across + right), round(down + below)), (round(wide * wider), round(high * higher))
        cv2.ellipse(labels, centre, axes, 0, 0, 360, value, cv2.FILLED)
    return labels


def soft_masks(label_maps: Sequence[NDArray[np.uint8]], parts: Sequence[str], side: int = SIDE) -> Softs:
    """Return the soft masks of each part (draw 0) and of its control at each place, float32 (n, side, side), 0..1."""
    softs: dict[tuple[str, int], NDArray[np.float32]] = {}
    for part in parts:
        for draw in range(len(PARTS[part].places) + 1):
            region, radius = Region(PARTS[part], draw), growth(PARTS[part].dilations, side, side)
            sigma = region.sigma * scale_of(side, side)
            found = [region.find(labels, STANDARD).mask for labels in label_maps]
            masks = [soften_layers([(mask, radius)], sigma, side, side).whole(side, side) for mask in found]
            softs[part, draw] = np.stack(masks).astype(np.float32) / np.float32(255)
    return softs


class NullWorld:
    """One texture, and the photos that show it."""

    def __init__(self, softs: Softs, rng: np.random.Generator) -> None:
        """Draw a texture.

        Args:
            softs: of a population of photos, :data:`PHOTOS_EACH` of each subject, one after the other.
            rng: draws it, and then the noise of photos.
        """
        self._softs, self._rng = softs, rng
        self._side = next(iter(softs.values())).shape[1]
        self._photos = len(next(iter(softs.values())))
        texture = cv2.GaussianBlur(rng.standard_normal((self._side, self._side)), (0, 0), GRAIN)
        self._texture = texture * (CONTRAST / texture.std())
        self._truths: dict[str, float] = {}
        people = np.arange(self._photos // PHOTOS_EACH)
        for part in {part for part, _ in softs}:
            means = [sums.mean for sums in self._sums(people, [key for key in softs if key[0] == part])]
            self._truths[part] = means[0] - float(np.mean(means[1:]))

    def study(self, part: str, subjects: int, draws: int) -> Study:
        """Draw subjects and places, and estimate a part's importance."""
        people = self._rng.integers(0, self._photos // PHOTOS_EACH, subjects)
        places = len(PARTS[part].places)
        drawn = self._rng.permutation(places)[:draws] + 1
        own, *controls = self._sums(people, [(part, 0), *((part, int(draw)) for draw in drawn)])
        importance = contrast([own, *controls], [1, *[-1 / draws] * draws])
        between = float(np.square(importance.by_subject).sum()) * (subjects - 1) / subjects
        return Study(
            importance.value,
            self._truths[part],
            VarianceComponent(between - importance.double_counted, subjects - 1),
            # The baseline's mean is the same in all shifts.
            place_variance([each.mean for each in controls]),
        )

    def _sums(self, people: NDArray[np.int64], regions: Sequence[tuple[str, int]]) -> list[PairSums]:
        """Photograph people, who may come several times, and return their summed embeddings with each region lost."""
        photos = (people[:, None] * PHOTOS_EACH + np.arange(PHOTOS_EACH)).ravel()
        noise = self._rng.standard_normal((len(photos), self._side, self._side), np.float32) * NOISE
        faces = np.clip(128 + self._texture + noise, 0, 255).astype(np.uint8)
        box = box_side(STANDARD, self._side, self._side)
        blurred = np.stack([cv2.blur(face, (box, box)) for face in faces]).astype(np.float32)
        whole = faces.astype(np.float32) - 128
        change = blurred - 128 - whole
        sums = []
        for region in regions:
            rows = (whole + change * self._softs[region][photos]).reshape(len(photos), -1)
            rows /= np.sqrt(np.einsum("ij,ij->i", rows, rows))[:, None]
            vectors = rows.reshape(len(people), PHOTOS_EACH, -1).sum(axis=1).astype(np.float64)
            sums.append(pair_sums(np.full(len(people), PHOTOS_EACH), vectors))
        return sums


def main() -> None:
    """Print how often CIs hold."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--photos", type=Path)
    parser.add_argument("--textures", type=int, default=50)
    parser.add_argument("--studies", type=int, default=8)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--subjects", type=int, default=30)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    rng = np.random.default_rng(options.seed)
    if options.photos:
        from benchmarks.control_places import read_label_maps
        from facepart.data.photos import find_photos

        label_maps = read_label_maps([photo.path for photo in find_photos(options.photos)[0]])
    else:
        label_maps = [drawn_labels(rng) for _ in range(100)]
    softs = soft_masks(label_maps[: len(label_maps) // PHOTOS_EACH * PHOTOS_EACH], CONTROLLABLE)
    found: dict[str, list[Study]] = {part: [] for part in CONTROLLABLE}
    for _ in range(options.textures):
        world = NullWorld(softs, rng)
        for part in CONTROLLABLE:
            found[part] += [world.study(part, options.subjects, options.draws) for _ in range(options.studies)]
    print(f"{options.textures} textures, {options.studies} studies of each, {options.draws} draws")
    for part, studies in found.items():
        importance = np.array([study.importance for study in studies])
        components = [[each.subjects for each in studies], [each.places for each in studies]]
        errors = [np.sqrt(np.mean([each.variance for each in component])) for component in components]
        print(
            f"{part:10s} importance {importance.mean():+.5f}, deviation {importance.std():.5f}; standard error from "
            f"subjects {errors[0]:.5f}, places {errors[1]:.5f}; holds the truth "
            f"{np.mean([study.holds(study.truth) for study in studies]):.3f} (without the places' variance "
            f"{np.mean([study.holds(study.truth, places=False) for study in studies]):.3f}), 0 "
            f"{np.mean([study.holds(0.0) for study in studies]):.3f}"
        )


if __name__ == "__main__":
    main()
