"""The rank of every probe, counted along with all pairs and without keeping a score.

The rank of a probe is 1 plus the number of impostor scores that are strictly greater than the probe's best authentic
score. The authentic scores are few: :func:`best_authentic` computes them first. Then, of every tile of pairs that is
computed anyway, :class:`RankCounter` counts for each probe the scores above its best authentic score, and keeps the
highest. Within one list every face is a probe and each pair is computed once, so that a tile is looked at by its rows
and by its columns.

Memory goes with the probes alone, 20 bytes each.
"""

import math
import threading
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.matching.cosine import exact_steps
from facepart.matching.faces import Faces
from facepart.matching.threads import one_thread_each

# Probes, and gallery faces, whose authentic scores are computed at a time. Faces of one subject stand side by side,
# so that a few probes have their partners among few gallery faces.
_PROBES, _GALLERY = 64, 4096
# Up to this share of the probes of a tile with scores above their best authentic one, these are looked at by
# themselves.
_FEW = 0.25


class RankCounts(NamedTuple):
    """What was counted for some probes.

    Attributes:
        places: int64, (k,), ascending, which probes these are.
        above: int64, (k,), impostor scores above the best authentic score; 0 where there is none.
        highest: float32, (k,), the highest impostor score in millionths; -inf where there is none.
    """

    places: NDArray[np.int64]
    above: NDArray[np.int64]
    highest: NDArray[np.float32]


class RankCounter:
    """Counts impostor scores for each probe; several threads may do so at once."""

    def __init__(self, best: NDArray[np.float32], device: str = "cpu", first: int = 0) -> None:
        """Count for some probes.

        Args:
            best: float32, (n,), their best authentic scores in millionths; -inf, or inf, for a probe without any.
            device: where the scores are.
            first: the number of the first of these probes, where they are some of many.
        """
        self._first = first
        # Without an authentic score no rank is counted: nothing is above.
        self._best = np.where(np.isneginf(best), np.float32(np.inf), best)
        self._bars = torch.from_numpy(self._best).to(device)
        self._above = np.zeros(len(best), np.int64)
        self._highest = np.full(len(best), -np.inf, np.float32)
        self._lock = threading.Lock()

    def add(self, first: int, steps: torch.Tensor) -> None:
        """Count scores.

        Args:
            first: which of these probes the first row belongs to.
            steps: float32, (r, c), of the probes of the rows, in whole millionths; -inf where there is no impostor
                pair. It may be a transposed view.
        """
        here = slice(first, first + len(steps))
        highest = steps.amax(1).cpu().numpy()
        if steps.device.type == "cpu":
            above = count_above(steps.numpy(), self._best[here], highest)
        else:
            above = (steps > self._bars[here, None]).sum(1).cpu().numpy()
        with self._lock:
            np.maximum(self._highest[here], highest, out=self._highest[here])
            if above is not None:
                self._above[here] += above

    def take(self, counts: RankCounts) -> None:
        """Add what was counted elsewhere for these probes, or for some of them."""
        here = counts.places - self._first
        with self._lock:
            self._above[here] += counts.above
            self._highest[here] = np.maximum(self._highest[here], counts.highest)

    def best(self, first: int, end: int) -> NDArray[np.float32]:
        """Return what a counter of the probes from `first` to `end` (without that one) is made of."""
        return self._best[first:end]

    def counts(self) -> RankCounts:
        """Return what was counted."""
        places = np.arange(self._first, self._first + len(self._above))
        return RankCounts(places, self._above, self._highest)


class RankedSides(NamedTuple):
    """The probes among the two sides of a comparison.

    Attributes:
        rows: the probes in the rows.
        columns: those in the columns; None if the columns are a gallery.
    """

    rows: RankCounter
    columns: RankCounter | None

    def add(self, row: int, column: int, steps: torch.Tensor, skipped: torch.Tensor | None) -> None:
        """Count the scores of a tile.

        Args:
            row: the face of its first row.
            column: the face of its first column.
            steps: float32, (r, c), its scores in whole millionths; left as they are.
            skipped: bool, (r, c), which are not of impostor pairs; None if all are.
        """
        if skipped is not None:
            steps = steps.masked_fill(skipped, -math.inf)
        self.rows.add(row, steps)
        if self.columns is not None:
            self.columns.add(column, steps.T)


def ranked_sides(probes: RankCounter | None, gallery: object) -> RankedSides | None:
    """Return the probes of a comparison with a gallery; if it is None the probes are compared with each other."""
    return None if probes is None else RankedSides(probes, probes if gallery is None else None)


