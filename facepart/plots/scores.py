"""Score files -> arrays.

Four forms are read: ``.npy`` of shape (n, 3), as the matcher writes them (probe, gallery, score), or (n,); and text
with the same columns, parted by blanks, tabs or commas, as older programs write it.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.metrics.scores import checked_scores


@dataclass(frozen=True)
class ScoreSet:
    """The scores of one experiment.

    Attributes:
        label: what a legend calls it.
        authentic: float64, (n,), finite, not empty.
        impostor: float64, (m,), finite, not empty.
    """

    label: str
    authentic: NDArray[np.float64]
    impostor: NDArray[np.float64]


def read_scores(path: Path) -> NDArray[np.float64]:
    """Read the scores of a file, in its order.

    Returns:
        float64, (n,): the third column, or the only one.

    Raises:
        FacepartError: the file is missing or cannot be read, has neither one column nor three, or holds no scores
            or some that are not finite.
    """
    try:
        # Mapped, because of three columns only one is wanted; the files of a large group take gigabytes.
        table: Any = np.load(path, mmap_mode="r") if path.suffix.lower() == ".npy" else _read_text(path)
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such score file") from error
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, EOFError) as error:
        reason = " ".join(str(error).split())
        raise FacepartError(f"{path}: is not a score file, a .npy or a text of numbers ({reason})") from error
    if not isinstance(table, np.ndarray) or table.dtype.kind not in "fiu":
        raise FacepartError(f"{path}: is not a score file: it holds no real numbers")
    if table.ndim == 2 and table.shape[1] in (1, 3):
        table = table[:, -1]
    if table.ndim != 1:
        raise FacepartError(f"{path}: is not a score file: its shape is {table.shape}, not (n, 3) or (n,)")
    return checked_scores(np.array(table, dtype=np.float64), str(path))


def _read_text(path: Path) -> NDArray[np.float64]:
    with path.open(encoding="utf-8-sig") as file:
        lines = [line for line in file if line.strip()]
    if not lines:
        return np.empty(0)
    delimiter = "," if "," in lines[0] else None
    table = np.loadtxt(lines, delimiter=delimiter, ndmin=2)
    return table[:, 0] if table.shape[1] == 1 else table
