"""Lists of pairs of photos: which pairs a verification protocol compares.

Two forms are read; the file itself shows which it is.

The form of Labeled Faces in the Wild (``pairs.txt``, ``pairsDevTest.txt``)::

    10      300
    Abel_Pacheco    1       4
    Akhmed_Zakayev  1       Bob_Dole        2

The first line gives the number of folds and, for each fold, of authentic pairs and of impostor pairs; a number alone
gives the authentic pairs and the impostor pairs of a file without folds; without such a line, there are no folds.
``name n1 n2`` is a pair of one person, ``name1 n1 name2 n2`` a pair of two. Photo 4 of Abel_Pacheco is called
``Abel_Pacheco/Abel_Pacheco_0004``.

A table: two photos in each row, and perhaps a third column that labels the pair (:data:`LABELS`).

In both, columns are separated by blanks, tabs or commas. Blank lines, lines that begin with ``#`` and a heading are
skipped.
"""

import csv
import re
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, compress, islice
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.counts import count_of
from facepart.data.labels import nfc
from facepart.errors import FacepartError, one_line
from facepart.files.addresses import on_disk

# What the third column of a table may say, in any case -> whether the pair is authentic.
LABELS = {
    **dict.fromkeys(("1", "same", "authentic", "genuine", "mated", "true"), True),
    **dict.fromkeys(("0", "-1", "different", "impostor", "non-mated", "false"), False),
}

# The form of a file shows in so many of its first rows.
_SAMPLE = 1000
# Lines that are read at a time.
_LINES = 1 << 16
_COMMENT, _QUOTE = "#", '"'
_HEADING = re.compile(
    r"(probe|gallery|first|second|left|right|(image|img|photo|file|path|name|label|face|id)[ _]?[12ab]?)",
    re.IGNORECASE,
)

_Row = tuple[int, list[str]]


@dataclass(frozen=True, eq=False)
class PairList:
    """The pairs of a file, in its order.

    Attributes:
        source: the file.
        names: the photos, each once, in Unicode's normal form C.
        subjects: the subject of each photo, where the file tells it; else None.
        first: int32, (n,), the first photo of each pair, a place in `names`.
        second: int32, (n,), likewise the second one.
        lines: int32, (n,), the line of each pair, from 1.
        authentic: bool, (n,), the label of each pair; None if the file has no labels.
        folds: int32, (n,), the fold of each pair, from 1; None if the file has no folds.
    """

    source: Path
    names: list[str]
    subjects: list[str] | None
    first: NDArray[np.int32]
    second: NDArray[np.int32]
    lines: NDArray[np.int32]
    authentic: NDArray[np.bool_] | None
    folds: NDArray[np.int32] | None

    @property
    def is_labelled(self) -> bool:
        """Whether the list says which pairs are authentic, by labels or by naming subjects."""
        return self.authentic is not None or self.subjects is not None

    def line_of(self, name: int) -> int:
        """Return the first line that names a photo, a place in `names`."""
        return int(self.lines[np.argmax((self.first == name) | (self.second == name))])


class _Counts(NamedTuple):
    """What the first line of the form of LFW says; `folds` is None for a number alone."""

    line: int
    folds: int | None
    pairs: int


class _Block(NamedTuple):
    """Lines that hold a row, and their numbers, from 1."""

    numbers: list[int]
    lines: list[str]


class _Numbers(dict[str, int]):
    """Names, numbered as they are asked for."""

    def __missing__(self, name: str) -> int:
        self[name] = number = len(self)
        return number


class _Pairs:
    """Pairs that are being read; 13 bytes each, and each name once."""

    def __init__(self) -> None:
        self.names = _Numbers()
        self.first, self.second, self.lines, self.authentic = array("i"), array("i"), array("i"), array("b")

    def add(
        self, lines: Iterable[int], first: Iterable[str], second: Iterable[str], authentic: Iterable[bool]
    ) -> None:
        """Add pairs."""
        self.lines.extend(lines)
        self.first.extend(map(self.names.__getitem__, first))
        self.second.extend(map(self.names.__getitem__, second))
        self.authentic.extend(authentic)


