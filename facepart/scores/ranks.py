"""``<group>_ranks.csv``: the rank of every probe of a group, a row a probe, in the order of the probes' list.

The columns::

    probe           its label, folder/stem
    rank            1 plus the number of impostor scores strictly greater than the best authentic score
    best_authentic  the highest of its authentic scores
    best_impostor   the highest of its impostor scores
    margin          the first less the second; negative unless the rank is 1
    subject         who is on the probe, by which intervals are clustered

A probe without an authentic or without an impostor score has no rank; what is not known is left empty. Scores have 6
decimals.
"""

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.errors import FacepartError, one_line
from facepart.files.atomic import write_text
from facepart.files.csv_text import csv_text, plain_cell
from facepart.files.text_input import read_text
from facepart.scores.distribution import STEPS

COLUMNS = ("probe", "rank", "best_authentic", "best_impostor", "margin", "subject")


@dataclass(frozen=True, eq=False)
class Ranks:
    """The ranks of a group's probes.

    Attributes:
        probes: n labels.
        subjects: who is on each probe, n names; none where that is not known.
        ranks: int64, (n,), from 1; 0 for a probe without a rank.
        authentic: float64, (n,), best authentic scores; NaN where there is none.
        impostor: float64, (n,), best impostor scores; likewise.
    """

    probes: Sequence[str]
    subjects: Sequence[str]
    ranks: NDArray[np.int64]
    authentic: NDArray[np.float64]
    impostor: NDArray[np.float64]

    @property
    def ranked(self) -> NDArray[np.bool_]:
        """Which probes have a rank, (n,)."""
        return self.ranks > 0


class SubjectRanks(NamedTuple):
    """The ranks of a group's probes, and whose they are.

    Attributes:
        subject_count: number of subjects of the group, with and without a rank.
        subjects: int64, (n,), the subject of each probe with a rank, below `subject_count`.
        ranks: int64, (n,), from 1.
    """

    subject_count: int
    subjects: NDArray[np.int64]
    ranks: NDArray[np.int64]

    @property
    def ranked_subjects(self) -> int:
        """How many subjects have a probe with a rank."""
        return len(np.unique(self.subjects))


def ranks_by_subject(ranks: Ranks, names: NDArray[np.str_]) -> SubjectRanks:
    """Return the ranks by subject.

    Args:
        ranks: of probes whose subjects are known.
        names: str, (p,), sorted, all subjects; their places are the subjects' numbers.

    Raises:
        FacepartError: a subject is not among `names`.
    """
    whose = np.array(ranks.subjects, np.str_)[ranks.ranked]
    numbers = np.searchsorted(names, whose).astype(np.int64)
    if not np.array_equal(names[np.minimum(numbers, len(names) - 1)], whose):
        raise FacepartError("the ranks are of other subjects than the scores")
    return SubjectRanks(len(names), numbers, ranks.ranks[ranks.ranked])


def make_ranks(
    probes: Sequence[str],
    subjects: Sequence[str],
    above: NDArray[np.int64],
    authentic: NDArray[np.floating],
    impostor: NDArray[np.floating],
) -> Ranks:
    """Make ranks from what was counted.

    Args:
        probes: n labels.
        subjects: n names, or none.
        above: int64, (n,), impostor scores strictly greater than the best authentic score.
        authentic: (n,), best authentic scores in whole millionths; -inf where there is none.
        impostor: (n,), best impostor scores likewise.
    """
    best = [np.where(np.isfinite(steps), steps.astype(np.float64), np.nan) / STEPS for steps in (authentic, impostor)]
    known = np.isfinite(best[0]) & np.isfinite(best[1])
    return Ranks(probes, subjects, np.where(known, above + 1, 0), *best)


def ranks_path(folder: Path, group: str) -> Path:
    """Return the file of a group's ranks."""
    return folder / f"{group}_ranks.csv"


def save_ranks(path: Path, ranks: Ranks) -> None:
    """Write ranks, whole or not at all.

    Raises:
        FacepartError: the file cannot be written.
    """
    numbers = (ranks.authentic, ranks.impostor, ranks.authentic - ranks.impostor)
    scores = (["" if score != score else f"{score:.6f}" for score in column.tolist()] for column in numbers)
    places = (rank or "" for rank in ranks.ranks.tolist())
    subjects = ranks.subjects or [""] * len(ranks.probes)
    write_text(path, csv_text([COLUMNS, *zip(ranks.probes, places, *scores, subjects, strict=True)]))


def read_ranks(path: Path) -> Ranks:
    """Read ranks in either form: a ``.csv`` as above, or the text of ranks that the original program writes.

    In a text, a line is a probe, and its rank is the only column or the third; whose the probes are is not known.

    Raises:
        FacepartError: the file is missing, or of neither form.
    """
    if path.suffix.lower() == ".csv":
        return load_ranks(path)
    rows = [line.replace(",", " ").split() for line in read_text(path, "file of ranks").splitlines() if line.strip()]
    try:
        ranks = np.array([_whole(row[0 if len(row) == 1 else 2]) for row in rows], np.int64)
    except (ValueError, IndexError, OverflowError) as error:
        raise FacepartError(
            f"{path}: is not a file of ranks: a line has no whole number where its rank is"
        ) from error
    if not rows or ranks.min() < 1:
        raise FacepartError(f"{path}: is not a file of ranks: {'a rank is below 1' if rows else 'it is empty'}")
    unknown = np.full(len(ranks), np.nan)
    return Ranks([str(number) for number in range(len(ranks))], (), ranks, unknown, unknown)


def _whole(text: str) -> int:
    """Read a whole number, which older programs also wrote as 1.0; ValueError for any other."""
    number = float(text)
    if number % 1:
        raise ValueError(f"{text!r} is not a whole number")
    return int(number)


def load_ranks(path: Path) -> Ranks:
    """Read what :func:`save_ranks` wrote.

    Raises:
        FacepartError: the file is missing, or not of this form.
    """
    try:
        rows = list(csv.reader(io.StringIO(read_text(path, "file of ranks"), newline=""), strict=True))
    except csv.Error as error:
        raise FacepartError(f"{path}: is not a file of ranks: {error}") from error
    if not rows or tuple(rows[0]) != COLUMNS:
        raise FacepartError(f"{path}: is not a file of ranks: its first line is not {','.join(COLUMNS)}")
    if any(len(row) != len(COLUMNS) for row in rows):
        raise FacepartError(f"{path}: is damaged: a line does not have {len(COLUMNS)} values")
    columns = list(zip(*rows[1:], strict=True)) or [()] * len(COLUMNS)
    try:
        ranks = np.array([int(rank or 0) for rank in columns[1]], np.int64)
        scores = [np.array([float(score or "nan") for score in columns[place]]) for place in (2, 3)]
    except (ValueError, OverflowError) as error:
        raise FacepartError(f"{path}: is damaged: {one_line(error)}") from error
    if (ranks < 0).any():
        raise FacepartError(f"{path}: is damaged: a rank is below 1")
    probes, subjects = ([plain_cell(cell) for cell in columns[place]] for place in (0, 5))
    return Ranks(probes, subjects if any(subjects) else (), ranks, *scores)
