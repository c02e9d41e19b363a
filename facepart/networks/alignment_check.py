"""Photos that were given for aligned crops, and are none: a warning."""

import logging

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photos import Photo
from facepart.data.resize import Size, distorts
from facepart.networks.alignment import misalignment
from facepart.networks.catalogue import DETECTOR, find
from facepart.networks.face_detector import FaceDetector, choose_face

# Measured: the landmarks of aligned crops lie up to 4 % of the side from the template in frontal photos, 9 % in
# turned heads; those of LFW's unaligned photos 11 to 17 %, of the London set's 15 to 20 %.
_MISALIGNED = 0.1

_logger = logging.getLogger(__name__)


def warn_of_unaligned(photo: Photo, size: Size = (112, 112), undistorted: bool = False) -> None:
    """Warn if a photo, taken to stand for all, is no crop of the network's proportions with the face in its place.

    Where the face lies is known for square networks. It is looked at only if the detector is on this machine: nothing
    is fetched for a warning.

    Args:
        photo: the photo.
        size: rows and columns that the network takes.
        undistorted: photos of other proportions are refused, so they need no warning.
    """
    try:
        face = read_photo(photo.path)
    except PhotoError:
        return  # told with the failures
    height, width = face.shape[:2]
    if undistorted and distorts((height, width), size):
        return
    square = size[0] == size[1]
    trouble = ""
    if square and height != width:
        trouble = f"is {width}x{height}, not square"
    elif distorts((height, width), size):
        trouble = f"is {width}x{height}, and is distorted to {size[1]}x{size[0]}"
    weights = find(DETECTOR) if square and not trouble else None
    if weights:
        found = FaceDetector(weights).detect(face)
        away = misalignment(choose_face(found, face.shape).landmarks, face.shape) if found else 0.0
        if away > _MISALIGNED:
            trouble = f"has its face {away:.0%} of its side away from where ArcFace expects it"
    if trouble:
        _logger.warning(
            "%s %s: recognisers need aligned crops; with --align, faces are found and aligned first",
            photo.path,
            trouble,
        )
