"""Score files -> distributions.

Besides ``.npz`` (:mod:`facepart.scores.files`), four forms are read: ``.npy`` of shape (n, 3), as the matcher writes
them (probe, gallery, score), or (n,); and text with the same columns, parted by blanks, tabs or commas, as older
programs write it. Scores that have more than 6 decimals, and those that went through 32-bit floats, are rounded to 6.
"""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.files.addresses import on_disk
from facepart.scores.distribution import ScoreDistribution
from facepart.scores.files import SUFFIX, GroupScores, load_scores

# How many scores of a large file are looked at at a time.
_BLOCK = 1 << 22


def read_scores(path: Path, kind: str) -> ScoreDistribution:
    """Read the scores of a file.

    Args:
        path: the file.
        kind: ``authentic`` or ``impostor``: which scores of an ``.npz`` are meant.

    Raises:
        FacepartError: the file is missing or cannot be read, has neither one column nor three, or holds no scores
            or some that are not finite.
    """
    if path.suffix.lower() == SUFFIX:
        return _refuse_none(path, kind, getattr(load_scores(path), kind))
    column = _read_column(path)
    if not column.size:
        raise FacepartError(f"{path}: there are no scores in it")
    blocks = (column[first : first + _BLOCK] for first in range(0, column.size, _BLOCK))
    return ScoreDistribution.merged(ScoreDistribution.of(block, str(path)) for block in blocks)


def read_both(path: Path) -> GroupScores:
    """Read an ``.npz`` that holds scores of both kinds; raises what :func:`read_scores` raises."""
    found = load_scores(path)
    return GroupScores(*(_refuse_none(path, kind, scores) for kind, scores in found._asdict().items()))


def _refuse_none(path: Path, kind: str, scores: ScoreDistribution) -> ScoreDistribution:
    if not scores.n:
        raise FacepartError(f"{path}: there are no {kind} scores in it")
    return scores


def _read_column(path: Path) -> NDArray[Any]:
    """Read the third column of a file, or the only one."""
    try:
        # Mapped, because of three columns only one is wanted; the files of a large group take gigabytes.
        with on_disk(path) as here:
            table: Any = np.load(here, mmap_mode="r") if path.suffix.lower() == ".npy" else _read_text(here)
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
    return table


def _read_text(path: Path) -> NDArray[np.float64]:
    with path.open(encoding="utf-8-sig") as file:
        lines = [line for line in file if line.strip()]
    if not lines:
        return np.empty(0)
    delimiter = "," if "," in lines[0] else None
    table = np.loadtxt(lines, delimiter=delimiter, ndmin=2)
    return table[:, 0] if table.shape[1] == 1 else table
