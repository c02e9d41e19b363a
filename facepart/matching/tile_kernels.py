"""Two tiles and their product -> counts of their scores, by functions that Numba compiles.

A product is counted while it is in the core's cache: rounded, counted, and searched for high scores, which PyTorch
does in a pass each. Python runs the same functions, thousands of times slower: they are written for the compiler.

Compiled code is kept in the cache folder, for each processor apart; where that cannot be written, it is compiled in
memory. Loading Numba takes half a second, and compiling three: :func:`kernels_for` returns the kernels only once a
process counts so many pairs that they save more than that.
"""

import shutil
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from tempfile import TemporaryFile
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.cache import cache_folder
from facepart.matching.cosine import UNITS
from facepart.matching.table import AUTHENTIC, VALUES
from facepart.scores import STEPS
from facepart.scores.subject_sums import BIN

# Pairs for each thread, all those that a process counted, from which on Numba is loaded. A pair takes a thread 5 to 8
# ns less with it, so that by then half a second was lost.
COMPILED_FROM = 1 << 26
# Types are those of the loops: what is unsigned is an index that need not be looked at for being negative.
_VALUES = np.uint32(VALUES)
_TOP = np.float32(STEPS)
_ZERO = np.int32(STEPS)
_ONE = np.int32(1)
_BIN = np.uint32(BIN)
_UNIT = np.uint16(1)
_CARRIED = np.uint16(0)  # the lower half after 65536
_AUTHENTIC = np.uint8(AUTHENTIC)
_SQUARED = UNITS**2
_STEPS = np.float64(STEPS)


def count_tile(
    product: NDArray[np.float32],
    scale: np.float32,
    rows: int,
    columns: int,
    kinds: NDArray[np.uint8],
    low: NDArray[np.uint16],
    high: NDArray[np.uint16],
    first: int,
    places: NDArray[np.uint32],
    found: NDArray[np.uint32],
    ends: NDArray[np.int64],
) -> None:
    """Round the product of a tile, count its scores, and list the high impostor scores.

    Args:
        product: float32, (t, t), C order, finite.
        scale: what makes millionths of it.
        rows: how many rows are no padding.
        columns: how many columns are no padding.
        kinds: uint8, (rows, columns), C order, the section of the table for each pair; (0, 0) if all are impostor
            pairs, whose section is 0.
        low: uint16, (3 * VALUES,), of :class:`facepart.matching.table.HalvesTable`: counts are added to it.
        high: uint16, (3 * VALUES,), likewise.
        first: the place in the table where high scores begin; beyond the first section if they are not listed.
        places: uint32, (t,), is overwritten.
        found: uint32, (t * t + 1, 2), is overwritten with the columns of high scores and their places in the table;
            (1, 2) suffices if they are not listed.
        ends: int64, (t,), is overwritten: where in `found` the scores of each row end.
    """
    begin = np.uint32(first)
    mixed = kinds.size > 0
    end = np.uint64(0)
    for i in range(rows):
        for j in range(columns):
            step = np.rint(product[i, j] * scale)
            step = step if step > -_TOP else -_TOP
            step = step if step < _TOP else _TOP
            places[j] = np.uint32(np.int32(step) + _ZERO)
        if mixed:
            for j in range(columns):
                place = places[j]
                kind = np.uint32(kinds[i, j])
                slot = place + kind * _VALUES
                count = np.uint16(low[slot] + _UNIT)
                low[slot] = count
                if count == _CARRIED:
                    high[slot] += _UNIT
                found[end, 0] = np.uint32(j)
                found[end, 1] = place
                end += np.uint64((place >= begin) & (kind == 0))
        else:
            for j in range(columns):
                place = places[j]
                count = np.uint16(low[place] + _UNIT)
                low[place] = count
                if count == _CARRIED:
                    high[place] += _UNIT
                found[end, 0] = np.uint32(j)
                found[end, 1] = place
                end += np.uint64(place >= begin)
        ends[i] = end


