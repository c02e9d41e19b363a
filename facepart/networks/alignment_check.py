"""A warning about photos that should be aligned crops and are not."""

import logging

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photos import Photo
from facepart.data.resize import Size, distorts
from facepart.errors import UsageError
from facepart.networks.alignment import has_template, misalignment
from facepart.networks.catalogue import DETECTOR, find
from facepart.networks.face_detector import FaceDetector, choose_face

# Measured: the landmarks of aligned crops are up to 4 % of the side from the template in frontal photos, 9 % in
# turned heads; those of LFW's unaligned photos 11 to 17 %, of the London set's 15 to 20 %.
_MISALIGNED = 0.1

_logger = logging.getLogger(__name__)


def refuse_unalignable(name: str, height: int, width: int) -> None:
    """Refuse to align faces for a network whose input has proportions that no template has.

    Raises:
        UsageError: it has; the message names the network.
    """
    if not has_template(height, width):
        raise UsageError(
            f"--align makes square crops and crops of 112x96, and {name} gets faces of {height}x{width}; "
            "align the photos yourself and leave out --align"
        )


def warn_of_unaligned(photo: Photo, size: Size = (112, 112), undistorted: bool = False) -> None:
    """Warn if a photo, a sample of all, is no aligned crop; the arguments are those of :func:`find_misalignment`."""
    problem = find_misalignment(photo, size, undistorted)
    if problem:
        _logger.warning(
            "the photos may not be aligned crops: %s %s. Recognisers need aligned crops; use --align to detect and "
            "align the faces",
            photo.path,
            problem,
        )


def find_misalignment(photo: Photo, size: Size = (112, 112), undistorted: bool = False) -> str:
    """Say why a photo is not an aligned crop with the proportions of the network's input; empty if it may be one.

    The position of the face is checked for square networks only, and only if the detector is on this machine: nothing
    is fetched for a warning.

    Args:
        photo: which one.
        size: rows and columns of the network's input.
        undistorted: photos of other proportions are refused later, and need no warning.
    """
    try:
        face = read_photo(photo.path)
    except PhotoError:
        return ""  # reported with the failures
    height, width = face.shape[:2]
    if undistorted and distorts((height, width), size):
        return ""
    square = size[0] == size[1]
    if square and height != width:
        return f"is {width}x{height}, not square"
    if distorts((height, width), size):
        return f"is {width}x{height}, and is distorted to {size[1]}x{size[0]}"
    weights = find(DETECTOR) if square else None
    if weights:
        found = FaceDetector(weights).detect(face)
        distance = misalignment(choose_face(found, face.shape).landmarks, face.shape) if found else 0.0
        if distance > _MISALIGNED:
            return f"has its face {distance:.0%} of the side away from where ArcFace expects it"
    return ""
