"""Score files -> distributions.

Besides ``.npz`` (:mod:`facepart.scores.files`), two kinds of file are read, each with one column (the score) or three
(probe, gallery, score); what the first two of three columns say does not matter, they may be numbers or names:

- ``.npy``, of numbers, as the matcher writes it, or of text, as older programs saved what they had read from text;
- any other name (``.txt``, ``.csv``): text, its columns parted by blanks, tabs or commas. Blank lines and lines that
  begin with ``#`` are skipped, and so is a first line whose last column is called a score or a similarity.

Scores that have more than 6 decimals, and those that went through 32-bit floats, are rounded to 6.
"""

import csv
import logging
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.counts import count_of
from facepart.errors import FacepartError, one_line
from facepart.files.addresses import on_disk
from facepart.files.array_input import read_array
from facepart.scores.distribution import ScoreDistribution
from facepart.scores.files import SUFFIX, GroupScores, load_scores

_logger = logging.getLogger(__name__)

# How many scores of an array, and lines of a text, are looked at at a time.
_BLOCK = 1 << 22
_LINES = 1 << 18
_COMMENT, _QUOTE = "#", '"'
# So many scores of a block are looked at to see whether rounding makes them equal; fewer different ones say nothing.
_LOOKED_AT, _ENOUGH = 1000, 20
# What the heading of a column of scores has in it.
_HEADINGS = ("score", "similarity")
# Columns before the score are read as one character each: names there may be long.
_COLUMNS = {1: [("score", "f8")], 3: [("probe", "U1"), ("gallery", "U1"), ("score", "f8")]}


def read_kind(path: Path, kind: str) -> ScoreDistribution:
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
    with open_scores(path, "a score file") as here:
        blocks = _array_blocks(here, path) if path.suffix.lower() == ".npy" else _text_blocks(here)
        blocks = _checked_scale(blocks, path)
        scores = ScoreDistribution.merged(ScoreDistribution.of(block, str(path)) for block in blocks)
    if not scores.n:
        raise FacepartError(f"{path}: there are no scores in it")
    return scores


def read_both(path: Path) -> GroupScores:
    """Read an ``.npz`` that holds scores of both kinds; raises what :func:`read_kind` raises."""
    found = load_scores(path)
    return GroupScores(*(_refuse_none(path, kind, scores) for kind, scores in found._asdict().items()))


@contextmanager
def open_scores(path: Path, what: str) -> Iterator[Path]:
    """Give a score file's place on this disk; what makes it unreadable inside the block is a FacepartError."""
    try:
        with on_disk(path) as here:
            yield here
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such score file") from error
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except (ValueError, csv.Error) as error:
        raise FacepartError(f"{path}: is not {what}, a .npy or a text of numbers ({one_line(error)})") from error


def _checked_scale(blocks: Iterable[NDArray[Any]], path: Path) -> Iterator[NDArray[Any]]:
    """Yield the scores; warn, once, if rounding to 6 decimals makes many of a block equal that are not."""
    warned = False
    for block in blocks:
        some = np.unique(block[:: max(len(block) // _LOOKED_AT, 1)])
        if not warned and len(some) >= _ENOUGH and len(np.unique(np.round(some, 6))) < len(some) / 2:
            warned = True
            _logger.warning(
                "%s: many scores are equal once rounded to 6 decimals, and lose their order; scale them", path
            )
        yield block


def _refuse_none(path: Path, kind: str, scores: ScoreDistribution) -> ScoreDistribution:
    if not scores.n:
        raise FacepartError(f"{path}: there are no {kind} scores in it")
    return scores


def _array_blocks(path: Path, shown: Path) -> Iterator[NDArray[Any]]:
    """Yield the scores of a ``.npy``, some at a time; raises ValueError where it holds none."""
    # Mapped, because of three columns only one is wanted; the files of a large group take gigabytes.
    table = read_array(path, "a score file", mapped=True, shown=shown)
    if table.dtype.kind not in "fiuUS":
        raise ValueError("it holds no real numbers")
    if table.ndim == 2 and table.shape[1] in _COLUMNS:
        table = table[:, -1]
    if table.ndim != 1:
        raise ValueError(f"its shape is {table.shape}, not (n, 3) or (n,)")
    for first in range(0, table.size, _BLOCK):
        block = table[first : first + _BLOCK]
        yield _as_numbers(block) if block.dtype.kind in "US" else block


def _as_numbers(texts: NDArray[Any]) -> NDArray[np.float64]:
    try:
        return texts.astype(np.float64)
    except ValueError:
        raise ValueError("not all of its scores are numbers") from None


def _text_blocks(path: Path) -> Iterator[NDArray[np.float64]]:
    """Yield the scores of a text, some at a time; raises ValueError where a line holds none."""
    with path.open(encoding="utf-8-sig") as file:
        form, before = None, 0
        while lines := list(islice(file, _LINES)):
            holding = [(number, line) for number, line in enumerate(lines, before + 1) if _holds_a_row(line)]
            before += len(lines)
            if form is None and holding:
                form = _form_of(*holding[0])
                if form.heading:
                    del holding[0]
            if form is not None and holding:
                yield _parse(holding, form)


class _Form(NamedTuple):
    """How a text is laid out.

    Attributes:
        delimiter: what separates its columns, a tab or a comma; None for blanks.
        columns: how many there are.
        heading: whether the first line names them.
    """

    delimiter: str | None
    columns: int
    heading: bool


def _form_of(number: int, line: str) -> _Form:
    # Names may have blanks and commas in them where tabs separate the columns, but blanks may stand beside tabs, too.
    delimiters = [each for each in ("\t", ",") if each in line]
    fitting = (each for each in delimiters if len(_fields(line, each)) in _COLUMNS)
    delimiter = next(fitting, "," if "," in line else None)
    fields = _fields(line, delimiter)
    if len(fields) not in _COLUMNS:
        raise ValueError(f"line {number} has {count_of(len(fields), 'column')}, not 1 or 3")
    return _Form(delimiter, len(fields), any(heading in fields[-1].lower() for heading in _HEADINGS))


def _holds_a_row(line: str) -> bool:
    return not line.isspace() and not line.startswith(_COMMENT)


def _parse(lines: Sequence[tuple[int, str]], form: _Form) -> NDArray[np.float64]:
    """Read the scores of numbered lines; NumPy checks that each line has as many columns."""
    texts, kinds = [line for _, line in lines], np.dtype(_COLUMNS[form.columns])
    try:
        table = np.loadtxt(texts, kinds, delimiter=form.delimiter, quotechar=_QUOTE, comments=None, ndmin=1)
    except ValueError:
        for number, line in lines:
            _refuse_line(number, line, form)
        raise
    return table["score"]


def _refuse_line(number: int, line: str, form: _Form) -> None:
    """Raise ValueError, in words, if a line is what could not be read."""
    fields = _fields(line, form.delimiter)
    if len(fields) != form.columns:
        raise ValueError(f"line {number} has {count_of(len(fields), 'column')}, the lines before it {form.columns}")
    try:
        float(fields[-1])
    except ValueError:
        raise ValueError(f"line {number}: {one_line(repr(fields[-1]))} is not a number") from None


def _fields(line: str, delimiter: str | None) -> list[str]:
    if delimiter is None:
        return line.split()
    return [field.strip() for field in next(csv.reader([line], delimiter=delimiter, quotechar=_QUOTE))]