def add_tails(
    found: NDArray[np.uint32],
    ends: NDArray[np.int64],
    first: int,
    row_subjects: NDArray[np.int64],
    column_subjects: NDArray[np.int64],
    bins: NDArray[np.int32],
) -> None:
    """Count the high scores of a tile for both of their subjects.

    Args:
        found: those of :func:`count_tile`.
        ends: likewise.
        first: likewise.
        row_subjects: int64, (rows,).
        column_subjects: int64, (columns,).
        bins: int32, (p, k), C order: counts are added to it.
    """
    high = np.uint32(first)
    begin = 0
    for i in range(len(row_subjects)):
        own = row_subjects[i]
        for k in range(begin, ends[i]):
            place = (found[k, 1] - high) // _BIN
            bins[own, place] += _ONE
            bins[column_subjects[found[k, 0]], place] += _ONE
        begin = ends[i]


def score_authentic(
    probe: NDArray[np.float32], gallery: NDArray[np.float32], kinds: NDArray[np.uint8], steps: NDArray[np.float32]
) -> None:
    """Replace the scores of authentic pairs by exact ones, which :func:`facepart.matching.cosine.exact_steps` gives.

    Args:
        probe: float32, (t, d), C order, rows of length 1, or of zeros.
        gallery: float32, (t, d), likewise.
        kinds: those of :func:`count_tile`.
        steps: float32, (t, t), scores in millionths; is overwritten where a pair is authentic.
    """
    rows, columns = kinds.shape
    for i in range(rows):
        for j in range(columns):
            if kinds[i, j] == _AUTHENTIC:
                total = 0.0
                for k in range(probe.shape[1]):
                    # Whole numbers, whose sum is exact in whatever order the compiler takes it.
                    total += np.rint(np.float64(probe[i, k]) * UNITS) * np.rint(np.float64(gallery[j, k]) * UNITS)
                step = np.rint(total / _SQUARED * _STEPS)
                steps[i, j] = np.float32(min(max(step, -_STEPS), _STEPS))


class Kernels(NamedTuple):
    """The functions of this module, compiled; they let other threads run meanwhile."""

    count_tile: Callable[..., None]
    add_tails: Callable[..., None]
    score_authentic: Callable[..., None]


_TYPES = Kernels(
    "void(f4[:,::1], f4, i8, i8, u1[:,::1], u2[::1], u2[::1], i8, u4[::1], u4[:,::1], i8[::1])",  # type: ignore[arg-type]
    "void(u4[:,::1], i8[::1], i8, i8[::1], i8[::1], i4[:,::1])",  # type: ignore[arg-type]
    "void(f4[:,::1], f4[:,::1], u1[:,::1], f4[:,::1])",  # type: ignore[arg-type]
)


class _Pairs:
    """The pairs for each thread that this process counted."""

    def __init__(self) -> None:
        self._count = 0.0
        self._lock = threading.Lock()

    def add(self, count: float) -> float:
        """Add some more, and return all."""
        with self._lock:
            self._count += count
            return self._count


_PAIRS = _Pairs()


def kernels_for(pairs: int, workers: int) -> Kernels | None:
    """Return the kernels if it pays to load them: if, with these, there were COMPILED_FROM pairs for each thread.

    Args:
        pairs: which are about to be counted.
        workers: the threads that count them.
    """
    return load_kernels() if _PAIRS.add(pairs / workers) >= COMPILED_FROM else None


@cache
def load_kernels() -> Kernels | None:
    """Load the kernels, or compile them; None if Numba is told by its own variable not to compile."""
    import numba

    if numba.config.DISABLE_JIT:
        return None
    folder = _folder()
    if folder is not None:
        before = numba.config.CACHE_DIR
        numba.config.CACHE_DIR = str(folder)
        try:
            return _compile(numba, keep=True)
        except Exception:  # a damaged file makes a pickle raise anything
            shutil.rmtree(folder, ignore_errors=True)
        finally:
            numba.config.CACHE_DIR = before
    return _compile(numba, keep=False)


def _compile(numba: Any, *, keep: bool) -> Kernels:
    functions = count_tile, add_tails, score_authentic
    compiled = (
        # Sums may be taken in any order, which changes none here, so that they are vectorised.
        numba.njit(types, nogil=True, cache=keep, fastmath={"reassoc"})(function)
        for types, function in zip(_TYPES, functions, strict=True)
    )
    return Kernels(*compiled)


def _folder() -> Path | None:
    """Return the folder for compiled kernels; None if it cannot be written."""
    try:
        folder = cache_folder() / "kernels"
        folder.mkdir(parents=True, exist_ok=True)
        with TemporaryFile(dir=folder):
            pass
    except (OSError, FacepartError):
        return None
    return folder
