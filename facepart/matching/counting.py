"""All pairs of faces -> how often every score occurs, without keeping a score.

The faces are first put in the order of their subjects. Then nearly every tile of pairs holds impostor pairs alone and
needs no mask; only where the subjects of a tile's two sides overlap is each of its pairs looked at.

Scores are counted by adding ones to a table, those of some tiles together: a product pushes the table out of a core's
own cache, so that a tile's scores alone would find it cold. The table has a section for each kind of pair (impostor,
authentic, left out), so that the kind is an offset and every pair is counted by the same addition.

On CUDA the same code runs with larger tiles. The counts are the same but for float32 rounding: a GPU's BLAS adds in
another order, which moves about one score in a hundred by one step of 1e-6.
"""

import threading

import numpy as np
import torch

from facepart.files.progress import Progress, silent
from facepart.matching.cosine import TILE, one_thread_each, padded, tile_steps
from facepart.matching.faces import Faces
from facepart.matching.people import HighScores
from facepart.scores import STEPS, GroupScores, ScoreDistribution

# On CUDA a tile's product, 4096 x 4096, takes 64 MB: enough work for the GPU, and little memory.
CUDA_TILE = 4096

_VALUES = 2 * STEPS + 1
_AUTHENTIC, _LEFT_OUT = 1, 2  # the sections after that of the impostor pairs
# A table counts in 32 bits, half the cache that 64 take, and is added up before one of its counts could overflow.
_FULL = 2**31 - 1
# Scores that are counted together, 8 MB of them. Measured on two cores, a pair's counting takes 3.4 ns with the
# scores of one tile, 1.6 ns with those of eight, and as much with more; its product takes 6 ns.
_AT_ONCE = 1 << 21


class _Side:
    """A side of the comparison on the device: its faces by subject, padded to whole tiles."""

    def __init__(self, faces: Faces, tile: int, device: str) -> None:
        order = np.argsort(faces.subjects, kind="stable")
        subjects = faces.subjects[order]
        self.count = len(order)
        self.embeddings = padded(faces.embeddings, tile, order).to(device)
        self.subjects = torch.from_numpy(subjects).to(device)
        self.photos = torch.from_numpy(faces.photos[order]).to(device)
        # Whether the subjects of two tiles overlap is found without asking the device.
        self.firsts = subjects[::tile].tolist()
        self.lasts = subjects[tile - 1 :: tile].tolist() + subjects[-1:].tolist()


class _Total:
    """The counts of all threads, 64 bits each."""

    def __init__(self, device: str) -> None:
        self.counts = torch.zeros(3 * _VALUES, dtype=torch.int64, device=device)
        self._lock = threading.Lock()

    def take(self, counts: torch.Tensor) -> None:
        """Add the counts of a thread, and set them to 0."""
        with self._lock:
            self.counts += counts
        counts.zero_()


class _Table:
    """Counts of one thread, and what is in the way of its tiles."""

    def __init__(self, total: _Total, tile: int, device: str) -> None:
        self.product = torch.empty(tile, tile, device=device)
        self._total = total
        self._counts = torch.zeros(3 * _VALUES, dtype=torch.int32, device=device)
        self._waiting = torch.empty(max(_AT_ONCE, tile * tile), dtype=torch.int32, device=device)
        self._one = torch.ones(1, dtype=torch.int32, device=device)
        self._filled = self._counted = 0

    def room(self, rows: int, columns: int) -> torch.Tensor:
        """Give int32, (rows, columns), to be filled with the places in the table that are to be counted."""
        size = rows * columns
        if self._filled + size > len(self._waiting):
            self._count()
        self._filled += size
        return self._waiting[self._filled - size : self._filled].view(rows, columns)

    def finish(self) -> None:
        """Bring all that was filled in to the total."""
        self._count()
        self._total.take(self._counts)

    def _count(self) -> None:
        if self._counted + self._filled > _FULL:
            self._total.take(self._counts)
            self._counted = 0
        self._counts.index_add_(0, self._waiting[: self._filled], self._one.expand(self._filled))
        self._counted += self._filled
        self._filled = 0


