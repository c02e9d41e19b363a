"""What a study finds where the truth is known: identity lies in certain parts of faces that are drawn.

Usage: python -m benchmarks.planted_truth PHOTOS [--subjects 60] [--photos-each 3] [--draws 5] [--world NAME ...]

PHOTOS are portraits, such as those of the London set, whose faces are aligned and parsed: label maps, and with them
place, shape and size of every part, are those of real faces. All else is drawn. All photos show one smooth face,
under pixels of noise that are new in every photo; in the parts that carry identity lie further such pixels, the same
in all photos of a subject. The recogniser takes random sums of all pixels, so that no place counts more than
another.

Blur takes away pixels of both kinds: faces grow more alike the more of them is blurred, and the more of it told
people apart. How much identity a part carries is the sum of the variances of its pixels, and that is its true rank.
For each world and criterion the table has:

- tau: Kendall's tau with the truth, over the pairs of parts that truly differ: 1 if all these are in the right order,
  -1 if none is; and over how many pairs;
- the parts in the order found, each with its effect and, in brackets, the truth in per cent of the largest; a star
  after parts that may be first at 95 %.
"""

import argparse
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.machine import describe
from facepart.analysis.choices import EQUAL_AREA, IMPORTANCE, SHIFT
from facepart.analysis.design import Design
from facepart.analysis.measure import Figures, measure
from facepart.analysis.ranking import Ranked
from facepart.analysis.results import ALL_GROUPS
from facepart.arrays import align_faces, parse_faces
from facepart.data.naming_conventions import naming_rule
from facepart.data.photo_input import read_photo
from facepart.data.photos import Photo, find_photos
from facepart.files.progress import StepTimes
from facepart.networks.engine import Preprocessing
from facepart.occlusion.method import STANDARD, OcclusionMethod
from facepart.occlusion.parts import PARTS, choose_parts, part_mask
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from facepart.study.comparisons import Comparisons
from facepart.study.photo_sets import PhotoSets
from facepart.study.study_group import StudyGroup

# Side of the photos that are drawn, in pixels, and length of the embeddings.
SIDE, DIMENSION = 112, 512
# Standard deviations of the common face and of the noise, in grey levels; width of what the faces have in common, in
# pixels: more than blur takes away.
COMMON, NOISE, SMOOTH = 30.0, 8.0, 10.0
CRITERIA = (SHIFT, IMPORTANCE, EQUAL_AREA)
SEED = 3


class World(NamedTuple):
    """Where identity lies.

    Attributes:
        about: for readers.
        strengths: part -> standard deviation of the pixels that tell people apart, in grey levels. Where parts
            overlap, the first that is named counts.
    """

    about: str
    strengths: Mapping[str, float]


WORLDS = {
    "one": World("one carrier of identity: the nose", {"nose": 55.0}),
    "several": World(
        "several carriers of different strength", {"mouth": 60.0, "nose": 25.0, "brows": 22.0, "eyes": 18.0}
    ),
    "hair": World("hair alone", {"hair": 40.0}),
    "large": World("the mouth, and hair and skin that are merely large", {"mouth": 15.0}),
    "none": World("features that carry nothing: skin and hair do", {"skin": 20.0, "hair": 15.0}),
    "brows": World("brows over eyes", {"brows": 60.0, "eyes": 30.0}),
}


@dataclass
class Faces:
    """The photos of a world.

    Attributes:
        photos: name -> uint8 (SIDE, SIDE, 3).
        labels: name -> its label map, uint8 (512, 512).
        truth: part -> how much identity it carries: the sum of the variances of its pixels, the mean over photos.
    """

    photos: dict[str, NDArray[np.uint8]]
    labels: dict[str, NDArray[np.uint8]]
    truth: dict[str, float]


