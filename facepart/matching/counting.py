"""All pairs of faces -> how often every score occurs, without keeping a score.

The faces are first put in the order of their subjects. Then nearly every tile of pairs holds impostor pairs alone and
needs no mask; only where the subjects of a tile's two sides overlap is each of its pairs looked at.
:mod:`facepart.matching.table` turns the scores of tiles into counts.

A strip is a row of tiles: some probes against all of the gallery, or what of it comes after them. Threads take one
strip after the other. All counting uses :func:`count_strips`: :func:`count_scores` for all pairs, and each task of
:mod:`facepart.cluster` for some.

On CUDA the same code runs with larger tiles. The counts are the same but for float32 rounding: a GPU's BLAS adds in
another order, which moves about one score in a hundred by one step of 1e-6.
"""

from queue import SimpleQueue
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.files.progress import Progress, silent
from facepart.matching.cosine import TILE, padded
from facepart.matching.faces import Faces
from facepart.matching.rank_counter import RankCounter, RankedSides, ranked_sides
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.matching.table import Total, scores_of_table
from facepart.matching.threads import one_thread_each
from facepart.matching.tile_counters import CompiledCounter, Masks, PyTorchCounter, Tile, TileCounter
from facepart.matching.tile_kernels import kernels_for
from facepart.scores import GroupScores

# On CUDA a tile's product, 4096 x 4096, takes 64 MB: enough work for the GPU, and little memory.
CUDA_TILE = 4096


def arranged(faces: Faces, order: NDArray[np.int64], tile: int) -> Faces:
    """Return faces in another order, their embeddings padded with rows of zeros to whole tiles.

    Args:
        faces: any.
        order: int64, (k,), the rows that are wanted.
        tile: faces on either side of a tile.
    """
    sessions = None if faces.sessions is None else faces.sessions[order]
    return Faces(padded(faces.embeddings, tile, order).numpy(), faces.subjects[order], faces.photos[order], sessions)


class Side:
    """A side of the comparison on the device.

    Attributes:
        count: its faces, without the padding.
        embeddings: float32, padded to whole tiles.
        subjects: int64, (count,), ascending.
        photos: int64, (count,).
        sessions: int64, (count,), or None.
        tile: faces on either side of a tile.
    """

    def __init__(self, faces: Faces, tile: int, device: str = "cpu") -> None:
        """Take over faces that are :func:`arranged` in the order of their subjects."""
        self.tile = tile
        self.count = len(faces.subjects)
        self.embeddings = torch.from_numpy(faces.embeddings).to(device)
        self.subjects = torch.from_numpy(faces.subjects).to(device)
        self.photos = torch.from_numpy(faces.photos).to(device)
        self.sessions = None if faces.sessions is None else torch.from_numpy(faces.sessions).to(device)
        # Whether the subjects of two tiles overlap is found without asking the device.
        self.firsts = faces.subjects[::tile].tolist()
        self.lasts = faces.subjects[tile - 1 :: tile].tolist() + faces.subjects[-1:].tolist()


class Strip(NamedTuple):
    """A row of tiles.

    Attributes:
        row: its first probe.
        column: the first gallery face that it is compared with.
        size: how many pairs are looked at.
    """

    row: int
    column: int
    size: int


def strips_of(rows: int, columns: int | None, tile: int) -> list[Strip]:
    """List the strips that so many probes and gallery faces make, the longest ones first where they differ.

    Args:
        rows: how many probes there are.
        columns: how many gallery faces; None if the probes are compared with each other.
        tile: faces on either side of a tile.
    """
    # Within one list the longest strips come first by themselves, so that the threads end together.
    firsts = [(row, row if columns is None else 0) for row in range(0, rows, tile)]
    other = rows if columns is None else columns
    return [Strip(row, first, min(tile, rows - row) * (other - first)) for row, first in firsts]


def count_scores(
    probe: Faces,
    gallery: Faces | None = None,
    *,
    workers: int,
    device: str = "cpu",
    tile: int | None = None,
    tails: SubjectTailCounts | None = None,
    ranks: RankCounter | None = None,
    progress: Progress = silent,
) -> GroupScores:
    """Compare the faces and count their scores.

    Neither the number of workers nor the size of the tiles nor the order of the faces changes the counts; see
    :mod:`facepart.matching.cosine` for the reason.

    Args:
        probe: the faces that are looked for.
        gallery: those they are compared with; None compares the probes with each other.
        workers: on the CPU, how many tiles are worked on at once, each by one thread.
        device: ``cpu``, ``cuda`` or ``cuda:<number>``.
        tile: faces on either side of a tile; None for what suits the device.
        tails: counts the high impostor scores by subject, too; on the same device.
        ranks: where the ranks of the probes are counted, which stand there in the order of :func:`subject_order`; on
            the same device.
        progress: is called with (pairs looked at, pairs in all).

    Returns:
        The distributions of the authentic and the impostor scores.
    """
    tile = tile or (TILE if device == "cpu" else CUDA_TILE)
    rows = _by_subject(probe, tile, device)
    columns = None if gallery is None else _by_subject(gallery, tile, device)
    sides = ranked_sides(ranks, gallery)
    return scores_of_table(count_strips(rows, columns, workers=workers, tails=tails, ranks=sides, progress=progress))


