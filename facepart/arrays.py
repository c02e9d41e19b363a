"""The stages as functions of arrays, for notebooks and programs of your own; nothing is read or written.

Photos are uint8 (h, w, 3), RGB. A network is found or fetched, and compiled, when it is first used, and kept for the
next call.
"""

from collections.abc import Hashable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.analysis.metrics.error_rates import error_rates
from facepart.analysis.metrics.tally import Scores
from facepart.counts import count_of
from facepart.data.photo_input import PhotoError
from facepart.data.resize import resize
from facepart.errors import FacepartError
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces, number
from facepart.networks.alignment import align_photo, cut_to_template, find_landmarks
from facepart.networks.catalogue import DEFAULT_PARSER, DETECTOR, choose_recogniser, obtain
from facepart.networks.embedding import unit_embedding, views
from facepart.networks.engine import Engine
from facepart.networks.face_detector import FaceDetector
from facepart.networks.face_parser import fit_photo, open_parser
from facepart.networks.label_map import SIZE
from facepart.networks.recogniser import open_recogniser
from facepart.occlusion.landmarks import Landmarks
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlude import apply_occlusions
from facepart.occlusion.occlusion import Occlusion, Region
from facepart.occlusion.parts import find_part
from facepart.pipeline.batches import DEFAULT_BATCH
from facepart.processors import processors
from facepart.scores import GroupScores

Photos = Sequence[NDArray[np.uint8]] | NDArray[np.uint8]


class RocCurve(NamedTuple):
    """A ROC curve, (k,) each: thresholds ascending, the last one infinite.

    Attributes:
        thresholds: the scores that occur, and infinity.
        fmr: the false match rate at each, falling from 1 to 0.
        tmr: the true match rate at each, 1 - FNMR (ISO/IEC 19795-1).
    """

    thresholds: NDArray[np.float64]
    fmr: NDArray[np.float64]
    tmr: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"RocCurve({len(self.thresholds)} points)"


def parse_faces(
    photos: Photos, *, model: str = DEFAULT_PARSER, device: str = "auto", precision: str = "auto"
) -> NDArray[np.uint8]:
    """Segment faces.

    Args:
        photos: uint8 (h, w, 3) each, RGB; aligned crops, of any size.
        model: a parser of the model list, or a path.
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:<number>``.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.

    Returns:
        uint8 (n, 512, 512): the class of each pixel, 0 to 18 (:data:`facepart.networks.label_map.CLASSES`).

    Raises:
        FacepartError: something is not a photo, or the network cannot be had. UsageError: the device or the precision
            is unknown or not available.
    """
    checked = [_checked_photo(photo, place) for place, photo in enumerate(photos)]
    parser = _parser(model, device, precision)
    found = [
        parser(np.stack([fit_photo(photo) for photo in checked[first : first + DEFAULT_BATCH]]))
        for first in range(0, len(checked), DEFAULT_BATCH)
    ]
    return np.concatenate([np.empty((0, SIZE, SIZE), np.uint8), *found])


def align_faces(photos: Photos, *, size: int = 224) -> NDArray[np.uint8]:
    """Find the face on each photo, and warp it to ArcFace's template.

    Args:
        photos: uint8 (h, w, 3) each, RGB.
        size: pixels on a side of the crops.

    Returns:
        uint8 (n, size, size, 3).

    Raises:
        FacepartError: something is not a photo, or shows no face.
    """
    detector = FaceDetector(obtain(DETECTOR, "detector").path)
    crops = []
    for place, photo in enumerate(photos):
        try:
            crops.append(align_photo(_checked_photo(photo, place), detector, size))
        except FacepartError as error:
            raise FacepartError(f"photo {place}: {error}") from error
    return np.stack(crops) if crops else np.empty((0, size, size, 3), np.uint8)


def occlude(
    photo: NDArray[np.uint8], labels: NDArray[np.uint8], part: str, method: str = "blur"
) -> NDArray[np.uint8]:
    """Occlude one part of a face.

    Args:
        photo: uint8 (h, w, 3), RGB.
        labels: its label map, uint8 (512, 512), of :func:`parse_faces`.
        part: a built-in part (:data:`facepart.occlusion.parts.BUILT_IN`), or a union such as ``eyes+nose``; the
            landmarks of a periocular region are found by the face detector.
        method: blur, mean, grey, noise, pixelate or inpaint.

    Returns:
        uint8 (h, w, 3); equal to `photo` where the part was not detected.

    Raises:
        FacepartError: the arrays are not of these shapes, or the detector cannot be had. UsageError: an unknown part
            or method.
    """
    occlusion = Occlusion(Region(find_part(part)), OcclusionMethod(method))
    if labels.shape != (SIZE, SIZE) or labels.dtype != np.uint8:
        raise FacepartError(f"a label map is uint8 ({SIZE}, {SIZE}), not {labels.dtype} {labels.shape}")
    checked = _checked_photo(photo, 0)
    landmarks = _landmarks(checked) if occlusion.region.needs_landmarks else None
    return apply_occlusions(checked, labels, [occlusion], landmarks)[occlusion].photo


