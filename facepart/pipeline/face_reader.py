"""A photo on disk -> a face as the next stage wants it: as it is, or found and aligned first."""

import threading
from collections.abc import Callable
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.data.photo_input import PhotoError, read_photo
from facepart.data.photos import Photo
from facepart.errors import FacepartError
from facepart.files.progress import StepTimes
from facepart.networks.alignment import align_photo
from facepart.networks.face_detector import FaceDetector


def face_reader(detector: Path | None, size: int, times: StepTimes) -> Callable[[Photo], NDArray[np.uint8]]:
    """Give the function that reads a face, for use in threads.

    Args:
        detector: weights of the face detector; None for photos that are aligned crops.
        size: of the aligned crop, in pixels; crops that are aligned already keep theirs.
        times: what the time of each step is added to.

    Returns:
        A function: photo -> uint8 (h, w, 3), RGB. It raises PhotoError where the photo cannot be read, or shows no
        face.
    """
    # OpenCV's detector holds state between its calls: every thread needs its own.
    local = threading.local()

    def read(photo: Photo) -> NDArray[np.uint8]:
        with times.measure("read photo"):
            face = read_photo(photo.path)
        if detector is None:
            return face
        if not hasattr(local, "detector"):
            local.detector = FaceDetector(detector)
        with times.measure("find and align the face"):
            try:
                return align_photo(face, local.detector, size)
            except FacepartError as error:
                raise PhotoError(str(error), stage="align") from error

    return read
