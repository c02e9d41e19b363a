"""Photo -> aligned crop: the face rotated and scaled so that its landmarks are where ArcFace expects them.

Pixel conventions are those of :mod:`facepart.networks.face_detector`.
"""

from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.networks.face_detector import FaceDetector, choose_face

# Pixels on a side of the aligned crops that all commands work on: twice ArcFace's, and the size for which the
# original study's blur is made.
CROP_SIZE = 224

# The landmarks in ArcFace's 112x112 crop: insightface, python-package/insightface/utils/face_align.py
# (`arcface_dst`).
ARCFACE_TEMPLATE: NDArray[np.float64] = np.array(
    [[38.2946, 51.6963], [73.5318, 51.5014], [56.0252, 71.7366], [41.5493, 92.3655], [70.7299, 92.2041]]
)
_TEMPLATE_SIZE = 112

# The other template in use, of crops of 112 rows and 96 columns (SphereFace, CosFace): its landmarks, (30.2946,
# 51.6963), (65.5318, 51.5014) ..., are ArcFace's 8 columns further to the left, so that its crop is the middle 96
# columns of ArcFace's. Source: W. Liu et al., github.com/wy1iu/sphereface, preprocess/code/face_align_demo.m
# (`coord5points`).
_NARROW_ROWS, _NARROW_COLUMNS = 112, 96


def similarity_transform(landmarks: NDArray[np.floating], template: NDArray[np.floating]) -> NDArray[np.float64]:
    r"""Fit the rotation, scale and shift, without reflection, that bring `landmarks` closest to `template`.

    The least-squares solution of :math:`\min_{c,R,t} \sum_i \|y_i - (c R x_i + t)\|^2`: with the singular value
    decomposition :math:`U D V^T` of the covariance of y and x, :math:`R = U S V^T`,
    :math:`c = \mathrm{tr}(D S) / \mathrm{var}(x)`, :math:`t = \bar y - c R \bar x`, where S is the identity, its last
    entry negative if U and V differ in handedness.

    Source: S. Umeyama, "Least-squares estimation of transformation parameters between two point patterns", IEEE
    TPAMI 13(4), 1991, equations 40 to 42.

    Args:
        landmarks: (n, 2), x and y, n at least 2.
        template: (n, 2), their target positions.

    Returns:
        float64, (2, 3): :math:`[cR \mid t]`, as ``cv2.warpAffine`` takes it.

    Raises:
        FacepartError: the landmarks are not finite, or all the same point.
    """
    source, target = np.asarray(landmarks, np.float64), np.asarray(template, np.float64)
    source_mean, target_mean = source.mean(axis=0), target.mean(axis=0)
    centred = source - source_mean
    variance = np.square(centred).sum() / len(source)
    if not np.isfinite(variance) or variance == 0:
        raise FacepartError("the landmarks of the face are not five different points")
    u, d, vt = np.linalg.svd((target - target_mean).T @ centred / len(source))
    handedness = np.array([1.0, 1.0 if np.linalg.det(u) * np.linalg.det(vt) > 0 else -1.0])
    rotation = (u * handedness) @ vt
    scale = (d * handedness).sum() / variance
    shift = target_mean - scale * rotation @ source_mean
    return np.column_stack([scale * rotation, shift])


def align_face(
    photo: NDArray[np.uint8], landmarks: NDArray[np.floating], size: int = _TEMPLATE_SIZE
) -> NDArray[np.uint8]:
    """Warp a face to ArcFace's template.

    Pixels outside the photo are black, as in the crops that ArcFace was trained on. A crop of a multiple of 112
    pixels, resized by area to 112, has the same frame as the crop of 112 pixels.

    Args:
        photo: uint8, (height, width, 3).
        landmarks: (5, 2), x and y in pixels of the photo, in ArcFace's order.
        size: side of the crop, in pixels; the template is scaled with it.

    Returns:
        uint8, (size, size, 3).

    Raises:
        FacepartError: the landmarks are all the same point.
    """
    photo, warp = _shrink_first(photo, _warp_to_template(landmarks, size))
    return cv2.warpAffine(photo, warp, (size, size), flags=cv2.INTER_CUBIC).astype(np.uint8, copy=False)


