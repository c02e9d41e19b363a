"""The files of a matrix of features, read: names and rows."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import is_address, on_disk
from facepart.files.array_input import read_array
from facepart.pipeline.feature_check import are_unit

# Rows that are checked at a time.
_BLOCK_ROWS = 1024


def read_names(path: Path) -> list[str]:
    """Read a name a line.

    Raises:
        FacepartError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise FacepartError(f"{path}: cannot be read; redo everything with --overwrite") from error


def goes_with(label: str, name: str) -> bool:
    """Return whether a label may be that of a photo: both are ends of the path of its feature.

    Example:
        >>> goes_with("a/1", "p/a/1"), goes_with("features/1", "1"), goes_with("a/1", "a/2")
        (True, True, False)
    """
    ends = [text.split("/") for text in (label, name)]
    common = min(map(len, ends))
    return ends[0][-common:] == ends[1][-common:]


@contextmanager
def matrix_on_disk(path: Path) -> Iterator[Path]:
    """Yield a path on this machine with a matrix.

    Raises:
        FacepartError: there is none, or it cannot be read.
    """
    try:
        with on_disk(path) as found:
            yield found
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: is missing; redo everything with --overwrite") from error


def load_rows(path: Path, shown: Path, *, mapped: bool = False) -> NDArray[np.float32]:
    """Load an array.

    Args:
        path: of the file.
        shown: its name in the message.
        mapped: leave it on disk, and map it.

    Raises:
        FacepartError: it cannot be read.
    """
    try:
        return read_array(path, "a whole array of features", mapped=mapped, shown=shown)
    except FileNotFoundError as error:
        raise FacepartError(f"{shown}: is missing; redo everything with --overwrite") from error
    except FacepartError as error:
        raise FacepartError(f"{error}; remove it, or redo everything with --overwrite") from error


def find_whole_rows(path: Path, names: Sequence[str], dimension: int) -> dict[str, int]:
    """Find the rows of a matrix that are as they were written.

    Args:
        path: of the matrix.
        names: whose rows they are, in order; those of rows that are left out are empty.
        dimension: d, the number of values that a row has.

    Returns:
        Name -> row; empty if the matrix is missing, damaged, or not of shape (names, d); without the rows whose
        length is not 1.

    Raises:
        FacepartError: it is at an address, and cannot be read.
    """
    try:
        with on_disk(path) as here:
            rows = read_array(here, "a matrix of features", mapped=True, shown=path)
            if rows.dtype != np.float32 or rows.shape != (len(names), dimension):
                return {}
            whole = [are_unit(rows[first : first + _BLOCK_ROWS]) for first in range(0, len(rows), _BLOCK_ROWS)]
    except FileNotFoundError:
        return {}
    except FacepartError:
        if is_address(path):
            raise
        return {}
    found = np.flatnonzero(np.concatenate(whole)).tolist() if whole else []
    return {names[row]: row for row in found if names[row]}
