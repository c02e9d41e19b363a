"""``<group>_people.npz``: the sums of a group's scores by subject.

Scores that share a subject are not independent. Standard errors therefore need, beside the distributions, sums for
each subject: of the scores, of their squares, and of the counts of high scores. An impostor score belongs to two
subjects, an authentic score to one. The sums take memory in proportion to the subjects, not to the pairs.

The number of a subject's scores at or above a threshold is known in bins of 0.0025, from a lowest score on. Within a
bin, the scores of each subject are taken to be distributed as those of all subjects, whose distribution is exact. The
arrays, in NumPy's compressed form::

    version                              1
    people                               str, (p,), the subjects, sorted
    lowest                               where the first bin begins, in millionths
    authentic_count, impostor_count      int64, (p,), number of scores of each subject
    authentic_total, impostor_total      float64, (p,), their sum
    authentic_squares, impostor_squares  float64, (p,), the sum of their squares
    authentic_bins, impostor_bins        int32, (p, k), how many of them lie in each bin
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.scores.distribution import STEPS, ScoreDistribution
from facepart.scores.files import SCORE_ENDINGS
from facepart.scores.npz_files import read_arrays, write_arrays

# Width of a bin, in millionths.
BIN = 2500
_VERSION = 1
_KINDS = ("authentic", "impostor")
# Sums are of unrounded scores, and right to some 1e-6.
_NEAR = 1e-4
_FIELDS = ("count", "total", "squares", "bins")
# The first three arrays of Sums.
Moments = tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.float64]]


@dataclass(frozen=True, eq=False)
class Sums:
    """The scores of one kind, summed for each subject.

    Attributes:
        count: int64, (p,), the number of scores.
        total: float64, (p,), their sum.
        squares: float64, (p,), the sum of their squares.
        bins: int32, (p, k), the number of scores in each bin.
    """

    count: NDArray[np.int64]
    total: NDArray[np.float64]
    squares: NDArray[np.float64]
    bins: NDArray[np.int32]


@dataclass(frozen=True, eq=False)
class SubjectSums:
    """The scores of a group by subject.

    Attributes:
        subjects: str, (p,), sorted.
        lowest: where the first bin begins, in millionths; lower scores are in no bin.
        authentic: sums of authentic scores, each of which belongs to one subject.
        impostor: sums of impostor scores, each of which belongs to two subjects.
    """

    subjects: NDArray[np.str_]
    lowest: int
    authentic: Sums
    impostor: Sums

    def belongs_to(self, kind: str, scores: ScoreDistribution) -> bool:
        """Return whether these are the sums of `scores`, judged by their number, their mean, and the bins.

        Args:
            kind: ``authentic`` or ``impostor``.
            scores: all scores of this kind.
        """
        sums, times = (self.impostor, 2) if kind == "impostor" else (self.authentic, 1)
        if int(sums.count.sum()) != times * scores.n:
            return False
        # Counted for each subject, a score may be rounded to the next step, and thus lie in the next bin.
        edges = self.lowest + BIN * np.arange(sums.bins.shape[1])
        counts = sums.bins.sum(axis=0, dtype=np.int64)
        fewest, most = (
            times * (np.append(_count_below(scores, edges[1:] - step), scores.n) - _count_below(scores, edges + step))
            for step in (1, -1)
        )
        if (counts < fewest).any() or (counts > most).any():
            return False
        return not scores.n or abs(float(sums.total.sum()) / (times * scores.n) - scores.mean) < _NEAR

    def at_or_above(self, kind: str, scores: ScoreDistribution, threshold: float) -> NDArray[np.float64]:
        """Count the scores of each subject at or above a threshold.

        Args:
            kind: ``authentic`` or ``impostor``.
            scores: the distribution of all scores of this kind.
            threshold: any score.

        Returns:
            float64, (p,); the counts add up to the number of scores (twice that number for impostor scores). NaN if
            the threshold is below the first bin, unless no score is below the threshold.
        """
        sums = self.impostor if kind == "impostor" else self.authentic
        if not scores.count_below(threshold):
            return sums.count.astype(np.float64)
        bins = sums.bins
        place = (round(threshold * STEPS) - self.lowest) // BIN
        if place < 0:
            return np.full(len(bins), np.nan)
        if place >= bins.shape[1]:
            return np.zeros(len(bins))
        edges = np.array([self.lowest + place * BIN, self.lowest + (place + 1) * BIN]) / STEPS
        first, last, wanted = (scores.n - int(scores.count_below(edge)) for edge in (*edges, threshold))
        share = (wanted - last) / (first - last) if first > last else 0.0
        above = bins[:, place + 1 :].sum(axis=1, dtype=np.int64)
        return above + share * bins[:, place].astype(np.float64)


def _count_below(scores: ScoreDistribution, steps: NDArray[np.int64]) -> NDArray[np.int64]:
    """Count the scores less than each of some steps, in millionths."""
    return np.concatenate([[0], scores.cumulative])[np.searchsorted(scores.values, steps)]


def bins_from(lowest: int) -> int:
    """Return the number of bins from `lowest`, in millionths, up to a score of 1."""
    return (STEPS - lowest) // BIN + 1


def subject_sums_path(folder: Path, group: str) -> Path:
    """Return the file of a group's sums by subject."""
    return folder / f"{group}_people.npz"


