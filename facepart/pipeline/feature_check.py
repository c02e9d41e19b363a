"""Whether features that are there are as `facepart extract` writes them, checked before a run relies on them."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import ExistingPaths, is_address, read_start
from facepart.files.array_input import read_array
from facepart.files.atomic import npy_bytes

# How far the length of a feature may be from 1: rounding to float32 moves it by 1e-7.
UNIT_TOLERANCE = 1e-3

_THREADS = 4
_BLOCK = 256


def whole_features(existing: ExistingPaths, features: Mapping[str, Path], dimension: int) -> set[str]:
    """Find the features that are there and whole: float32 (d,) of length 1.

    Files on this machine are read. Of those at an address, the sizes are compared.

    Args:
        existing: which files exist.
        features: photo's name -> the file of its feature.
        dimension: d.

    Returns:
        The photos' names; features that are missing, cut short or otherwise damaged are not among them.

    Raises:
        FacepartError: a file holds another array, which is not a feature of this network.
    """
    checker = _Checker(dimension)
    sizes = {name: existing.size(path) for name, path in features.items()}
    whole = {name for name, size in sizes.items() if size == checker.size and is_address(features[name])}
    local = [name for name, size in sizes.items() if size and not is_address(features[name])]
    blocks = [local[first : first + _BLOCK] for first in range(0, len(local), _BLOCK)]
    with ThreadPoolExecutor(_THREADS) as pool:
        checked = pool.map(checker.check, ([features[name] for name in block] for block in blocks))
        for block, found in zip(blocks, checked, strict=True):
            whole.update(name for name, is_whole in zip(block, found, strict=True) if is_whole)
    return whole


def are_unit(rows: NDArray[np.float32]) -> NDArray[np.bool_]:
    """Return which rows, (n, d), have length 1, bool (n,)."""
    with np.errstate(over="ignore", invalid="ignore"):
        return np.abs(np.sqrt(np.einsum("ij,ij->i", rows, rows)) - 1) <= UNIT_TOLERANCE


class _Checker:
    """Knows what a feature of `dimension` values looks like on disk."""

    def __init__(self, dimension: int) -> None:
        sample = npy_bytes(np.zeros(dimension, np.float32))
        self.size, self._dimension = len(sample), dimension
        self._header = sample[: -4 * dimension]

    def check(self, paths: Sequence[Path]) -> NDArray[np.bool_]:
        """Return which files are whole features, bool (n,)."""
        contents = [read_start(path, self.size + 1) for path in paths]
        formed = [len(content) == self.size and content.startswith(self._header) for content in contents]
        rows = np.zeros((len(paths), self._dimension), np.float32)
        for row, path, content, is_formed in zip(rows, paths, contents, formed, strict=True):
            if is_formed:
                row[:] = np.frombuffer(content, np.float32, offset=len(self._header))
            else:
                self._refuse_foreign(path)
        return are_unit(rows)

    def _refuse_foreign(self, path: Path) -> None:
        """Refuse an array that is whole, but none of ours: it is not to be replaced."""
        try:
            found = read_array(path, "a feature")
        except (FacepartError, FileNotFoundError):
            return
        raise FacepartError(
            f"{path}: holds {found.dtype} of shape {found.shape}, not float32 ({self._dimension},); remove it, or "
            "choose another folder"
        )