def count_strips(
    rows: Side,
    columns: Side | None,
    *,
    workers: int,
    tails: SubjectTailCounts | None = None,
    ranks: RankedSides | None = None,
    progress: Progress = silent,
) -> NDArray[np.int64]:
    """Count the scores of two sides, strip by strip.

    Args:
        rows: the faces that are looked for.
        columns: those they are compared with, on the same device; None compares `rows` with each other.
        workers: threads on the CPU.
        tails: counts the high impostor scores by subject, too.
        ranks: where the ranks of the probes are counted, who stand there in the order that they have here.
        progress: is called with (pairs looked at, pairs in all).

    Returns:
        int64, (3 * VALUES,), of :mod:`facepart.matching.table`.
    """
    other = rows if columns is None else columns
    strips = strips_of(rows.count, None if columns is None else columns.count, rows.tile)
    done, pairs = 0, sum(strip.size for strip in strips)
    total = Total(str(rows.embeddings.device))
    # Made in this thread: the C library keeps what threads that ended had freed, for each of them apart, so that in a
    # process that counts again and again tables made there, 24 MB each, would pile up.
    counters = _counters(rows, total, pairs, workers, with_tails=tails is not None)
    unused: SimpleQueue[TileCounter] = SimpleQueue()
    for counter in counters:
        unused.put(counter)

    def count(strip: Strip) -> None:
        counter = unused.get()
        for column in range(strip.column, other.count, rows.tile):
            counter.count(_tile(rows, other, strip.row, column, within=columns is None), tails, ranks)
        unused.put(counter)

    with one_thread_each(len(counters)) as pool:
        for strip, counted in zip(strips, [pool.submit(count, strip) for strip in strips], strict=True):
            counted.result()
            done += strip.size
            progress(done, pairs)
        for finished in [pool.submit(counter.finish) for counter in counters]:
            finished.result()
    return total.counts.cpu().numpy()


def _counters(rows: Side, total: Total, pairs: int, workers: int, *, with_tails: bool) -> list[TileCounter]:
    """Make a counter for each thread."""
    device = rows.embeddings.device
    if device.type != "cpu":
        return [PyTorchCounter(total, rows.tile, str(device))]
    kernels = kernels_for(pairs, workers)
    if kernels is None:
        return [PyTorchCounter(total, rows.tile) for _ in range(workers)]
    return [CompiledCounter(total, rows.tile, kernels, with_tails=with_tails) for _ in range(workers)]


def subject_order(faces: Faces) -> NDArray[np.int64]:
    """Return the order of their subjects in which faces are compared, int64, (n,)."""
    return np.argsort(faces.subjects, kind="stable")


def _by_subject(faces: Faces, tile: int, device: str) -> Side:
    return Side(arranged(faces, subject_order(faces), tile), tile, device)


def _tile(rows: Side, columns: Side, row: int, column: int, *, within: bool) -> Tile:
    """Return the tile of the faces from `row` and `column` on."""
    tile = rows.tile
    ours, theirs = slice(row, row + tile), slice(column, column + tile)
    masks = None
    if _may_share_subjects(rows, columns, row // tile, column // tile):
        left_out = rows.photos[ours, None] == columns.photos[theirs]
        if rows.sessions is not None and columns.sessions is not None:
            left_out |= rows.sessions[ours, None] == columns.sessions[theirs]
        if within and row == column:
            left_out |= torch.ones_like(left_out).tril()
        masks = Masks((rows.subjects[ours, None] == columns.subjects[theirs]) & ~left_out, left_out)
    embeddings = rows.embeddings[ours], columns.embeddings[theirs]
    return Tile(row, column, *embeddings, rows.subjects[ours], columns.subjects[theirs], masks)


def _may_share_subjects(rows: Side, columns: Side, row: int, column: int) -> bool:
    return bool(rows.firsts[row] <= columns.lasts[column] and columns.firsts[column] <= rows.lasts[row])