def draw_faces(
    world: World, maps: Sequence[NDArray[np.uint8]], subjects: int, photos: int, seed: int = SEED
) -> Faces:
    """Draw the photos of subjects, who take turns with the label maps."""
    rng = np.random.default_rng(seed)
    common = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), SMOOTH)
    common *= COMMON / common.std()
    faces, energies = Faces({}, {}, dict.fromkeys(PARTS, 0.0)), [strength_map(world, labels) for labels in maps]
    for subject in range(subjects):
        labels, strength = maps[subject % len(maps)], energies[subject % len(maps)]
        own = rng.standard_normal((SIDE, SIDE)) * strength
        for part in PARTS:
            faces.truth[part] += float((strength[shrink(part_mask(labels, PARTS[part])) > 0] ** 2).sum()) / subjects
        for photo in range(photos):
            grey = 128 + common + own + rng.standard_normal((SIDE, SIDE)) * NOISE
            name = f"{subject:03}_{photo}"
            faces.photos[name] = np.repeat(grey.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
            faces.labels[name] = labels
    return faces


def strength_map(world: World, labels: NDArray[np.uint8]) -> NDArray[np.float64]:
    """Lay out the standard deviations of the pixels that tell people apart, (SIDE, SIDE)."""
    laid = np.zeros((SIDE, SIDE))
    for part, strength in reversed([*world.strengths.items()]):
        laid[shrink(part_mask(labels, PARTS[part])) > 0] = strength
    return laid


def shrink(mask: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return a mask at the size of the photos."""
    return cv2.resize(mask, (SIDE, SIDE), interpolation=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


class DrawnEngine:
    """An engine that is known through and through."""

    device, precision, runtime = "cpu", "fp32", "numpy"
    output_shape: tuple[int, ...]
    batch = 1

    def __init__(self, side: int) -> None:
        self.preprocessing = Preprocessing(side, side)


class NoParser(DrawnEngine):
    """Label maps are those of the faces."""

    output_shape = (512, 512)

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Return label maps of nothing."""
        return np.zeros((len(photos), 512, 512), np.uint8)


class RandomSums(DrawnEngine):
    """A recogniser: random sums of all pixels."""

    output_shape = (DIMENSION,)

    def __init__(self, seed: int) -> None:
        super().__init__(SIDE)
        self.weights = np.random.default_rng(seed).standard_normal((SIDE * SIDE, DIMENSION), np.float32)

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Return the sums, float32 (n, DIMENSION)."""
        levels = photos[:, :, :, 0].reshape(len(photos), -1).astype(np.float32)  # the photos are grey
        return (levels - 128) @ self.weights


class DrawnPhotos(PhotoWorker):
    """Works on photos in memory, of known label maps."""

    def __init__(self, faces: Faces, seed: int) -> None:
        super().__init__(NetworkFiles(None, (), None, "cpu", "fp32"))
        self.faces = faces
        self.use(Networks(NoParser(512), (RandomSums(seed),), None), StepTimes(), threads=2)  # type: ignore[arg-type]

    def read(self, photo: Photo) -> NDArray[np.uint8]:
        """Return a photo."""
        return self.faces.photos[photo.name]

    def occlude(self, task: PhotoTask, face: NDArray[np.uint8], parsed: Sequence[NDArray[np.uint8]]) -> Any:
        """Occlude a photo by its own label map."""
        return super().occlude(task, face, [self.faces.labels[task.photo.name][None]])


def study(
    faces: Faces,
    draws: int,
    parts: Sequence[str] = tuple(PARTS),
    seed: int = SEED,
    *,
    method: OcclusionMethod = STANDARD,
    patches: bool = True,
    keep_only: bool = False,
) -> Figures:
    """Run a study, from photos in memory to its figures."""
    names = sorted(faces.photos)
    design = Design(
        ("drawn",),
        choose_parts(parts),
        (method,),
        draws,
        cross=False,
        groups=(ALL_GROUPS,),
        patches=patches,
        keep_only=keep_only,
    )
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        store = EmbeddingStore(folder / "embeddings", design.occlusions)
        tasks = [PhotoTask(Photo(folder / f"{name}.png", name), tuple(design.occlusions)) for name in names]
        for _, result in DrawnPhotos(faces, seed).map(tasks):
            store.add(result.record)  # type: ignore[union-attr]
        store.flush()
        rule = naming_rule("MORPH")
        sets = PhotoSets(names, rule, store, design)
        naming = {"dataset": "MORPH", "subject_pattern": None}
        comparisons = Comparisons(folder, store, {}, naming, keep_pairs=False, counter=None)
        for cell in design.cells():
            region = cell.condition.photos_of
            if sets.is_comparable(region) and sets.resolve(cell.condition) == cell.condition:
                comparisons.run(cell, sets.of(region), 1.0)
        return measure(design, {ALL_GROUPS: StudyGroup(ALL_GROUPS, sets, rule, store, folder)}, None)


def tau_with(truth: Mapping[str, float], effects: Mapping[str, float]) -> tuple[float, int]:
    """Return Kendall's tau over the pairs of parts that truly differ, and how many there are; NaN where none do."""
    pairs = [(one, other) for one, other in combinations(effects, 2) if truth[one] != truth[other]]
    right = [(truth[one] > truth[other]) == (effects[one] > effects[other]) for one, other in pairs]
    return (2 * float(np.mean(right)) - 1 if right else float("nan")), len(pairs)


def ranking_of(figures: Figures, criterion: str) -> Sequence[Ranked]:
    """Return the parts in the order of a criterion; none where it ranks no part."""
    return figures.rankings.get(criterion, {}).get(ALL_GROUPS, [])


def describe_ranking(figures: Figures, criterion: str, truth: Mapping[str, float]) -> str:
    """Put a ranking and its agreement with the truth into a line."""
    ranked = ranking_of(figures, criterion)
    tau, pairs = tau_with(truth, {each.part: each.effect.value for each in ranked})
    most = max(truth.values())
    stars = ["*" if each.may_be_first else "" for each in ranked]
    found = [
        f"{each.part} {each.effect.value:+.4f} ({100 * truth[each.part] / most:.0f}){star}"
        for each, star in zip(ranked, stars, strict=True)
    ]
    return f"  {criterion:14s} tau {tau:+.2f} of {pairs:2d} pairs: {', '.join(found)}"


def label_maps(photos: Path) -> Iterator[NDArray[np.uint8]]:
    """Align and parse the faces of a folder."""
    for photo in find_photos(photos)[0]:
        yield parse_faces(align_faces([read_photo(photo.path)]))[0]


def main() -> None:
    """Run the worlds."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", type=Path)
    parser.add_argument("--subjects", type=int, default=60)
    parser.add_argument("--photos-each", type=int, default=3)
    parser.add_argument("--draws", type=int, default=5)
    parser.add_argument("--world", nargs="*", choices=WORLDS, default=list(WORLDS))
    arguments = parser.parse_args()
    print(f"{describe()}\n{arguments.subjects} subjects of {arguments.photos_each} photos, {arguments.draws} draws")
    maps = [labels for labels, _ in zip(label_maps(arguments.photos), range(arguments.subjects), strict=False)]
    for name in arguments.world:
        faces = draw_faces(WORLDS[name], maps, arguments.subjects, arguments.photos_each)
        figures = study(faces, arguments.draws)
        print(f"{name}: {WORLDS[name].about}")
        for criterion in CRITERIA:
            print(describe_ranking(figures, criterion, faces.truth), flush=True)


if __name__ == "__main__":
    main()
