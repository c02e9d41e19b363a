"""A planted truth: faces on which one region alone tells people apart, and a recogniser that is known through and
through. The whole study runs on them but for the two networks, and has to find that region.

All photos show one face, under pixels of noise that are new in every photo. In a person's hair lie further such
pixels, the same in all of the person's photos. The recogniser takes random sums of pixels, so that no place counts
more than another. Blur takes the noise away wherever it is: faces grow more alike the more of them is blurred, and a
part that is merely large seems important.

Identity lies in the hair because controls of the other parts, which keep to the face, then never take it away. (Where
they do, the other parts are worth less than an average place of their size, and their importance is below zero.)
"""

from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.analysis.design import Design
from facepart.analysis.intervals import Interval
from facepart.analysis.measure import Figures, measure
from facepart.analysis.ranking import IMPORTANCE, SHIFT
from facepart.analysis.results import ALL_GROUPS, WITHIN, PartResult
from facepart.data.naming import DEFAULT_DATASET, naming_rule
from facepart.data.photos import Photo
from facepart.files.progress import StepTimes
from facepart.networks.engine import Preprocessing
from facepart.occlusion.control import MOVED
from facepart.occlusion.method import STANDARD
from facepart.pipeline.embedding_store import EmbeddingStore
from facepart.pipeline.network_files import NetworkFiles, Networks
from facepart.pipeline.worker import PhotoTask, PhotoWorker
from facepart.study.comparisons import Comparisons
from facepart.study.groups import StudyGroup

PEOPLE, PHOTOS, SIDE, DRAWS = 40, 3, 128, 2
PARTS = ("eyes", "nose", "mouth", "hair")
# Standard deviations of the pixels, in grey levels.
NOISE, IDENTITY = 30.0, 44.0
# In pixels of the photo. The softened controls of other parts end 13 pixels above the face, which begins at row 42.
IDENTITY_PLACE = slice(14, 28), slice(40, 88)


def draw_labels(large: bool) -> NDArray[np.uint8]:
    """Draw a label map; with a mouth like the others, or a large one."""
    labels = np.zeros((SIDE, SIDE), np.uint8)
    labels[42:118, 14:114] = 1
    labels[14:42, 40:88] = 17
    labels[52:58, 30:46], labels[52:58, 82:98] = 4, 5
    labels[64:78, 57:71] = 10
    if large:
        labels[89:117, 16:112] = 12
    else:
        labels[98:106, 46:82] = 12
    return cv2.resize(labels, (512, 512), interpolation=cv2.INTER_NEAREST).astype(np.uint8)


class Drawn:
    """An engine that knows its answer."""

    device, precision, runtime = "cpu", "fp32", "numpy"
    output_shape: tuple[int, ...]

    def __init__(self, side: int) -> None:
        self.preprocessing = Preprocessing(side, side)


class Parser(Drawn):
    def __init__(self, labels: NDArray[np.uint8]) -> None:
        super().__init__(512)
        self.labels, self.output_shape = labels, labels.shape

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        return np.repeat(self.labels[None], len(photos), axis=0)


class Recogniser(Drawn):
    """Random sums of all pixels."""

    def __init__(self, seed: int) -> None:
        super().__init__(SIDE)
        self.output_shape = (64,)
        self.weights = np.random.default_rng(seed).standard_normal((SIDE * SIDE, 64), np.float32)

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        levels = photos[:, :, :, 0].reshape(len(photos), -1).astype(np.float32)  # the photos are grey
        return (levels - 128) @ self.weights


def draw_photos(identity: float, seed: int) -> dict[str, NDArray[np.uint8]]:
    """Draw the photos of all people, name -> uint8 (h, w, 3)."""
    rng = np.random.default_rng(seed)
    common = cv2.GaussianBlur(rng.standard_normal((SIDE, SIDE)), (0, 0), 12)
    common *= NOISE / common.std()
    photos = {}
    for person in range(PEOPLE):
        texture = rng.standard_normal(common[IDENTITY_PLACE].shape) * identity
        for photo in range(PHOTOS):
            face = 128 + common + rng.standard_normal(common.shape) * NOISE
            face[IDENTITY_PLACE] += texture
            photos[f"{person:03}_{photo}"] = np.repeat(face.clip(0, 255).astype(np.uint8)[:, :, None], 3, axis=2)
    return photos


