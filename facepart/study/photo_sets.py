"""Which photos of a group are compared: all, or those in which a region was found."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.design import Condition, Design
from facepart.data.naming_conventions import Rule
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.pipeline.embedding_store import EmbeddingStore


class PhotoSets:
    """The photos of a group on which each region of a design was found.

    A region was found if its occlusion by the main method replaced any of the photo. Several regions are often found
    on the same photos; what these have in common, such as their baseline scores, is then computed once, for the first
    of the regions.

    Attributes:
        names: all photos of the group.
    """

    def __init__(self, names: Sequence[str], rule: Rule, store: EmbeddingStore, design: Design) -> None:
        """Find the photos of each region.

        Args:
            names: of the group's photos.
            rule: says who is on a photo, by its name.
            store: knows of each photo what was replaced.
            design: its regions.
        """
        self.names = list(names)
        subjects = np.array([rule(name) for name in names], dtype=np.str_)
        self._found: dict[Region | None, NDArray[np.bool_]] = {}
        self._first: dict[Region | None, Region | None] = {}
        self._comparable: dict[Region | None, bool] = {}
        known: dict[bytes, Region | None] = {}
        for region in (condition.photos_of for condition in design.baselines):
            found = np.ones(len(names), bool)
            if region is not None:
                occlusion = Occlusion(region, design.main).name
                found = np.array([store.photos[name].record.shares.get(occlusion, 0.0) > 0 for name in names], bool)
            self._found[region] = found
            self._first[region] = known.setdefault(found.tobytes(), region)
            self._comparable[region] = len(np.unique(subjects[found])) > 1

    def rows(self, region: Region | None) -> NDArray[np.int64]:
        """Return the places, among all names, of the photos in which a region was found; all for None."""
        return np.flatnonzero(self._found[region])

    def of(self, region: Region | None) -> list[str]:
        """Return the names of the photos in which a region was found; all for None."""
        return [self.names[row] for row in self.rows(region)]

    def is_comparable(self, region: Region | None) -> bool:
        """Return whether the photos show at least two subjects, so that there are impostor pairs."""
        return self._comparable[region]

    def first_alike(self, region: Region | None) -> Region | None:
        """Return the first region that was found on just the same photos; None if that is all of them."""
        return self._first[region]

    def resolve(self, condition: Condition) -> Condition:
        """Return the condition that is compared in place of this one: baselines of the same photos are one."""
        if condition.occlusion != BASELINE:
            return condition
        return condition._replace(photos_of=self.first_alike(condition.photos_of))