def best_authentic(probe: Faces, gallery: Faces | None, workers: int = 1) -> NDArray[np.float32]:
    """Compute the best authentic score of every probe.

    Args:
        probe: the faces that are looked for.
        gallery: those they are compared with; None compares the probes with each other.
        workers: how many threads compute.

    Returns:
        float32, (n,), whole millionths, the same as :func:`~facepart.matching.cosine.tile_steps` gives; -inf for a
        probe without an authentic pair.
    """
    other = probe if gallery is None else gallery
    order, others = (np.argsort(side.subjects, kind="stable") for side in (probe, other))
    ranked, whose = other.subjects[others], probe.subjects[order]
    starts = np.arange(0, len(order), _PROBES)
    # The partners of some probes stand from those of the first one's subject to those of the last one's.
    begins = np.searchsorted(ranked, whose[starts], "left")
    ends = np.searchsorted(ranked, whose[np.minimum(starts + _PROBES, len(order)) - 1], "right")
    best = np.full(len(order), -np.inf, np.float32)
    with one_thread_each(workers) as pool:
        found = [
            pool.submit(_best_among, probe, order[start : start + _PROBES], other, others[begin:end], best)
            for start, begin, end in zip(starts, begins, ends, strict=True)
        ]
        for each in found:
            each.result()
    return best


def added_ranks(*parts: RankCounts | None) -> RankCounts | None:
    """Add up what was counted for probes of one numbering, among several sets of pairs; None if nothing was."""
    there = [part for part in parts if part is not None]
    if not there:
        return None
    places = np.unique(np.concatenate([part.places for part in there]))
    above, highest = np.zeros(len(places), np.int64), np.full(len(places), -np.inf, np.float32)
    for part in there:
        here = np.searchsorted(places, part.places)  # a place stands once in a part
        above[here] += part.above
        highest[here] = np.maximum(highest[here], part.highest)
    return RankCounts(places, above, highest)


def _best_among(
    probe: Faces, rows: NDArray[np.int64], other: Faces, columns: NDArray[np.int64], best: NDArray[np.float32]
) -> None:
    """Set the best authentic scores of some probes, all of whose partners are among `columns` of the other side."""
    for first in range(0, len(columns), _GALLERY):
        some = columns[first : first + _GALLERY]
        sides = (torch.from_numpy(side.embeddings[chosen]) for side, chosen in ((probe, rows), (other, some)))
        compared = probe.subjects[rows, None] == other.subjects[some]
        compared &= probe.photos[rows, None] != other.photos[some]
        if probe.sessions is not None and other.sessions is not None:
            compared &= probe.sessions[rows, None] != other.sessions[some]
        steps = np.where(compared, exact_steps(*sides).numpy(), -np.inf).max(1)
        best[rows] = np.maximum(best[rows], steps)


def count_above(
    scores: NDArray[np.float32], best: NDArray[np.float32], highest: NDArray[np.float32]
) -> NDArray[np.int64] | None:
    """Count the scores of each row that are above a bar of its own.

    Args:
        scores: float32, (r, c).
        best: float32, (r,), the bars.
        highest: float32, (r,), the highest score of each row.

    Returns:
        int64, (r,); None if there are no such scores.
    """
    over = np.flatnonzero(highest > best)
    if not len(over):
        return None
    if len(over) > _FEW * len(best):
        return _count_true(scores > best[:, None])
    above = np.zeros(len(best), np.int64)
    above[over] = (scores[over] > best[over, None]).sum(1)
    return above


def _count_true(mask: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Count the true values of each row, int64, (r,).

    Eight values are added at a time as the bytes of one number, which is 10 times as fast; a byte counts up to 255.
    """
    rows, columns = mask.shape
    if mask.flags.c_contiguous and not columns % 8 and columns <= 8 * 255:
        words = _sum(mask.view(np.int64), 1)
        return words.view(np.uint8).reshape(rows, 8).sum(1, dtype=np.int64)
    if mask.flags.f_contiguous and not rows % 8 and not columns % 4 and columns <= 4 * 255:
        words = _sum(mask.T.view(np.int64).reshape(4, columns // 4, rows // 8), 1)
        return words.view(np.uint8).sum(0, dtype=np.int64)
    return mask.sum(1)


def _sum(numbers: NDArray[np.int64], axis: int) -> NDArray[np.int64]:
    """Add up whole numbers by PyTorch, twice as fast as by NumPy."""
    return torch.from_numpy(numbers).sum(axis).numpy()
