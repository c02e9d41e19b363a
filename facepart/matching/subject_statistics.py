r"""Faces of a group -> the sums of its scores by subject, which standard errors need.

An impostor score is the product of two embeddings, so that most sums follow from sums over embeddings, without a pair
being looked at: all scores of a face :math:`x` add up to :math:`x^T T` with :math:`T = \sum y`, and their squares to
:math:`x^T M x` with :math:`M = \sum y y^T`. What remains are the scores of pairs of one subject, which are few and
are taken off, and how many scores lie high (:class:`SubjectTailCounts`), which is counted along with all pairs.
Memory goes with the faces and with the authentic pairs; of what goes with the subjects, the bins of high scores are
by far the largest.

These sums are of cosines before they are rounded to 6 decimals, in float32: right to some 1e-6 of their size, which
is far more than a standard error needs.
"""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.matching.faces import Faces
from facepart.matching.threads import one_thread_each
from facepart.scores.distribution import STEPS
from facepart.scores.subject_sums import BIN, Moments, Sums, bins_from

# The bins reach down to where so many of a sample's impostor scores lie above: the first share that is not below the
# FNMR there, so that the EER is covered.
_SHARES = (0.02, 0.05, 0.1, 0.2, 0.4, 0.6)
# Faces of either side in the sample: a million pairs, in 20 ms.
_SAMPLE = 1024
# Pairs of one subject that are summed at a time.
_AT_ONCE = 1 << 14
# Those that are compared at a time: their embeddings take 0.5 MB, so that they stay in a core's own cache.
_DOTS = 128
# Faces, and authentic scores, that are summed at a time.
_BLOCK = 4096
_SUMMED = 1 << 20


class SubjectTailCounts:
    """Counts, for each subject, the impostor scores in each bin of the upper tail.

    Attributes:
        first_bin: where the first bin begins, in millionths.
    """

    def __init__(self, subjects: int, first_bin: int, device: str = "cpu") -> None:
        self.first_bin = first_bin
        self._width = bins_from(first_bin)
        self._counts = torch.zeros(subjects * self._width, dtype=torch.int32, device=device)
        self._one = torch.ones(1, dtype=torch.int32, device=device)
        self._lock = threading.Lock()

    def add(self, probe: torch.Tensor, gallery: torch.Tensor, steps: torch.Tensor) -> None:
        """Count scores for both of their subjects; may be called by several threads at once.

        Args:
            probe: int64, (k,), the subjects of the probes.
            gallery: int64, (k,), the subjects of the gallery faces.
            steps: (k,), the scores in whole millionths, at least `first_bin`.
        """
        places = torch.div(steps.to(torch.int64) - self.first_bin, BIN, rounding_mode="floor")
        both = torch.cat([probe * self._width + places, gallery * self._width + places])
        with self._lock:
            self._counts.index_add_(0, both, self._one.expand(len(both)))

    @contextmanager
    def locked(self) -> Iterator[NDArray[np.int32]]:
        """Yield the counts, int32, (p, k), to be added to by this thread alone; on the CPU only."""
        with self._lock:
            yield self._counts.numpy().reshape(-1, self._width)

    def take(self, places: NDArray[np.int64], counts: NDArray[np.integer[Any]]) -> None:
        """Add counts from elsewhere that have the same `first_bin`; on the CPU only.

        Args:
            places: int64, (k,), each once: subject * bins + bin.
            counts: int32, (k,).
        """
        with self._lock:
            self._counts.numpy()[places] += counts

    def bins(self) -> NDArray[np.int32]:
        """Return the counts, int32, (p, k)."""
        return self._counts.cpu().numpy().reshape(-1, self._width)


def authentic_scores(probe: Faces, gallery: Faces | None) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    """Return the subjects of all authentic pairs, int64 (k,), and their scores, float32 (k,), before rounding."""
    # On so few values at a time, PyTorch's threads would wait for each other longer than they work.
    with one_thread_each(1) as alone:
        return alone.submit(_authentic_scores, probe, probe if gallery is None else gallery).result()


def _authentic_scores(probe: Faces, other: Faces) -> tuple[NDArray[np.int64], NDArray[np.float32]]:
    subjects, scores = [np.empty(0, np.int64)], [np.empty(0, np.float32)]
    for i, j in _pairs_of_one_subject(probe, other):
        compared = probe.photos[i] != other.photos[j]
        if probe.sessions is not None and other.sessions is not None:
            compared &= probe.sessions[i] != other.sessions[j]
        subjects.append(probe.subjects[i][compared])
        scores.append(_dots(probe, other, i[compared], j[compared]))
    return np.concatenate(subjects), np.concatenate(scores)


