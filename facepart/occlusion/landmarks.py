"""The five landmarks of a face, by which a part can be found that the parser does not see."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray


class Landmarks(NamedTuple):
    """The landmarks of a face on a photo.

    Attributes:
        points: float (5, 2), x and y in pixels of the photo, in the order of
            :mod:`facepart.networks.face_detector`: the eye on the left of the photo, the other eye, the nose, the
            corners of the mouth.
        height: rows of the photo.
        width: columns of the photo.
    """

    points: NDArray[np.floating]
    height: int
    width: int
