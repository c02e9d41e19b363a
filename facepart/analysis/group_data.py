"""What the analysis needs to know of a group: its subjects, scores and embeddings, wherever they are kept."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.design import Condition
from facepart.analysis.influence import SubjectScores
from facepart.occlusion.occlusion import Occlusion, Region


class Coverage(NamedTuple):
    """How an occlusion covers the photos that are compared; all 0 if there are none.

    Attributes:
        photos: how many there are.
        share: mean share of the head that the part covers, 0..1.
        replaced: mean share of the photo that was replaced, 0..1.
    """

    photos: int
    share: float
    replaced: float


class GroupData(Protocol):
    """One group of subjects.

    Attributes:
        photos: how many there are.
        subjects: str (p,), sorted.
    """

    photos: int
    subjects: NDArray[np.str_]

    def photo_counts(self, region: Region | None) -> NDArray[np.int64]:
        """Count the photos of each subject on which a region was found, int64 (p,); all photos for None."""
        ...

    def first_alike(self, region: Region | None) -> Region | None:
        """Return the first region that was found on just the same photos; None if that is all of them."""
        ...

    def scores(self, condition: Condition) -> SubjectScores | None:
        """Return the scores in a condition; None where the photos show fewer than two subjects."""
        ...

    def subject_vectors(self, occlusion: Occlusion, region: Region | None) -> NDArray[np.float64]:
        """Return the sum of each subject's embeddings with an occlusion, (p, d), over the photos of a region."""
        ...

    def coverage(self, occlusions: Sequence[Occlusion], region: Region | None) -> Coverage:
        """Return how occlusions of one part cover the photos of a region, on average.

        Args:
            occlusions: an occlusion, or the draws of its control.
            region: on whose photos; None for all.
        """
        ...

    def undetected(self, occlusion: Occlusion) -> int:
        """Count the photos that an occlusion left as they were, because its region was not found."""
        ...
