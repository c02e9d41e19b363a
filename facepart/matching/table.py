"""Scores, in whole millionths -> how often each occurs, by adding ones to a table.

PyTorch counts the scores of some tiles together: a product pushes the table out of a core's own cache, so that a
tile's scores alone would find it cold. The table has a section for each kind of pair (impostor, authentic, left out),
so that the kind is an offset and every pair is counted by the same addition.
"""

import threading

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.scores import STEPS, GroupScores, ScoreDistribution

# Scores that there may be: the length of a section.
VALUES = 2 * STEPS + 1
AUTHENTIC, LEFT_OUT = 1, 2  # the sections after that of the impostor pairs
# A table counts in 32 bits, half the cache that 64 take, and is added up before one of its counts could overflow.
_FULL = 2**31 - 1
# Scores that are counted together, 8 MB of them. Measured on two cores, a pair's counting takes 3.4 ns with the
# scores of one tile, 1.6 ns with those of eight, and as much with more; its product takes 6 ns.
_AT_ONCE = 1 << 21


class Total:
    """The counts of all threads.

    Attributes:
        counts: int64, (3 * VALUES,).
    """

    def __init__(self, device: str = "cpu") -> None:
        # By NumPy: the system gives memory to those parts alone that are written to.
        self.counts = torch.from_numpy(np.zeros(3 * VALUES, np.int64)).to(device)
        self._lock = threading.Lock()

    def add(self, places: torch.Tensor, counts: torch.Tensor) -> None:
        """Add counts.

        Args:
            places: int64, (k,), each once.
            counts: (k,), whole numbers.
        """
        with self._lock:
            self.counts[places] += counts


class Table:
    """Counts of one thread, which are emptied before one of them could overflow."""

    def __init__(self, total: Total) -> None:
        self._total = total
        self._counted = 0

    def make_room(self, size: int) -> None:
        """Make sure that so many more scores can be counted without an overflow."""
        if self._counted + size > _FULL:
            self._empty()
            self._counted = 0
        self._counted += size

    def finish(self) -> None:
        """Bring all counts to the total."""
        self._empty()

    def _empty(self) -> None:
        """Add the counts to the total, and set them to 0.

        Most values never occur, and the system gives memory to those parts of a table alone that are written to: what
        is 0 is left alone.
        """
        raise NotImplementedError


class HalvesTable(Table):
    """Counts in two halves of 16 bits, for kernels.

    The lower ones alone are needed nearly always: they take half the cache.

    Attributes:
        low: uint16, (3 * VALUES,), the counts modulo 65536.
        high: uint16, (3 * VALUES,), how often 65536 was counted.
    """

    def __init__(self, total: Total) -> None:
        super().__init__(total)
        # By NumPy, which asks for large pages: a third of the time goes into finding small ones.
        self.low, self.high = (np.zeros(3 * VALUES, np.uint16) for _ in range(2))

    def _empty(self) -> None:
        for counts, unit in ((self.low, 1), (self.high, 1 << 16)):
            places = np.flatnonzero(counts)
            self._total.add(torch.from_numpy(places), torch.from_numpy(counts[places].astype(np.int64) * unit))
            counts[places] = 0


class WaitingTable(Table):
    """Counts by PyTorch, and the scores of some tiles that wait to be counted together."""

    def __init__(self, total: Total, tile: int, device: str = "cpu") -> None:
        super().__init__(total)
        self._counts = torch.zeros(3 * VALUES, dtype=torch.int32, device=device)
        self._waiting = torch.empty(max(_AT_ONCE, tile * tile), dtype=torch.int32, device=device)
        self._one = torch.ones(1, dtype=torch.int32, device=device)
        self._filled = 0

    def room(self, rows: int, columns: int) -> torch.Tensor:
        """Return int32, (rows, columns), to be filled with the places in the table that are to be counted."""
        size = rows * columns
        if self._filled + size > len(self._waiting):
            self._count()
        self._filled += size
        return self._waiting[self._filled - size : self._filled].view(rows, columns)

    def finish(self) -> None:
        """Bring all that was filled in to the total."""
        self._count()
        super().finish()

    def _count(self) -> None:
        self.make_room(self._filled)
        self._counts.index_add_(0, self._waiting[: self._filled], self._one.expand(self._filled))
        self._filled = 0

    def _empty(self) -> None:
        places = self._counts.nonzero().view(-1)
        self._total.add(places, self._counts[places])
        self._counts[places] = 0


def scores_of_table(counts: NDArray[np.int64]) -> GroupScores:
    """Return the distributions that a whole table holds, int64, (3 * VALUES,)."""
    impostor, authentic, _ = counts.reshape(3, VALUES)
    return GroupScores(ScoreDistribution.of_table(authentic), ScoreDistribution.of_table(impostor))