def embed_faces(
    faces: Photos,
    *,
    model: str | None = None,
    flip: bool = False,
    device: str = "auto",
    precision: str = "auto",
) -> NDArray[np.float32]:
    """Embed aligned faces.

    Args:
        faces: uint8 (h, w, 3) each, RGB; aligned crops, of any size. Networks that take 112 rows and 96 columns get
            the middle columns of square crops.
        model: a recogniser of the model list, or a path; None for the default.
        flip: sum the embeddings of the face and of its mirror image.
        device: see :func:`parse_faces`; likewise `precision`.
        precision: see there.

    Returns:
        float32 (n, d), rows of length 1.

    Raises:
        FacepartError: something is not a photo, the network cannot be had, or an embedding is not finite.
        UsageError: the device or the precision is unknown or not available.
    """
    recogniser = _recogniser(model, device, precision)
    height, width = recogniser.preprocessing.height, recogniser.preprocessing.width
    rows: list[NDArray[np.float32]] = []
    for place, face in enumerate(faces):
        crop = _checked_photo(face, place)
        if crop.shape[0] == crop.shape[1]:
            crop = cut_to_template(crop, height, width)
        outputs = recogniser(views(resize(crop, height, width), flip))
        try:
            rows.append(unit_embedding(outputs))
        except PhotoError as error:
            raise FacepartError(f"photo {place}: {error}") from error
    return np.stack(rows) if rows else np.empty((0, int(np.prod(recogniser.output_shape))), np.float32)


def match(
    embeddings: ArrayLike,
    subjects: Sequence[Hashable] | NDArray[Any],
    gallery: ArrayLike | None = None,
    gallery_subjects: Sequence[Hashable] | NDArray[Any] | None = None,
) -> GroupScores:
    """Compare everyone with everyone.

    Args:
        embeddings: real (n, d); rows of any length but 0, which are scaled to length 1.
        subjects: (n,), who each row is: text or numbers.
        gallery: real (m, d), what the embeddings are compared with; None compares them with each other, each pair
            once.
        gallery_subjects: (m,), who each row of the gallery is.

    Returns:
        The authentic and the impostor scores, cosines rounded to 6 decimals, as distributions.

    Raises:
        FacepartError: the arrays do not go together, or a row is not finite or all zero.

    Example:
        >>> match([[1, 0], [2, 0], [0, 3]], ["ann", "ann", "bob"])
        GroupScores(authentic=ScoreDistribution(n=1, mean=1.0), impostor=ScoreDistribution(n=2, mean=0.0))
    """
    known: dict[Hashable, int] = {}
    probe = _faces(embeddings, subjects, known, 0, "embeddings")
    other = None
    if gallery is not None or gallery_subjects is not None:
        if gallery is None or gallery_subjects is None:
            raise FacepartError("a gallery needs both its embeddings and its subjects")
        other = _faces(gallery, gallery_subjects, known, len(probe.subjects), "gallery")
        if other.embeddings.shape[1] != probe.embeddings.shape[1]:
            raise FacepartError(
                f"embeddings have {count_of(probe.embeddings.shape[1], 'value')} and the gallery's "
                f"{other.embeddings.shape[1]}: they are of two networks"
            )
    return count_scores(probe, other, workers=processors())


def roc(authentic: Scores, impostor: Scores) -> RocCurve:
    """Compute all points of the ROC curve.

    Args:
        authentic: a vector of scores, or a distribution.
        impostor: likewise.

    Raises:
        FacepartError: there are no scores, or they are not finite numbers.

    Example:
        >>> curve = roc([0.5, 0.75], [0.25, 0.5])
        >>> curve.fmr.tolist(), curve.tmr.tolist()
        ([1.0, 0.5, 0.0, 0.0], [1.0, 1.0, 0.5, 0.0])
    """
    rates = error_rates(authentic, impostor)
    return RocCurve(rates.thresholds, rates.fmr, 1 - rates.fnmr)


@lru_cache(maxsize=2)
def _parser(model: str, device: str, precision: str) -> Engine:
    weights = obtain(model, "parser")
    return open_parser(weights.path, device, precision, weights.compiled)


@lru_cache(maxsize=4)
def _recogniser(model: str | None, device: str, precision: str) -> Engine:
    weights = choose_recogniser(model).weights
    fit = weights.model.preprocessing if weights.model else None
    return open_recogniser(weights.path, fit, device, precision, weights.compiled)


def _landmarks(photo: NDArray[np.uint8]) -> Landmarks | None:
    """Find the landmarks of the face in a photo; None without a face."""
    detector = FaceDetector(obtain(DETECTOR, "detector").path)
    try:
        return Landmarks(find_landmarks(photo, detector), *photo.shape[:2])
    except FacepartError:
        return None


def _checked_photo(photo: NDArray[np.uint8], place: int) -> NDArray[np.uint8]:
    array = np.asarray(photo)
    if array.dtype != np.uint8 or array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise FacepartError(f"photo {place}: is {array.dtype} {array.shape}, not uint8 (height, width, 3)")
    return array


def _faces(
    embeddings: ArrayLike,
    subjects: Sequence[Hashable] | NDArray[Any],
    known: dict[Hashable, int],
    first_photo: int,
    name: str,
) -> Faces:
    """Check one side of a comparison."""
    try:
        rows = np.asarray(embeddings, np.float32)
    except (TypeError, ValueError) as error:
        raise FacepartError(f"{name}: not an array of real numbers ({error})") from error
    if rows.ndim != 2 or not rows.size:
        raise FacepartError(f"{name}: an array of shape {rows.shape}, not (rows, values)")
    who = subjects.tolist() if isinstance(subjects, np.ndarray) else list(subjects)
    if len(who) != len(rows):
        raise FacepartError(f"{name}: {count_of(len(rows), 'row')}, but {count_of(len(who), 'subject')}")
    unusable = ~np.isfinite(rows).all(axis=1) | ~rows.any(axis=1)
    if unusable.any():
        raise FacepartError(f"{name}: row {int(np.argmax(unusable))} is not finite, or all zero")
    numbers = number(who, known)
    return Faces(unit_rows(rows), numbers, first_photo + np.arange(len(rows)))