def read_pair_list(path: Path) -> PairList:
    """Read a list of pairs.

    Raises:
        FacepartError: the file is missing, is not text, has no pairs, or has a line that is not of its form, or other
            numbers of pairs than its first line says. The message names the line.
    """
    try:
        with on_disk(path) as here, here.open(encoding="utf-8-sig") as file:
            return _read(path, file)
    except FileNotFoundError as error:
        raise FacepartError(f"{path}: no such list of pairs") from error
    except OSError as error:
        raise FacepartError(f"{path}: cannot be read: {error.strerror or error}") from error
    except UnicodeDecodeError as error:
        raise FacepartError(f"{path}: is not a list of pairs: it is not a text file") from error
    except (ValueError, csv.Error) as error:
        raise FacepartError(f"{path}: {one_line(error)}") from error


def _read(path: Path, file: Iterable[str]) -> PairList:
    file = map(nfc, file)
    blocks = _blocks(file)
    sample = next(blocks, None)
    if sample is None:
        raise ValueError("the list of pairs is empty")
    delimiter = _delimiter_of(sample.lines[-1])
    first_rows = list(_split(_Block(sample.numbers[:_SAMPLE], sample.lines[:_SAMPLE]), delimiter))
    pairs, counts = _Pairs(), None
    # The counts of LFW's first line may be separated in another way than the rows.
    opening = sample.lines[0].replace(",", " ").split()
    has_counts = len(opening) <= 2 and all(map(_is_number, opening)) and len(sample.lines) > 1
    lfw = _is_lfw(first_rows[has_counts:])
    if lfw and has_counts:
        counts = _Counts(sample.numbers[0], int(opening[0]) if len(opening) > 1 else None, int(opening[-1]))
        del sample.numbers[0], sample.lines[0]
    labelled, columns = lfw, 0 if lfw else len(first_rows[0][1])
    if columns not in (0, 2, 3):
        has = count_of(columns, "column")
        raise ValueError(f"line {first_rows[0][0]} has {has}, not 2 (two photos) or 3 (and a label)")
    if not lfw:
        labelled = columns == 3
        if _is_heading(first_rows[0][1]):
            del sample.numbers[0], sample.lines[0]
    for block in chain([sample], blocks):
        if lfw:
            _add_lfw(_split(block, delimiter), pairs)
        else:
            _add_table(block, delimiter, columns, pairs)
    if not pairs.lines:
        raise ValueError("the list of pairs has a heading but no pairs")
    names = list(pairs.names)
    first, second, lines = (np.array(each, np.int32) for each in (pairs.first, pairs.second, pairs.lines))
    authentic = np.array(pairs.authentic, np.bool_) if labelled else None
    folds = None
    if counts is not None and authentic is not None:
        folds = _folds_of(counts, authentic, lines)
    subjects = [name.partition("/")[0] for name in names] if lfw else None
    return PairList(path, names, subjects, first, second, lines, authentic, folds)


def _blocks(file: Iterable[str]) -> Iterator[_Block]:
    """Yield lines that hold a row, some at a time."""
    before = 0
    while lines := list(islice(file, _LINES)):
        numbers: Iterable[int] = range(before + 1, before + len(lines) + 1)
        before += len(lines)
        holding = [not line.isspace() and not line.startswith(_COMMENT) for line in lines]
        if not all(holding):
            numbers, lines = compress(numbers, holding), list(compress(lines, holding))
        if lines:
            yield _Block(list(numbers), lines)


def _delimiter_of(line: str) -> str | None:
    """Return what separates the columns of a line; None for blanks."""
    return next((sign for sign in ",\t" if sign in line), None)


def _split(block: _Block, delimiter: str | None) -> Iterator[_Row]:
    """Yield the fields of lines; empty ones at the end of a line do not count."""
    for number, line in zip(block.numbers, block.lines, strict=True):
        if delimiter is None:
            yield number, line.split()
            continue
        fields = next(csv.reader([line], delimiter=delimiter)) if _QUOTE in line else line.split(delimiter)
        fields = [*map(str.strip, fields)]
        while len(fields) > 1 and not fields[-1]:
            fields.pop()
        yield number, fields


def _is_number(text: str) -> bool:
    return text.isascii() and text.isdigit()


def _is_lfw(rows: Sequence[_Row]) -> bool:
    """Tell the form of LFW, ``name 1 4`` and ``name 1 other 2``, from rows of a table, such as ``0012 0013 1``."""
    found = 0
    for _, fields in rows:
        if len(fields) == 3:
            found += _is_number(fields[1]) and _is_number(fields[2]) and fields[2] not in LABELS
        elif len(fields) == 4:
            found += _is_number(fields[1]) and _is_number(fields[3])
    return 2 * found > len(rows)


