"""The stages as functions of arrays, for notebooks and programs of your own; nothing is read or written.

Photos are uint8 (h, w, 3), RGB. A network is found or fetched, and compiled, when it is first used, and kept for the
next call.
"""

import os
from collections.abc import Hashable, Iterable, Mapping, Sequence, Set
from functools import lru_cache
from numbers import Number
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from facepart.analysis.metrics.error_rates import error_rates
from facepart.analysis.metrics.tally import Scores
from facepart.counts import count_of
from facepart.data.labels import nfc
from facepart.data.photo_input import PhotoError
from facepart.data.resize import resize
from facepart.errors import FacepartError, UsageError
from facepart.matching.cosine import unit_rows
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces, number
from facepart.networks.alignment import align_photo, cut_to_template, find_landmarks
from facepart.networks.catalogue import DEFAULT_PARSER, DETECTOR, Weights, choose_recogniser, obtain
from facepart.networks.embedding import unit_embedding, views
from facepart.networks.engine import Engine
from facepart.networks.face_detector import FaceDetector
from facepart.networks.face_parser import fit_photo, open_parser, parser_label_set
from facepart.networks.label_map import CLASSES, SIZE
from facepart.networks.label_sets import LabelSet, find_label_set
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

# Values that stand for none, by the names of their types: those of pandas, which need not be installed.
_MISSING = {"NAType", "NaTType"}
# Rows whose largest value is smaller than this, or larger than its inverse, are scaled before they become float32.
_TINY = 1e-30


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
    photos: Photos,
    *,
    model: str = DEFAULT_PARSER,
    label_set: str | None = None,
    device: str = "auto",
    precision: str = "auto",
) -> NDArray[np.uint8]:
    """Segment faces.

    Args:
        photos: uint8 (h, w, 3) each, RGB; aligned crops, of any size.
        model: a parser of the model list, or a path.
        label_set: the order of the classes of a parser of your own; None for what its file says, else facepart's
            (:mod:`facepart.networks.label_sets`).
        device: ``auto``, ``cpu``, ``cuda`` or ``cuda:<number>``.
        precision: ``auto``, ``fp32``, ``bf16`` or ``fp16``.

    Returns:
        uint8 (n, 512, 512): the class of each pixel, 0 to 18 (:data:`facepart.networks.label_map.CLASSES`).

    Raises:
        FacepartError: something is not a photo, or the network cannot be had. UsageError: the device or the precision
            is unknown or not available.
    """
    checked = [_checked_photo(photo, place) for place, photo in enumerate(photos)]
    parser = _parser(model, label_set, device, precision)
    size = parser.preprocessing.height, parser.preprocessing.width
    found = [
        parser(np.stack([fit_photo(photo, size) for photo in checked[first : first + DEFAULT_BATCH]]))
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
        FacepartError: something is not a photo, or shows no face. UsageError: there can be no crops of this size.
    """
    pixels = _checked_size(size)
    detector = FaceDetector(obtain(DETECTOR, "detector").path)
    crops = []
    for place, photo in enumerate(photos):
        checked = _checked_photo(photo, place)
        try:
            crops.append(align_photo(checked, detector, pixels))
        except FacepartError as error:
            raise FacepartError(f"photo {place}: {error}") from error
    return np.stack(crops) if crops else np.empty((0, pixels, pixels, 3), np.uint8)


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
        FacepartError: the arrays are not of these shapes and values, or the detector cannot be had.
            UsageError: an unknown part or method.
    """
    region, occluder = Region(find_part(_checked_text(part, "part"))), _checked_text(method, "method")
    occlusion = Occlusion(region, OcclusionMethod(occluder))
    labels = np.asarray(labels)
    if labels.shape != (SIZE, SIZE) or labels.dtype != np.uint8:
        raise FacepartError(f"a label map is uint8 ({SIZE}, {SIZE}), not {labels.dtype} {labels.shape}")
    if labels.max() >= len(CLASSES):
        raise FacepartError(f"a label map has values from 0 to {len(CLASSES) - 1}, not {labels.max()}")
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
        subjects: (n,), who each row is: text, or numbers; one kind in both lists.
        gallery: real (m, d), what the embeddings are compared with; None compares them with each other, each pair
            once.
        gallery_subjects: (m,), who each row of the gallery is.

    Returns:
        The authentic and the impostor scores, cosines rounded to 6 decimals, as distributions.

    Raises:
        FacepartError: the arrays do not go together, a row is not finite or all zero, or a subject is missing.

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


def _parser(model: str, label_set: str | None, device: str, precision: str) -> Engine:
    weights = obtain(_checked_text(model, "model"), "parser")
    named = None if label_set is None else find_label_set(_checked_text(label_set, "label_set"))
    return _opened_parser(weights, parser_label_set(weights, named), *_checked_hardware(device, precision))


# Kept by what the files hold: another file may come to lie at the same path.
@lru_cache(maxsize=2)
def _opened_parser(weights: Weights, label_set: LabelSet, device: str, precision: str) -> Engine:
    return open_parser(weights.path, device, precision, weights.compiled, label_set=label_set)


def _recogniser(model: str | None, device: str, precision: str) -> Engine:
    chosen = None if model is None else _checked_text(model, "model")
    return _opened_recogniser(choose_recogniser(chosen).weights, *_checked_hardware(device, precision))


@lru_cache(maxsize=4)
def _opened_recogniser(weights: Weights, device: str, precision: str) -> Engine:
    fit = weights.model.preprocessing if weights.model else None
    return open_recogniser(weights.path, fit, device, precision, weights.compiled)


def _landmarks(photo: NDArray[np.uint8]) -> Landmarks | None:
    """Find the landmarks of the face in a photo; None without a face."""
    detector = FaceDetector(obtain(DETECTOR, "detector").path)
    try:
        return Landmarks(find_landmarks(photo, detector), *photo.shape[:2])
    except FacepartError:
        return None


def _checked_text(value: object, name: str) -> str:
    """Return a name or a path as text."""
    if not isinstance(value, str | os.PathLike):
        raise UsageError(f"{name}: a name is text, not {value!r}")
    return os.fspath(value)


def _checked_size(size: object) -> int:
    if not isinstance(size, int | np.integer) or size < 1:
        raise UsageError(f"size: a whole number of pixels, at least 1, not {size!r}")
    return int(size)


def _checked_hardware(device: object, precision: object) -> tuple[str, str]:
    return _checked_text(device, "device"), _checked_text(precision, "precision")


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
    rows = _checked_rows(embeddings, name)
    who = _checked_subjects(subjects, name)
    if len(who) != len(rows):
        raise FacepartError(f"{name}: {count_of(len(rows), 'row')}, but {count_of(len(who), 'subject')}")
    kinds = {_kind(key) for key in (*known, *who)}
    if len(kinds) > 1:
        both = " and ".join(sorted(kinds))
        raise FacepartError(f"{name}: subjects are {both}, which are never equal: give one kind")
    numbers = number(who, known)
    return Faces(unit_rows(rows), numbers, first_photo + np.arange(len(rows)))


def _checked_rows(embeddings: ArrayLike, name: str) -> NDArray[np.float32]:
    """Check embeddings, and return them as float32."""
    if isinstance(embeddings, np.ma.MaskedArray) and np.ma.is_masked(embeddings):
        raise FacepartError(f"{name}: some values are masked: leave out their rows")
    try:
        given = np.asarray(embeddings)
    except (TypeError, ValueError, RuntimeError) as error:
        raise FacepartError(f"{name}: not an array of real numbers ({error})") from error
    if given.dtype.kind not in "fiub":
        raise FacepartError(f"{name}: not an array of real numbers but of {given.dtype}")
    if given.ndim != 2 or not given.size:
        raise FacepartError(f"{name}: an array of shape {given.shape}, not (rows, values)")
    highest, lowest = (ends.astype(np.float64) for ends in (given.max(axis=1), given.min(axis=1)))
    largest = np.maximum(highest, -lowest)
    unusable = ~np.isfinite(largest) | (largest == 0)
    if unusable.any():
        raise FacepartError(f"{name}: row {int(np.argmax(unusable))} is not finite, or all zero")
    extreme = (largest < _TINY) | (largest > 1 / _TINY)
    with np.errstate(over="ignore"):
        rows = given.astype(np.float32)
    rows[extreme] = given[extreme] / largest[extreme, None]
    return rows


def _checked_subjects(subjects: object, name: str) -> list[Hashable]:
    """Return the subjects of rows, text in Unicode's normal form C."""
    if not isinstance(subjects, Iterable) or isinstance(subjects, bytes | Mapping | Set):
        raise FacepartError(f"{name}: subjects are a list, one for each row, not {type(subjects).__name__}")
    who = subjects.tolist() if isinstance(subjects, np.ndarray) else list(subjects)
    for row, key in enumerate(who):
        if not isinstance(key, Hashable):
            raise FacepartError(f"{name}: the subject of row {row} is no text or number but {key!r}")
        if key is None or type(key).__name__ in _MISSING or key == "" or key != key:
            raise FacepartError(f"{name}: the subject of row {row} is missing ({key!r})")
    return [nfc(key) if isinstance(key, str) else key for key in who]


def _kind(key: Hashable) -> str:
    if isinstance(key, str):
        return "text"
    return "numbers" if isinstance(key, Number) else f"of type {type(key).__name__}"
