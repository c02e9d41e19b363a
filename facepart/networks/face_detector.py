"""Photo -> faces: boxes and five landmarks, by YuNet through OpenCV.

Conventions: pixels are numbered from the upper left, (x, y), and whole numbers are the centres of pixels. The five
landmarks are in ArcFace's order: the eye on the left of the photo, the eye on its right, the nose, the left corner of
the mouth, the right corner. YuNet uses the same order (it calls the eye on the left of the photo the right one, since
it is the subject's right eye).

Source: Wu, Peng, Yu, "YuNet: A Tiny Millisecond-level Face Detector", Machine Intelligence Research 2023;
``cv2.FaceDetectorYN``.
"""

import threading
from collections.abc import Sequence
from functools import partial
from operator import attrgetter
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError, one_line

# The longer side, in pixels, to which a photo is scaled before the network sees it; the next is tried if no face is
# found. YuNet finds faces 10 to 300 pixels high: at 480 those of portraits and of small groups, at 1280 those of
# crowds, at 160 those that fill the photo. The LFW scores are also best at 480 (docs/demo.md).
SIDES = (480, 1280, 160)

# OpenCV's own example has 0.9, which misses faces in profile; 0.3 is its overlap for merging boxes.
_SCORE = 0.6
_OVERLAP = 0.3
_MOST_FACES = 5000

_opening = threading.Lock()


class Face(NamedTuple):
    """A face in a photo.

    Attributes:
        box: x, y, width and height, in pixels of the photo; may reach beyond its border.
        score: the detector's confidence, 0 to 1.
        landmarks: float32, (5, 2), x and y in pixels of the photo, in ArcFace's order.
    """

    box: tuple[float, float, float, float]
    score: float
    landmarks: NDArray[np.float32]


class FaceDetector:
    """YuNet. Use one per thread: OpenCV's detector keeps the size of its input and its buffers between calls."""

    def __init__(self, weights: Path) -> None:
        """Read the network.

        Args:
            weights: YuNet as an ONNX file.

        Raises:
            FacepartError: the file cannot be read, or is not YuNet.
        """
        try:
            data = np.frombuffer(weights.read_bytes(), np.uint8)
        except OSError as error:
            raise FacepartError(f"{weights}: cannot be read: {error.strerror}") from error
        try:
            self._network = _open_network(data)
            # A network of another kind is only noticed when it runs.
            self._detect_at(np.zeros((32, 32, 3), np.uint8), min(SIDES))
        except (cv2.error, MemoryError) as error:
            if _lacks_memory(error):
                raise FacepartError(f"{weights}: there is not enough memory to open the face detector") from error
            raise FacepartError(f"{weights}: is not the face detector YuNet") from error

    def detect(self, photo: NDArray[np.uint8]) -> list[Face]:
        """Find the faces in a photo of any size.

        Args:
            photo: uint8, (height, width, 3), RGB.

        Returns:
            The faces, by descending score; empty if none is found.

        Raises:
            FacepartError: the detector fails, such as for lack of memory.
        """
        try:
            return self._detect(photo)
        except (cv2.error, MemoryError) as error:
            reason = "there is not enough memory" if _lacks_memory(error) else one_line(error)
            raise FacepartError(f"the face detector fails: {reason}") from error

    def _detect(self, photo: NDArray[np.uint8]) -> list[Face]:
        for side in SIDES:
            faces = self._detect_at(photo, side)
            if faces:
                return faces
        return []

    def _detect_at(self, photo: NDArray[np.uint8], side: int) -> list[Face]:
        """Find the faces in `photo` with its longer side scaled to `side` pixels."""
        height, width = photo.shape[:2]
        factor = side / max(height, width)
        size = max(1, round(width * factor)), max(1, round(height * factor))
        scaled = cv2.resize(photo, size, interpolation=cv2.INTER_AREA if factor < 1 else cv2.INTER_LINEAR)
        self._network.setInputSize(size)
        rows = self._network.detect(cv2.cvtColor(scaled, cv2.COLOR_RGB2BGR))[1]
        ratio = np.array([width / size[0], height / size[1]], np.float32)
        faces = []
        # OpenCV's rows: box (4), landmarks (5 x 2), score; None instead of an array if it finds nothing.
        for row in () if rows is None else rows:  # type: ignore[redundant-expr]
            corner, extent = row[:2] * ratio, row[2:4] * ratio
            # Whole numbers are the centres of pixels, not their edges: hence the halves.
            landmarks = (row[4:14].reshape(5, 2) + np.float32(0.5)) * ratio - np.float32(0.5)
            box = float(corner[0]), float(corner[1]), float(extent[0]), float(extent[1])
            faces.append(Face(box, float(row[14]), landmarks))
        return sorted(faces, key=attrgetter("score"), reverse=True)


def choose_face(faces: Sequence[Face], shape: tuple[int, ...]) -> Face:
    """Choose the subject's face: the one with the largest area minus twice its squared distance from the centre.

    So a large face wins over a small one beside it, and the more central of two faces of equal size. The rule is that
    of the alignment scripts of FaceNet (D. Sandberg's ``align_dataset_mtcnn.py``) and InsightFace.

    Args:
        faces: at least one.
        shape: of the photo: height, width, and anything after.
    """
    return max(faces, key=partial(_prominence, shape=shape))


def _prominence(face: Face, shape: tuple[int, ...]) -> float:
    x, y, width, height = face.box
    distance = (x + width / 2 - shape[1] / 2) ** 2 + (y + height / 2 - shape[0] / 2) ** 2
    return width * height - 2 * distance


def _lacks_memory(error: cv2.error | MemoryError) -> bool:
    # OpenCV sets a code for its own errors only, not for those of C++.
    return (
        isinstance(error, MemoryError) or getattr(error, "code", 0) == cv2.Error.StsNoMem or "bad_alloc" in str(error)
    )


def _open_network(data: NDArray[np.uint8]) -> cv2.FaceDetectorYN:
    # OpenCV 5 warns that a CPU target cannot be set, though none is set. The log level belongs to the whole process.
    with _opening:
        level = cv2.utils.logging.setLogLevel(cv2.utils.logging.LOG_LEVEL_ERROR)
        try:
            return cv2.FaceDetectorYN.create(
                "onnx", data, np.empty(0, np.uint8), (32, 32), _SCORE, _OVERLAP, _MOST_FACES
            )
        finally:
            cv2.utils.logging.setLogLevel(level)
