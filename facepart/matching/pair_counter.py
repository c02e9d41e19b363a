"""What counts the scores of all pairs of a group: this machine, or a cluster."""

from dataclasses import dataclass
from typing import Protocol

from facepart.files.progress import Progress
from facepart.matching.counting import count_scores
from facepart.matching.faces import Faces
from facepart.matching.few_pairs import FEW_PAIRS, count_few
from facepart.matching.rank_counter import RankCounter
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.scores import GroupScores


class LoadedPairs(Protocol):
    """The two sides of a comparison, where their pairs are counted."""

    def count(self, *, tails: SubjectTailCounts, ranks: RankCounter | None, progress: Progress) -> GroupScores:
        """Count the scores of all pairs.

        Args:
            tails: counts the high impostor scores by subject.
            ranks: counts the ranks of the probes, in the order of
                :func:`~facepart.matching.counting.subject_order`; None if they are not wanted.
            progress: is called with (pairs counted, pairs in all).
        """
        ...


class PairCounter(Protocol):
    """Loads two sides, then counts.

    These are two calls because the sides take gigabytes: a counter that has copies of them elsewhere when
    :meth:`load` ends lets go of them here while it counts.
    """

    def load(self, probe: Faces, gallery: Faces | None) -> LoadedPairs:
        """Take the two sides; None as the gallery compares the probes with each other."""
        ...


@dataclass(frozen=True)
class LocalPairCounter:
    """Counts on this machine.

    Attributes:
        workers: threads on the CPU.
        device: ``cpu``, ``cuda`` or ``cuda:<number>``.
    """

    workers: int
    device: str = "cpu"

    def load(self, probe: Faces, gallery: Faces | None) -> "LocalPairs":
        """Keep the two sides as they are."""
        return LocalPairs(probe, gallery, self.workers, self.device)


@dataclass(frozen=True)
class LocalPairs:
    """Two sides in this process's memory."""

    probe: Faces
    gallery: Faces | None
    workers: int
    device: str

    def count(self, *, tails: SubjectTailCounts, ranks: RankCounter | None, progress: Progress) -> GroupScores:
        """Count the scores of all pairs; see :func:`facepart.matching.counting.count_scores`."""
        columns = self.probe if self.gallery is None else self.gallery
        pairs = len(self.probe.subjects) * len(columns.subjects)
        if self.device == "cpu" and pairs <= FEW_PAIRS:
            scores = count_few(self.probe, self.gallery, tails=tails, ranks=ranks)
            progress(pairs, pairs)
            return scores
        options = {"workers": self.workers, "device": self.device}
        return count_scores(self.probe, self.gallery, **options, tails=tails, ranks=ranks, progress=progress)  # type: ignore[arg-type]
