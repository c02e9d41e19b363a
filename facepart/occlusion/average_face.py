"""The average face of photos, which can take the place of a part, for each size of photo.

The photos of a group are averaged, and then the groups, each weighted alike, so that no group's look dominates,
however many photos it has. Sums are of whole numbers, so that the average does not depend on the order of the photos.
A photo of a group of n is in it with a weight of 1 / n of its group's: an average of few photos shows these people.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepart.counts import count_of
from facepart.errors import FacepartError

Pixels = NDArray[np.uint8]
# Rows and columns.
PhotoSize = tuple[int, int]

# An average of fewer photos shows the people on them, and occludes little.
LEAST_PHOTOS = 10


@dataclass(frozen=True)
class AverageFaces:
    """The average face for each size of photo.

    Attributes:
        pixels: rows and columns -> uint8 (h, w, 3), RGB.
    """

    pixels: Mapping[PhotoSize, Pixels]

    def of(self, height: int, width: int) -> Pixels:
        """Return the average of the photos of a size, uint8 (height, width, 3).

        Raises:
            FacepartError: there is none.
        """
        if (height, width) not in self.pixels:
            raise FacepartError(f"there is no average face of {height}x{width} pixels: run again")
        return self.pixels[height, width]


class FaceSums:
    """Sums of photos, by group and size."""

    def __init__(self, groups: Sequence[str], photos: int) -> None:
        """Begin with none.

        Args:
            groups: the groups, in any order.
            photos: how many there are to come.
        """
        self._groups, self._photos = sorted(groups), photos
        self._sums: dict[PhotoSize, dict[str, NDArray[np.int64]]] = {}
        self._counts: dict[tuple[PhotoSize, str], int] = {}

    def add(self, group: str, photo: Pixels) -> None:
        """Add a photo, uint8 (h, w, 3).

        Raises:
            FacepartError: there are so many sizes that they cannot have enough photos each.
        """
        size = (photo.shape[0], photo.shape[1])
        by_group = self._sums.setdefault(size, {})
        if len(self._sums) * LEAST_PHOTOS > max(self._photos, LEAST_PHOTOS):
            raise FacepartError(
                f"--occlusion average: {count_of(self._photos, 'photo')} of more than {len(self._sums) - 1} sizes: "
                f"an average needs {LEAST_PHOTOS} photos of a size; use --align, which makes all faces the same size"
            )
        if group not in by_group:
            by_group[group] = np.zeros(photo.shape, np.int64)
        by_group[group] += photo
        self._counts[size, group] = self._counts.get((size, group), 0) + 1

    def averages(self) -> AverageFaces:
        """Return the average of each size: the mean of the means of the groups that have photos of it, rounded.

        Raises:
            FacepartError: a size has too few photos, or there are none at all.
        """
        if not self._sums:
            raise FacepartError("--occlusion average: no photo could be read, so there is no average face")
        found = {}
        for size, by_group in sorted(self._sums.items()):
            photos = sum(self._counts[size, group] for group in by_group)
            if photos < LEAST_PHOTOS:
                raise FacepartError(
                    f"--occlusion average: only {count_of(photos, 'photo')} of {size[0]}x{size[1]} pixels: an "
                    f"average needs {LEAST_PHOTOS} photos of a size; use --align, which makes all faces the same "
                    "size, or more photos"
                )
            # In the same order always: the sums are exact, but their quotients are not.
            groups = [group for group in self._groups if group in by_group]
            total = np.zeros(next(iter(by_group.values())).shape)
            for group in groups:
                total += by_group[group] / self._counts[size, group]
            found[size] = np.floor(total / len(groups) + 0.5).astype(np.uint8)
        return AverageFaces(found)