def count_scores(
    probe: Faces,
    gallery: Faces | None = None,
    *,
    workers: int,
    device: str = "cpu",
    tile: int | None = None,
    high: HighScores | None = None,
    progress: Progress = silent,
) -> GroupScores:
    """Compare the faces and count their scores.

    Neither the number of workers nor the size of the tiles nor the order of the faces changes the counts; what that
    rests on is told in :mod:`facepart.matching.cosine`.

    Args:
        probe: the faces that are looked for.
        gallery: those they are compared with; None compares the probes with each other.
        workers: on the CPU, how many tiles are worked on at once, each by one thread.
        device: ``cpu``, ``cuda`` or ``cuda:<number>``.
        tile: faces on either side of a tile; None for what suits the device.
        high: where the high impostor scores are counted by person, too; on the same device.
        progress: told (pairs looked at, pairs in all).

    Returns:
        The distributions of the authentic and the impostor scores.
    """
    on_cpu = device == "cpu"
    tile = tile or (TILE if on_cpu else CUDA_TILE)
    rows = _Side(probe, tile, device)
    columns = rows if gallery is None else _Side(gallery, tile, device)
    local = threading.local()
    tables: list[_Table] = []
    total = _Total(device)

    def count_strip(row: int, first: int) -> None:
        if not hasattr(local, "table"):
            local.table = _Table(total, tile, device)
            tables.append(local.table)
        for column in range(first, columns.count, tile):
            _count_tile(rows, columns, row, column, tile, local.table, high, within=gallery is None)

    # Within one list the longest strips come first, so that the threads end together.
    strips = [(row, row if gallery is None else 0) for row in range(0, rows.count, tile)]
    sizes = [min(tile, rows.count - row) * (columns.count - first) for row, first in strips]
    done, pairs = 0, sum(sizes)
    with one_thread_each(workers if on_cpu else 1) as pool:
        for strip, size in zip([pool.submit(count_strip, *strip) for strip in strips], sizes, strict=True):
            strip.result()
            done += size
            progress(done, pairs)
    for table in tables:
        table.finish()
    impostor, authentic, _ = total.counts.cpu().numpy().reshape(3, _VALUES)
    return GroupScores(ScoreDistribution.of_table(authentic), ScoreDistribution.of_table(impostor))


def _count_tile(
    rows: _Side,
    columns: _Side,
    row: int,
    column: int,
    tile: int,
    table: _Table,
    high: HighScores | None,
    *,
    within: bool,
) -> None:
    """Count the scores of one tile."""
    ours, theirs = slice(row, row + tile), slice(column, column + tile)
    left_out = authentic = None
    if _may_share_subjects(rows, columns, row // tile, column // tile):
        left_out = rows.photos[ours, None] == columns.photos[theirs]
        if within and row == column:
            left_out |= torch.ones_like(left_out).tril()
        authentic = (rows.subjects[ours, None] == columns.subjects[theirs]) & ~left_out
    steps = tile_steps(rows.embeddings[ours], columns.embeddings[theirs], authentic, table.product)
    # What is padding is cut off only now: the product is of one shape everywhere.
    steps = steps[: rows.count - row, : columns.count - column]
    if high is not None:
        above = steps >= high.lowest
        if authentic is not None and left_out is not None:
            above &= ~(authentic | left_out)
        found = _true_places(above)
        i = torch.div(found, steps.shape[1], rounding_mode="floor")
        j = found - i * steps.shape[1]
        high.add(rows.subjects[ours][i], columns.subjects[theirs][j], steps.reshape(-1)[found])
    places = table.room(*steps.shape).copy_(steps).add_(STEPS)
    if authentic is not None and left_out is not None:
        places.add_(authentic.to(torch.int32), alpha=_AUTHENTIC * _VALUES)
        places.add_(left_out.to(torch.int32), alpha=_LEFT_OUT * _VALUES)


def _true_places(mask: torch.Tensor) -> torch.Tensor:
    """Give the places in row-major order where a mask is true; on the CPU NumPy finds few in many 4 times as fast."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.view(-1).nonzero().view(-1)


def _may_share_subjects(rows: _Side, columns: _Side, row: int, column: int) -> bool:
    return bool(rows.firsts[row] <= columns.lasts[column] and columns.firsts[column] <= rows.lasts[row])
