"""A folder of label maps in place of a face parser: annotated ones, or those of another program.

The label map of a photo has the photo's name, with ``.png``: ``a/001.jpg`` below the photos has ``a/001.png`` below
the folder. It is a PNG with a palette or grey, whose pixels are the numbers of a label set
(:mod:`facepart.networks.label_sets`). It is as large as the photo, upright, or 512x512 for a photo of any size and
proportions, as parsers see it and as CelebAMask-HQ is annotated.
"""

import hashlib
import zlib
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

from facepart.data.label_input import read_label_map
from facepart.data.photos import Photo, photo_stamp
from facepart.errors import FacepartError
from facepart.files.addresses import read_whole
from facepart.networks.engine import Preprocessing
from facepart.networks.label_map import SIZE
from facepart.networks.label_sets import LabelSet

# Between the stamp of a photo and that of its label map.
LABELS_MARK = "+labels-"
# Label maps that are read at once: from a remote store, most of the time is waiting.
_THREADS = 8


@dataclass(frozen=True)
class LabelFolder:
    """A folder of label maps; can be pickled.

    Attributes:
        folder: where they are.
        label_set: what their numbers stand for.
    """

    folder: Path
    label_set: LabelSet

    def path_of(self, name: str) -> Path:
        """Return the label map of the photo called `name`."""
        return self.folder / f"{name}.png"

    def read(self, name: str, size: tuple[int, int]) -> NDArray[np.uint8]:
        """Read the label map of a photo.

        Args:
            name: of the photo.
            size: rows and columns of the photo.

        Returns:
            uint8 (h, w), of `size` or 512x512, values 0..18.

        Raises:
            FacepartError: it is missing, damaged, of another size, or has a number that the label set lacks; the
                message names the file.
        """
        path = self.path_of(name)
        numbers = read_label_map(path)
        if numbers.shape not in (tuple(size), (SIZE, SIZE)):
            raise FacepartError(
                f"{path}: is {_size_text(numbers.shape)}, and the photo {_size_text(size)}: a label map is as large "
                f"as its photo, or {SIZE}x{SIZE}"
            )
        try:
            return self.label_set.translate(numbers)
        except FacepartError as error:
            raise FacepartError(f"{path}: {error}") from error

    def stamped(self, photos: Sequence[Photo]) -> list[Photo]:
        """Return photos whose stamps also change when the contents of their label maps change.

        Raises:
            FacepartError: the folder is missing, or has no label map of any of the photos.
        """
        with ThreadPoolExecutor(_THREADS) as pool:
            contents = list(pool.map(_checksum, [self.path_of(photo.name) for photo in photos]))
            stamps = list(pool.map(_stamp_of, photos))
        if photos and not any(contents):
            raise self._none_of(photos)
        return [
            photo._replace(stamp=f"{stamp}{LABELS_MARK}{content}")
            for photo, stamp, content in zip(photos, stamps, contents, strict=True)
        ]

    def refuse_none(self, photos: Sequence[Photo]) -> None:
        """Raise FacepartError if the folder is missing, or has no label map of any of the photos."""
        if not any(self.path_of(photo.name).exists() for photo in photos):
            raise self._none_of(photos)

    def _none_of(self, photos: Sequence[Photo]) -> FacepartError:
        return FacepartError(
            f"{self.folder}: has no label map of any of the photos, such as {self.path_of(photos[0].name)}"
        )

    def settings(self) -> dict[str, Any]:
        """Return what is recorded of the folder, as JSON values, without where it is."""
        return {"name": "label maps", "label_set": self.label_set.name, "classes": list(self.label_set.classes)}


class GivenLabels:
    """Stands for the parser where label maps are read: an engine that returns what it is given.

    See :class:`facepart.networks.engine.Engine`.
    """

    device: str = "cpu"
    precision: str = "fp32"
    runtime: str = ""
    preprocessing: Preprocessing = Preprocessing(SIZE, SIZE)
    output_shape: tuple[int, ...] = (SIZE, SIZE)
    batch: int = 1

    def __call__(self, photos: NDArray[np.uint8]) -> NDArray[Any]:
        """Return label maps, uint8 (n, 512, 512), as they are."""
        return photos


def fit_labels(labels: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Resize a label map to 512x512: each pixel gets the class of the nearest one.

    Args:
        labels: uint8 (h, w).
    """
    if labels.shape == (SIZE, SIZE):
        return labels
    fitted = cv2.resize(labels, (SIZE, SIZE), interpolation=cv2.INTER_NEAREST_EXACT)
    return fitted.astype(np.uint8, copy=False)


def labels_in_stamp(stamp: str) -> str:
    """Return what a stamp of :meth:`LabelFolder.stamped` says of the label map; empty for other stamps."""
    return stamp.partition(LABELS_MARK)[2]


def label_maps_digest(photos: Sequence[Photo]) -> str:
    """Return a SHA-256, hexadecimal, of the names and checksums of the label maps of photos.

    Args:
        photos: of :meth:`LabelFolder.stamped`.
    """
    lines: Mapping[str, str] = {photo.name: labels_in_stamp(photo.stamp) for photo in photos}
    text = "\n".join(f"{name} {lines[name]}" for name in sorted(lines))
    return hashlib.sha256(text.encode("utf-8", "surrogateescape")).hexdigest()


def _checksum(path: Path) -> str:
    """Return the length and the CRC-32 of a file; empty if it cannot be read, which is found out again later."""
    try:
        data = read_whole(path)
    except Exception:  # stores raise errors of many kinds
        return ""
    return f"{len(data)}-{zlib.crc32(data):08x}"


def _stamp_of(photo: Photo) -> str:
    # The store is asked now: with the mark of its label map, a stamp is never empty, and nobody would ask later.
    return photo_stamp(photo, ask_store=True)


def _size_text(size: Sequence[int]) -> str:
    return f"{size[0]}x{size[1]}"