def align_labels(
    labels: NDArray[np.uint8], photo_size: tuple[int, int], landmarks: NDArray[np.floating], size: int
) -> NDArray[np.uint8]:
    """Warp a label map as :func:`align_face` warps its photo: each pixel gets the class of the nearest one.

    Args:
        labels: uint8, (h, w): of the whole photo, of any size.
        photo_size: rows and columns of the photo.
        landmarks: (5, 2), x and y in pixels of the photo, in ArcFace's order.
        size: side of the result, in pixels, which has the same frame for any size.

    Returns:
        uint8, (size, size); 0 outside the photo.

    Raises:
        FacepartError: the landmarks are all the same point.
    """
    warp = _warp_to_template(landmarks, size)
    # x_photo = (x_label + 0.5) * ratio - 0.5, and the same for y.
    ratio = np.array([photo_size[1] / labels.shape[1], photo_size[0] / labels.shape[0]])
    whole = np.column_stack([warp[:, :2] * ratio, warp[:, :2] @ (0.5 * ratio - 0.5) + warp[:, 2]])
    return cv2.warpAffine(labels, whole, (size, size), flags=cv2.INTER_NEAREST).astype(np.uint8, copy=False)


def has_template(height: int, width: int) -> bool:
    """Return whether faces can be aligned to crops of these proportions: squares, or 112 rows to 96 columns."""
    return height == width or height * _NARROW_COLUMNS == width * _NARROW_ROWS


def cut_to_template(crop: NDArray[np.uint8], height: int, width: int) -> NDArray[np.uint8]:
    """Cut an aligned square crop to the proportions of a network's input.

    Args:
        crop: uint8 (side, side, 3), of :func:`align_face`.
        height: rows of the network's input, in the proportions of which :func:`has_template` is true.
        width: columns.

    Returns:
        uint8 (side, side * width / height, 3): the middle columns; `crop` itself if the network takes squares.
    """
    return crop if height == width else crop[:, template_columns(crop.shape[1], height, width)]


def template_columns(side: int, height: int, width: int) -> slice:
    """Return the columns of an aligned square crop that a network's input shows; see :func:`cut_to_template`."""
    columns = round(side * width / height)
    left = (side - columns) // 2
    return slice(left, left + columns)


def aligned_landmarks(landmarks: NDArray[np.floating], size: int = _TEMPLATE_SIZE) -> NDArray[np.float64]:
    """Return where landmarks lie on the crop that :func:`align_face` cuts, (n, 2); its arguments.

    Raises:
        FacepartError: the landmarks are all the same point.
    """
    warp = _warp_to_template(landmarks, size)
    return np.asarray(landmarks, np.float64) @ warp[:, :2].T + warp[:, 2]


def misalignment(landmarks: NDArray[np.floating], shape: tuple[int, ...]) -> float:
    """Return the distance of a face from ArcFace's template.

    Args:
        landmarks: (5, 2), x and y in pixels of the photo, in ArcFace's order.
        shape: of the photo: height, width, and anything after.

    Returns:
        The root mean square distance of the landmarks from the template's, relative to the side of the crop.
    """
    side = np.array([shape[1], shape[0]], np.float64)
    away = (np.asarray(landmarks, np.float64) + 0.5) / side - (ARCFACE_TEMPLATE + 0.5) / _TEMPLATE_SIZE
    return float(np.sqrt(np.square(away).sum(axis=1).mean()))


def crop_side(landmarks: NDArray[np.floating]) -> float:
    """Return the side of an aligned crop in pixels of the photo that it is cut from.

    Args:
        landmarks: (5, 2), x and y in pixels of the photo, in ArcFace's order.

    Raises:
        FacepartError: the landmarks are all the same point.
    """
    warp = similarity_transform(landmarks, ARCFACE_TEMPLATE)
    return _TEMPLATE_SIZE / float(np.hypot(warp[0, 0], warp[1, 0]))


class FoundFace(NamedTuple):
    """The subject's face in a photo.

    Attributes:
        landmarks: (5, 2), x and y in pixels of the photo, in ArcFace's order.
        score: the detector's confidence, 0 to 1; None if the landmarks were given.
        faces: how many faces the detector found; 0 if the landmarks were given.
        next_area: area of the largest of the other faces, relative to this one's; 0 if there is no other.
    """

    landmarks: NDArray[np.floating]
    score: float | None = None
    faces: int = 0
    next_area: float = 0.0


