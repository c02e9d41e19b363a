"""What the analysis needs to know of a group: its subjects, scores and embeddings, wherever they are kept."""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.design import Condition
from facepart.analysis.influence import SubjectScores
from facepart.occlusion.occlusion import Occlusion


class Coverage(NamedTuple):
    """How an occlusion covers the photos of a group.

    Attributes:
        undetected: photos on which the part was not detected, so that they stayed as they were.
        share: mean share of the head that the part covers, 0..1.
        replaced: mean share of the photo that was replaced, 0..1.
        control: kind of the control regions, or kinds with their shares; empty where there is no control.
    """

    undetected: int
    share: float
    replaced: float
    control: str


class GroupData(Protocol):
    """One group of subjects.

    Attributes:
        photos: how many there are.
        subjects: str (p,), sorted.
        photo_counts: int64 (p,), photos of each subject.
    """

    photos: int
    subjects: NDArray[np.str_]
    photo_counts: NDArray[np.int64]

    def scores(self, condition: Condition) -> SubjectScores:
        """Return the scores in a condition, and their sums by subject."""
        ...

    def subject_vectors(self, occlusion: Occlusion) -> NDArray[np.float64]:
        """Return the sum of each subject's embeddings with an occlusion, (p, d)."""
        ...

    def coverage(self, occlusions: Sequence[Occlusion], controls: Sequence[Occlusion]) -> Coverage:
        """Return how occlusions of one part cover the photos, on average.

        Args:
            occlusions: an occlusion, or the draws of its control.
            controls: the draws of the control, whose kinds are named; there may be none.
        """
        ...