class PaintedPhotos(PhotoWorker):
    """Works on photos in memory, by networks that are drawn."""

    def __init__(self, pictures: dict[str, NDArray[np.uint8]], parser: Parser, recogniser: Recogniser) -> None:
        super().__init__(NetworkFiles(None, None, None, "cpu", "fp32"))
        self.pictures = pictures
        self.use(Networks(parser, recogniser, None), StepTimes(), threads=2)

    def read(self, photo: Photo) -> NDArray[np.uint8]:
        return self.pictures[photo.name]


def study(
    folder: Path, identity: float, large: bool, parts: tuple[str, ...] = PARTS, seed: int = 3
) -> tuple[Figures, Figures]:
    """Run a study with these networks, from photos in memory to its figures: with the control, and without."""
    pictures = draw_photos(identity, seed)
    names = sorted(pictures)
    controlled, uncontrolled = (
        Design(("drawn",), parts, (STANDARD,), draws, cross=False, groups=(ALL_GROUPS,)) for draws in (DRAWS, 0)
    )
    store = EmbeddingStore(folder / "embeddings", controlled.occlusions)
    worker = PaintedPhotos(pictures, Parser(draw_labels(large)), Recogniser(seed))
    photos = [Photo(folder / f"{name}.png", name) for name in names]
    for _, result in worker.map([PhotoTask(photo, tuple(controlled.occlusions)) for photo in photos]):
        store.add(result.record)  # type: ignore[union-attr]
    store.flush()
    naming = {"dataset": DEFAULT_DATASET, "subject_pattern": None}
    comparisons = Comparisons(folder, store, {}, naming, keep_pairs=False, counter=None)
    for cell in controlled.cells():
        comparisons.run(cell, names, 1.0)
    group = StudyGroup(ALL_GROUPS, names, naming_rule(DEFAULT_DATASET), store, folder)
    return measure(controlled, {ALL_GROUPS: group}, None), measure(uncontrolled, {ALL_GROUPS: group}, None)


def rows_of(figures: Figures) -> dict[str, PartResult]:
    return {row.part: row for row in figures.results if row.comparison == WITHIN}


def holds_zero(found: Interval) -> bool:
    return found.low <= 0 <= found.high


def check_planted(figures: Figures) -> None:
    """The hair comes first, surely, and nothing else is worth anything."""
    assert figures.ranked_by == IMPORTANCE
    first, *others = figures.rankings[ALL_GROUPS]
    assert first.part == "hair"
    assert first.effect.low > 0
    assert first.ranked_first > 0.95
    assert not first.tied
    assert {each.part: holds_zero(each.effect) for each in others} == dict.fromkeys(set(PARTS) - {"hair"}, True)
    assert all(row.control == MOVED for row in rows_of(figures).values())


def test_the_part_that_alone_carries_identity_is_named_first(tmp_path: Path) -> None:
    controlled, _ = study(tmp_path, IDENTITY, large=False)
    check_planted(controlled)
    # It is as planned: authentic scores are higher than impostor scores until the hair is lost, and only then.
    for part, row in rows_of(controlled).items():
        assert row.d_prime_baseline.low > 0.2
        assert row.d_prime.low > 0.2 if part != "hair" else row.d_prime.value < 0.1, part


def test_a_large_part_fools_the_ranking_by_shifts_and_not_the_one_with_the_control(tmp_path: Path) -> None:
    controlled, uncontrolled = study(tmp_path, IDENTITY, large=True)
    assert uncontrolled.ranked_by == SHIFT
    fooled = uncontrolled.rankings[ALL_GROUPS][0]
    assert fooled.part == "mouth"
    assert fooled.effect.low > 0
    assert fooled.ranked_first > 0.95
    assert not fooled.tied
    check_planted(controlled)


def test_without_identity_no_part_matters_whatever_its_size(tmp_path: Path) -> None:
    controlled, uncontrolled = study(tmp_path, 0.0, large=True, parts=("mouth", "hair"))
    assert all(holds_zero(each.effect) for each in controlled.rankings[ALL_GROUPS])
    assert all(each.effect.low > 0 for each in uncontrolled.rankings[ALL_GROUPS])
