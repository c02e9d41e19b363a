"""The files of a matrix of features, read: names and rows."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import on_disk, open_in_pieces


def read_names(path: Path) -> list[str]:
    """Read a name a line.

    Raises:
        FacepartError: the file cannot be read.
    """
    try:
        return path.read_text(encoding="utf-8").split("\n")[:-1]
    except (OSError, UnicodeDecodeError) as error:
        raise FacepartError(f"{path}: cannot be read; redo everything with --overwrite") from error


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
        if mapped:
            return np.load(path, mmap_mode="r", allow_pickle=False)
        with open_in_pieces(path) as file:
            return np.load(file, allow_pickle=False)
    except (OSError, ValueError, EOFError) as error:
        raise FacepartError(f"{shown}: cannot be read; remove it, or redo everything with --overwrite") from error