def subject_sums_beside(scores: Path) -> Path | None:
    """Return the file of the sums by subject that belongs to a score file; None for a file of another name.

    Example:
        >>> print(subject_sums_beside(Path("matches/CM_impostor.npy")))
        matches/CM_people.npz
        >>> subject_sums_beside(Path("scores.txt")) is None
        True
    """
    for ending in SCORE_ENDINGS:
        if scores.name.endswith(ending) and scores.name != ending:
            return subject_sums_path(scores.parent, scores.name.removesuffix(ending))
    return None


def save_subject_sums(path: Path, sums: SubjectSums) -> None:
    """Write the sums of a group, whole or not at all.

    Raises:
        FacepartError: the file cannot be written.
    """
    arrays = {"version": np.array(_VERSION), "people": sums.subjects, "lowest": np.array(sums.lowest)}
    for kind in _KINDS:
        arrays |= {f"{kind}_{field}": getattr(getattr(sums, kind), field) for field in _FIELDS}
    write_arrays(path, arrays)


def load_subject_sums(path: Path) -> SubjectSums:
    """Read the sums of a group.

    Raises:
        FacepartError: the file is missing, damaged, of a later version, or not of this form.
    """
    wanted = ["people", "lowest", *(f"{kind}_{field}" for kind in _KINDS for field in _FIELDS)]
    arrays = read_arrays(path, "sums by subject", _VERSION, wanted)
    people, lowest = arrays["people"], arrays["lowest"]
    sums = {kind: Sums(*(arrays[f"{kind}_{field}"] for field in _FIELDS)) for kind in _KINDS}
    fault = _fault_of_names(people, lowest)
    for kind in _KINDS:
        fault = fault or _fault_of(sums[kind], people, lowest)
    if fault:
        raise FacepartError(f"{path}: is damaged: {fault}; run `facepart match` again")
    return SubjectSums(people, int(lowest), **sums)


def _fault_of_names(people: NDArray[Any], lowest: NDArray[Any]) -> str:
    """Say what is wrong with the subjects and the first bin of a file; empty if nothing is."""
    if people.ndim != 1 or people.dtype.kind != "U" or (people[1:] <= people[:-1]).any():
        return "its subjects are not names, sorted"
    if lowest.shape or lowest.dtype.kind not in "iu" or abs(int(lowest)) > STEPS:
        return "its bins begin nowhere"
    return ""


def _fault_of(sums: Sums, people: NDArray[Any], lowest: NDArray[Any]) -> str:
    """Say what is wrong with the sums of one kind in a file; empty if nothing is."""
    count = len(people)
    arrays = {field: getattr(sums, field) for field in _FIELDS}
    if any(array.shape[:1] != (count,) for array in arrays.values()):
        return "its arrays are not of one length"
    shapes = [array.shape[1:] for array in arrays.values()]
    kinds = "".join(array.dtype.kind for array in arrays.values())
    if shapes != [(), (), (), (bins_from(int(lowest)),)] or kinds != "iffi":
        return "its arrays are not of the right shapes and types"
    if (sums.count < 0).any() or (sums.bins < 0).any():
        return "a subject has a negative number of scores"
    if (sums.bins.sum(axis=1, dtype=np.int64) > sums.count).any():
        return "a subject has more high scores than scores"
    # By the inequality of Cauchy and Schwarz.
    possible = sums.total**2 <= sums.count * (sums.squares + _NEAR) * (1 + _NEAR)
    if not (possible & np.isfinite(sums.squares)).all():
        return "its sums are not those of as many scores"
    return ""


def load_subject_sums_of(path: Path, scores: Mapping[str, ScoreDistribution]) -> SubjectSums:
    """Read the sums by subject of scores that were read from files beside it.

    Args:
        path: the sums.
        scores: ``authentic`` or ``impostor``, or both -> all scores of this kind.

    Raises:
        FacepartError: as :func:`load_subject_sums`; or the sums are of other scores.
    """
    sums = load_subject_sums(path)
    for kind, distribution in scores.items():
        if not sums.belongs_to(kind, distribution):
            raise FacepartError(
                f"{path}: does not belong to the {kind} scores beside it, whose numbers or mean differ; run "
                "`facepart match` again, or remove it"
            )
    return sums