def _add_lfw(rows: Iterable[_Row], pairs: _Pairs) -> None:
    for line, fields in rows:
        if len(fields) == 3:
            name, number, other_number = fields
            other = name
        elif len(fields) == 4:
            name, number, other, other_number = fields
        else:
            has = count_of(len(fields), "column")
            raise ValueError(f"line {line} has {has}, not 3 (name n1 n2) or 4 (name1 n1 name2 n2)")
        if not (_is_number(number) and _is_number(other_number)):
            if not pairs.lines and not any(map(_is_number, fields)):
                continue  # a heading
            wrong = other_number if _is_number(number) else number
            raise ValueError(f"line {line}: {one_line(repr(wrong))} is not the number of a photo")
        if not name or not other:
            raise ValueError(f"line {line} has an empty name")
        photos = [_lfw_photo(name, number)], [_lfw_photo(other, other_number)]
        pairs.add([line], *photos, [name == other])


def _lfw_photo(name: str, number: str) -> str:
    return f"{name}/{name}_{int(number):04d}"


def _add_table(block: _Block, delimiter: str | None, columns: int, pairs: _Pairs) -> None:
    """Add rows of a table."""
    if not block.lines:
        return
    fields = _fields_at_once(block, delimiter, columns) or _fields_by_row(block, delimiter, columns)
    first, second, labels = fields[::columns], fields[1::columns], fields[2::columns] if columns == 3 else []
    for photos in (first, second):
        if "" in photos:
            raise ValueError(f"line {block.numbers[photos.index('')]} names one photo, not two")
    authentic = [False] * len(first)
    if labels:
        said = [label.lower() for label in labels]
        unknown = set(said) - LABELS.keys()
        if unknown:
            place = next(place for place, label in enumerate(said) if label in unknown)
            raise ValueError(
                f"line {block.numbers[place]}: {one_line(repr(labels[place]))} is no label "
                "(1 or 0, same or different)"
            )
        authentic = [LABELS[label] for label in said]
    pairs.add(block.numbers, first, second, authentic)


def _fields_at_once(block: _Block, delimiter: str | None, columns: int) -> list[str]:
    """Return the fields of all lines, several times as fast as row by row; none where that cannot be done."""
    if delimiter is None:
        fields = " ".join(block.lines).split()
        counts = {len(line.split()) for line in block.lines}
        return fields if counts == {columns} else []
    text = delimiter.join(block.lines)
    if _QUOTE in text or {line.count(delimiter) for line in block.lines} != {columns - 1}:
        return []
    fields = [*map(str.strip, text.split(delimiter))]
    return fields if all(fields[columns - 1 :: columns]) else []


def _fields_by_row(block: _Block, delimiter: str | None, columns: int) -> list[str]:
    """Return the fields of all lines; ValueError for one with another number of columns."""
    found: list[str] = []
    for number, fields in _split(block, delimiter):
        if len(fields) != columns:
            raise ValueError(f"line {number} has {count_of(len(fields), 'column')}, the lines before it {columns}")
        found += fields
    return found


def _is_heading(fields: Sequence[str]) -> bool:
    # `same` and `genuine` are labels, and may be the name of their column.
    return all(_HEADING.fullmatch(field) for field in fields[:2]) and fields[-1] not in ("1", "0", "-1")


def _folds_of(counts: _Counts, authentic: NDArray[np.bool_], lines: NDArray[np.int32]) -> NDArray[np.int32] | None:
    """Return the fold of each pair, or None for a file without folds; check the numbers of the first line."""
    folds, pairs = counts.folds or 1, counts.pairs
    said = f"line {counts.line} says {pairs} authentic and {pairs} impostor pairs"
    if counts.folds is not None:
        said += f" in each of {counts.folds} folds"
    if not pairs or counts.folds == 0:
        raise ValueError(f"{said}: there has to be at least one")
    if len(authentic) != 2 * pairs * folds:
        raise ValueError(f"{said}, {2 * pairs * folds} in all, but there are {len(authentic)}")
    found = authentic.reshape(folds, 2 * pairs).sum(1)
    if (found != pairs).any():
        fold = int(np.argmax(found != pairs))
        begin, end = lines[2 * pairs * fold], lines[2 * pairs * (fold + 1) - 1]
        raise ValueError(f"{said}, but lines {begin} to {end} have {found[fold]} authentic pairs")
    return None if counts.folds is None else np.repeat(np.arange(1, folds + 1, dtype=np.int32), 2 * pairs)