def find_face(photo: NDArray[np.uint8], detector: FaceDetector) -> FoundFace:
    """Find the subject's face: the largest near the centre (:func:`facepart.networks.face_detector.choose_face`).

    Args:
        photo: uint8, (height, width, 3), RGB.
        detector: finds the face.

    Raises:
        FacepartError: no face is found.
    """
    faces = detector.detect(photo)
    if not faces:
        raise FacepartError("no face found; leave the photo out, or crop it to the face")
    chosen = choose_face(faces, photo.shape)
    areas = [face.box[2] * face.box[3] for face in faces if face is not chosen]
    return FoundFace(
        chosen.landmarks, chosen.score, len(faces), max(areas, default=0.0) / (chosen.box[2] * chosen.box[3])
    )


def find_landmarks(photo: NDArray[np.uint8], detector: FaceDetector) -> NDArray[np.floating]:
    """Find the landmarks of the subject's face, (5, 2), x and y in pixels of the photo, in ArcFace's order.

    Args:
        photo: uint8, (height, width, 3), RGB.
        detector: finds the face.

    Raises:
        FacepartError: no face is found.
    """
    return find_face(photo, detector).landmarks


def check_landmarks(landmarks: NDArray[np.floating], shape: tuple[int, ...]) -> None:
    """Check landmarks that a user gave.

    Args:
        landmarks: (5, 2), x and y in pixels of the photo, in ArcFace's order.
        shape: of the photo: height, width, and anything after.

    Raises:
        FacepartError: their centre lies outside the photo, or left and right are confused.
    """
    points = np.asarray(landmarks, np.float64)
    x, y = points.mean(axis=0)
    if not (-0.5 <= x <= shape[1] - 0.5 and -0.5 <= y <= shape[0] - 0.5):
        raise FacepartError(f"the landmarks lie outside the photo, which is {shape[1]}x{shape[0]} pixels")
    between_eyes = points[1] - points[0]
    down = points[3:].mean(axis=0) - points[:2].mean(axis=0)
    if between_eyes[0] * down[1] - between_eyes[1] * down[0] <= 0:
        raise FacepartError(
            "the landmarks are those of a mirrored face: eye1 and mouth1 are on the left of the photo, eye2 and "
            "mouth2 on its right"
        )


def align_photo(photo: NDArray[np.uint8], detector: FaceDetector, size: int = _TEMPLATE_SIZE) -> NDArray[np.uint8]:
    """Find the subject's face in a photo, and warp it to ArcFace's template.

    Args:
        photo: uint8, (height, width, 3), RGB.
        detector: finds the face.
        size: side of the crop, in pixels.

    Returns:
        uint8, (size, size, 3), RGB.

    Raises:
        FacepartError: no face is found.
    """
    return align_face(photo, find_landmarks(photo, detector), size)


def _warp_to_template(landmarks: NDArray[np.floating], size: int) -> NDArray[np.float64]:
    """Return the warp, (2, 3), that brings landmarks closest to the template in a crop of `size` pixels."""
    return similarity_transform(landmarks, (ARCFACE_TEMPLATE + 0.5) * (size / _TEMPLATE_SIZE) - 0.5)


def _shrink_first(
    photo: NDArray[np.uint8], warp: NDArray[np.float64]
) -> tuple[NDArray[np.uint8], NDArray[np.float64]]:
    """Shrink `photo` by area to the scale of `warp`, and return it with the remaining warp.

    A warp reads only a few pixels around each point: if it shrank the photo, fine texture would turn into noise.
    """
    scale = float(np.hypot(warp[0, 0], warp[1, 0]))
    if scale >= 1:
        return photo, warp
    height, width = photo.shape[:2]
    shrunk_size = max(1, round(width * scale)), max(1, round(height * scale))
    shrunk = cv2.resize(photo, shrunk_size, interpolation=cv2.INTER_AREA).astype(np.uint8, copy=False)
    # x_photo = (x_shrunk + 0.5) * ratio - 0.5, and the same for y.
    ratio = np.array([width / shrunk_size[0], height / shrunk_size[1]])
    left = np.column_stack([warp[:, :2] * ratio, warp[:, :2] @ (0.5 * ratio - 0.5) + warp[:, 2]])
    return shrunk, left