def choose_first_bin(
    probe: Faces, gallery: Faces | None, authentic: NDArray[np.float32], min_threshold: float = 1.0
) -> int:
    """Choose where the bins begin: low enough for FMRs of 2 % and for the EER; in millionths, a multiple of BIN.

    The choice is based on a sample of the impostor pairs. Which faces are in the sample affects only how far down the
    bins reach.

    Args:
        probe: the faces looked for.
        gallery: those they are compared with; None if with each other.
        authentic: the authentic scores.
        min_threshold: a threshold that the bins must cover, too.
    """
    other = probe if gallery is None else gallery
    ours, theirs = (_spread(len(side.subjects)) for side in (probe, other))
    scores = (torch.from_numpy(probe.embeddings[ours]) @ torch.from_numpy(other.embeddings[theirs]).T).numpy()
    impostor = scores[probe.subjects[ours, None] != other.subjects[theirs]]
    return first_bin_of(impostor, authentic, min_threshold)


def _spread(count: int) -> NDArray[np.int64]:
    """Return at most a sample's numbers from 0 on below `count`, evenly spread."""
    return np.linspace(0, count - 1, min(count, _SAMPLE)).round().astype(np.int64)


def first_bin_of(
    impostor: NDArray[np.floating[Any]], authentic: NDArray[np.floating[Any]], min_threshold: float = 1.0
) -> int:
    """Choose where the bins begin from impostor and authentic scores; see :func:`choose_first_bin`."""
    for share in _SHARES:
        threshold = float(np.quantile(impostor, 1 - share)) if len(impostor) else -1.0
        if not len(authentic) or np.mean(authentic < threshold) <= share:
            break
    return max(int(min(threshold, min_threshold) * STEPS // BIN) * BIN, -STEPS)


def authentic_sums(subjects: int, authentic: tuple[NDArray[np.int64], NDArray[np.float32]], lowest: int) -> Sums:
    """Sum up the authentic scores of each subject.

    Args:
        subjects: number of subjects.
        authentic: of :func:`authentic_scores`.
        lowest: where the bins begin, in millionths.
    """
    width = bins_from(lowest)
    count, (total, squares) = np.zeros(subjects, np.int64), np.zeros((2, subjects))
    bins = np.zeros(subjects * width, np.int32)
    for first in range(0, len(authentic[0]), _SUMMED):
        who = authentic[0][first : first + _SUMMED]
        exact = authentic[1][first : first + _SUMMED].astype(np.float64)
        count += np.bincount(who, minlength=subjects)
        total += np.bincount(who, exact, minlength=subjects)
        squares += np.bincount(who, exact**2, minlength=subjects)
        steps = np.rint(exact * STEPS).astype(np.int64)
        above = steps >= lowest
        places = np.minimum((steps[above] - lowest) // BIN, width - 1)
        np.add.at(bins, who[above] * width + places, 1)
    return Sums(count, total, squares, bins.reshape(subjects, width))


def impostor_moments(subjects: int, probe: Faces, gallery: Faces | None, device: str = "cpu") -> Moments:
    """Sum up the impostor scores of each subject, as far as this is possible without computing each pair.

    Args:
        subjects: number of subjects.
        probe: the faces looked for.
        gallery: those they are compared with; None if with each other.
        device: where the products are computed.
    """
    # A BLAS splits a sum over faces among its threads, so that its last digits would depend on their number.
    with one_thread_each(1) as alone:
        other = probe if gallery is None else gallery
        there = alone.submit(_moments_of_side, subjects, probe, other, device).result()
        if gallery is None:
            return there
        back = alone.submit(_moments_of_side, subjects, gallery, probe, device).result()
    return there[0] + back[0], there[1] + back[1], there[2] + back[2]


def _moments_of_side(subjects: int, side: Faces, other: Faces, device: str) -> Moments:
    """Sum up, for each subject, the scores of its faces on one side with all faces of other subjects on the other."""
    numbers, others = (np.bincount(faces.subjects, minlength=subjects) for faces in (side, other))
    # First the scores of each face with all of the other side.
    of_face = _sums_of_faces(side, other) if device == "cpu" else _sums_on_device(side, other, device)
    if side is other:
        of_face -= 1  # each face with itself
    total, squares = (
        np.bincount(side.subjects, sums, minlength=subjects).astype(np.float64, copy=False) for sums in of_face
    )
    # Then the scores of pairs of one subject are subtracted. Within one list, a pair stands once here and twice in
    # the sums.
    for i, j in _pairs_of_one_subject(side, other):
        own, times = _dots(side, other, i, j).astype(np.float64), 2 if side is other else 1
        total -= times * np.bincount(side.subjects[i], own, minlength=subjects)
        squares -= times * np.bincount(side.subjects[i], own**2, minlength=subjects)
    return numbers * (len(other.subjects) - others), total, squares


def _sums_of_faces(side: Faces, other: Faces) -> NDArray[np.float64]:
    """Add up the scores of each face of one side with all of the other, and their squares: float64 (2, n)."""
    whole, moment = _sums_over(other.embeddings)
    of_face = np.empty((2, len(side.subjects)))
    # One tensor for all products, for the reason given at _dots.
    products = torch.empty(_BLOCK, len(whole))
    for first in range(0, len(side.subjects), _BLOCK):
        block = side.embeddings[first : first + _BLOCK]
        product = torch.mm(torch.from_numpy(block), moment, out=products[: len(block)]).numpy()
        of_face[0, first : first + _BLOCK] = np.einsum("ij,j->i", block, whole)
        of_face[1, first : first + _BLOCK] = np.einsum("ij,ij->i", product, block, dtype=np.float64)
    return of_face


def _sums_on_device(side: Faces, other: Faces, device: str) -> NDArray[np.float64]:
    """Do the same as :func:`_sums_of_faces` on a device."""
    rows = torch.from_numpy(side.embeddings).to(device)
    columns = rows if side is other else torch.from_numpy(other.embeddings).to(device)
    whole, moment = columns.sum(0, dtype=torch.float64), columns.T @ columns
    blocks = []
    for first in range(0, len(rows), _BLOCK):
        block = rows[first : first + _BLOCK]
        blocks.append(torch.stack([block.double() @ whole, ((block @ moment).double() * block).sum(1)]))
    return torch.cat(blocks, 1).cpu().numpy()


def _sums_over(embeddings: NDArray[np.float32]) -> tuple[NDArray[np.float64], torch.Tensor]:
    """Return the sum of embeddings, float64 (d,), and of their products with themselves, float32 (d, d)."""
    rows = torch.from_numpy(embeddings)
    return embeddings.sum(0, dtype=np.float64), rows.T @ rows


def vectors_by_subject(faces: Faces, subjects: int) -> NDArray[np.float64]:
    """Add up the embeddings of each subject, float64, (p, d)."""
    vectors = torch.zeros(subjects, faces.embeddings.shape[1], dtype=torch.float64)
    for first in range(0, len(faces.subjects), _BLOCK):
        rows = torch.from_numpy(faces.embeddings[first : first + _BLOCK]).double()
        vectors.index_add_(0, torch.from_numpy(faces.subjects[first : first + _BLOCK]), rows)
    return vectors.numpy()


def _pairs_of_one_subject(side: Faces, other: Faces) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield the rows of all pairs of one subject, some at a time; within one list, each pair once."""
    order = np.argsort(other.subjects, kind="stable")
    ranked = other.subjects[order]
    ends = np.searchsorted(ranked, side.subjects, side="right")
    if side is other:
        begins = np.empty_like(ends)
        begins[order] = np.arange(1, len(order) + 1)
    else:
        begins = np.searchsorted(ranked, side.subjects, side="left")
    lengths = ends - begins
    so_far = np.cumsum(lengths)
    row = 0
    while row < len(lengths):
        before = so_far[row - 1] if row else 0
        stop = max(int(np.searchsorted(so_far, before + _AT_ONCE, side="right")), row + 1)
        here = lengths[row:stop]
        i = np.repeat(np.arange(row, stop), here)
        within = np.arange(len(i)) - np.repeat(np.cumsum(here) - here, here)
        yield i, order[np.repeat(begins[row:stop], here) + within]
        row = stop


def _dots(side: Faces, other: Faces, i: NDArray[np.int64], j: NDArray[np.int64]) -> NDArray[np.float32]:
    found = np.empty(len(i), np.float32)
    for first in range(0, len(i), _DOTS):
        here = slice(first, first + _DOTS)
        # Taken by NumPy: of what PyTorch takes and frees in turns, the C library does not use all again.
        one, two = np.take(side.embeddings, i[here], axis=0), np.take(other.embeddings, j[here], axis=0)
        found[here] = torch.from_numpy(one).mul_(torch.from_numpy(two)).sum(1).numpy()
    return found
