"""Tiles of pairs -> counts of their scores, by PyTorch or by compiled kernels; the counts are the same.

PyTorch counts on CUDA, and few pairs on the CPU, where loading the kernels would take longer than they save.
"""

from typing import NamedTuple, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from facepart.matching.cosine import round_steps, tile_steps
from facepart.matching.rank_counter import RankedSides
from facepart.matching.subject_statistics import SubjectTailCounts
from facepart.matching.table import AUTHENTIC, LEFT_OUT, VALUES, HalvesTable, Total, WaitingTable
from facepart.matching.tile_kernels import Kernels
from facepart.scores import STEPS

_ALL_IMPOSTOR = np.empty((0, 0), np.uint8)


class Masks(NamedTuple):
    """Which pairs of a tile are not impostor pairs.

    Attributes:
        authentic: bool, (r, c).
        left_out: bool, (r, c).
    """

    authentic: torch.Tensor
    left_out: torch.Tensor

    def kinds(self) -> NDArray[np.uint8]:
        """Return the section of the table for each pair, uint8, (r, c); on the CPU only."""
        return (
            self.authentic.to(torch.uint8).mul_(AUTHENTIC).add_(self.left_out.to(torch.uint8), alpha=LEFT_OUT).numpy()
        )


class Tile(NamedTuple):
    """The pairs of some probes and some gallery faces.

    Attributes:
        row: the first probe.
        column: the first gallery face.
        probe: float32, (t, d), embeddings, padded.
        gallery: float32, (t, d), likewise.
        probe_subjects: int64, (r,), without the padding, as all that follows.
        gallery_subjects: int64, (c,).
        masks: None if all are impostor pairs.
    """

    row: int
    column: int
    probe: torch.Tensor
    gallery: torch.Tensor
    probe_subjects: torch.Tensor
    gallery_subjects: torch.Tensor
    masks: Masks | None

    @property
    def shape(self) -> tuple[int, int]:
        """How many probes and gallery faces there are, without the padding."""
        return len(self.probe_subjects), len(self.gallery_subjects)

    def count_ranks(self, steps: torch.Tensor, ranks: RankedSides) -> None:
        """Count the scores of the tile, float32 (r, c), for the ranks."""
        ranks.add(self.row, self.column, steps, self.masks and self.masks.authentic | self.masks.left_out)


class TileCounter(Protocol):
    """What one thread counts tiles with."""

    def count(self, tile: Tile, tails: SubjectTailCounts | None, ranks: RankedSides | None) -> None:
        """Count the scores of a tile."""
        ...

    def finish(self) -> None:
        """Bring all counts to the total."""
        ...


class PyTorchCounter:
    """Counts by PyTorch."""

    def __init__(self, total: Total, tile: int, device: str = "cpu") -> None:
        self._table = WaitingTable(total, tile, device)
        self._product = torch.empty(tile, tile, device=device)

    def count(self, tile: Tile, tails: SubjectTailCounts | None, ranks: RankedSides | None) -> None:
        """Count the scores of a tile."""
        steps = tile_steps(tile.probe, tile.gallery, tile.masks and tile.masks.authentic, self._product)
        # What is padding is cut off only now: the product is of one shape everywhere.
        rows, columns = tile.shape
        steps = steps[:rows, :columns]
        if ranks is not None:
            tile.count_ranks(steps, ranks)
        if tails is not None:
            above = steps >= tails.first_bin
            if tile.masks is not None:
                above &= ~(tile.masks.authentic | tile.masks.left_out)
            found = _true_places(above)
            i = torch.div(found, steps.shape[1], rounding_mode="floor")
            j = found - i * steps.shape[1]
            tails.add(tile.probe_subjects[i], tile.gallery_subjects[j], steps.reshape(-1)[found])
        places = self._table.room(*steps.shape).copy_(steps).add_(STEPS)
        if tile.masks is not None:
            places.add_(tile.masks.authentic.to(torch.int32), alpha=AUTHENTIC * VALUES)
            places.add_(tile.masks.left_out.to(torch.int32), alpha=LEFT_OUT * VALUES)

    def finish(self) -> None:
        """Bring all counts to the total."""
        self._table.finish()


class CompiledCounter:
    """Counts by compiled kernels, on the CPU."""

    def __init__(self, total: Total, tile: int, kernels: Kernels, *, with_tails: bool) -> None:
        self._table = HalvesTable(total)
        self._kernels = kernels
        self._product = torch.empty(tile, tile)
        self._places = np.empty(tile, np.uint32)
        self._found = np.empty((tile * tile + 1 if with_tails else 1, 2), np.uint32)
        self._ends = np.empty(tile, np.int64)

    def count(self, tile: Tile, tails: SubjectTailCounts | None, ranks: RankedSides | None) -> None:
        """Count the scores of a tile."""
        rows, columns = tile.shape
        kinds = _ALL_IMPOSTOR if tile.masks is None else tile.masks.kinds()
        torch.mm(tile.probe, tile.gallery.T, out=self._product)
        scale = STEPS  # the kernel rounds
        if tile.masks is not None or ranks is not None:
            round_steps(self._product)
            scale = 1
        if tile.masks is not None:
            self._kernels.score_authentic(tile.probe.numpy(), tile.gallery.numpy(), kinds, self._product.numpy())
        if ranks is not None:
            tile.count_ranks(self._product[:rows, :columns], ranks)
        self._table.make_room(rows * columns)
        first = VALUES if tails is None else tails.first_bin + STEPS
        self._kernels.count_tile(
            self._product.numpy(),
            scale,
            rows,
            columns,
            kinds,
            self._table.low,
            self._table.high,
            first,
            self._places,
            self._found,
            self._ends,
        )
        if tails is not None:
            subjects = tile.probe_subjects.numpy(), tile.gallery_subjects.numpy()
            with tails.locked() as bins:
                self._kernels.add_tails(self._found, self._ends, first, *subjects, bins)

    def finish(self) -> None:
        """Bring all counts to the total."""
        self._table.finish()


def _true_places(mask: torch.Tensor) -> torch.Tensor:
    """Return the places in row-major order where a mask is true; on the CPU NumPy finds few 4 times as fast."""
    if mask.device.type == "cpu":
        return torch.from_numpy(np.flatnonzero(mask.numpy()))
    return mask.view(-1).nonzero().view(-1)
