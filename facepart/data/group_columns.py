"""The columns of a table that make its groups: one, several that are crossed, or numbers in bins.

``sex`` makes a group of each value. ``sex,ethnicity`` crosses two columns: a group is called ``female_asian``.
``age:18,30,45,60`` puts numbers into bins. A bin begins with its edge and ends before the next, and what is below the
first edge or from the last edge on is a bin as well: ``age_under_18``, ``age_18-29``, ``age_30-44``, ``age_45-59``,
``age_60_or_more``. Only where all numbers of the column are whole and none is negative can a bin be named by its last
number; else it is called ``yaw_-15_to_15``, where 15 is in the next bin. ``sex,age:18,60`` does both.

In a column with bins, ``NA``, ``N/A`` and ``NaN`` are empty cells.

A column whose own name has a comma or a colon is taken for what its name says.
"""

import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from facepart.errors import FacepartError, UsageError, one_line
from facepart.suggestion import did_you_mean

# Of the groups that numbers without bins make; more are ages or the like, of which bins are wanted.
MOST_NUMBERS = 20

# What an empty cell of numbers is called by R and pandas.
_NO_NUMBER = ("na", "n/a", "nan")

# A group's place in the order of a column's groups: by bin or, without bins, by name.
Key = tuple[int, str]


@dataclass(frozen=True)
class GroupColumn:
    """A column that makes groups.

    Attributes:
        name: its name in the table.
        place: its place in a row, from 0 on.
        edges: of bins, ascending; none if each value is a group.
    """

    name: str
    place: int
    edges: tuple[float, ...] = ()

    def cell(self, row: Sequence[str]) -> str:
        """Return the column's cell of a row; empty for a row that is too short."""
        return row[self.place] if self.place < len(row) else ""

    def bin_names(self, numbers: Sequence[float]) -> list[str]:
        """Return the names of the bins, in order.

        Args:
            numbers: all those of the column.

        Example:
            >>> GroupColumn("age", 0, (18.0, 30.0)).bin_names([17, 44])
            ['age_under_18', 'age_18-29', 'age_30_or_more']
            >>> GroupColumn("yaw", 0, (-15.0, 15.0)).bin_names([-20.5])
            ['yaw_under_-15', 'yaw_-15_to_15', 'yaw_15_or_more']
        """
        counted = all(number >= 0 and number.is_integer() for number in map(float, (*numbers, *self.edges)))
        between = [_between(low, high, counted) for low, high in pairwise(self.edges)]
        ends = f"under_{_text(self.edges[0])}", f"{_text(self.edges[-1])}_or_more"
        return [f"{self.name}_{each}" for each in (ends[0], *between, ends[1])]


def parse_group_columns(text: str, header: Sequence[str]) -> list[GroupColumn]:
    """Read which columns make the groups.

    Args:
        text: names of columns, separated by commas; after a colon, the edges of bins, likewise.
        header: the names of the table's columns, which are found whatever their case. Of two of one name, the first
            is taken.

    Raises:
        FacepartError: there is no such column. UsageError: edges are missing, no numbers or not ascending, or a
            column is named twice.
    """
    # Blanks beside a comma do not count.
    places = {",".join(_pieces(name)).lower(): place for place, name in reversed(list(enumerate(header)))}
    pieces = _pieces(text)
    found: list[GroupColumn] = []
    while pieces:
        column, used = _next_column(pieces, places, header)
        if any(each.place == column.place for each in found):
            raise UsageError(f"--group-column {text}: names the column {column.name!r} twice")
        found.append(column)
        del pieces[:used]
    if not found:
        raise UsageError("--group-column: names no column")
    return found


def _pieces(text: str) -> list[str]:
    return [piece.strip() for piece in text.split(",") if piece.strip()]


def group_names(columns: Sequence[GroupColumn], rows: Sequence[tuple[int, Sequence[str]]]) -> list[str]:
    """Return the group of each row; empty where a cell is.

    Args:
        columns: at least one.
        rows: number of the line, and its cells.

    Raises:
        FacepartError: the cell of a column with bins is no number, or two groups would have the same name.
    """
    values = [_values(column, rows) for column in columns]
    names: list[str] = []
    made: dict[str, tuple[str, ...]] = {}
    for crossed in zip(*values, strict=True):
        name = "_".join(crossed) if all(crossed) else ""
        names.append(name)
        other = made.setdefault(name, crossed)
        if name and other != crossed:
            one, two = (" x ".join(map(repr, each)) for each in (other, crossed))
            raise FacepartError(one_line(f"the groups {one} and {two} would both be called {name!r}: rename a value"))
    return names


def sort_groups(
    columns: Sequence[GroupColumn], rows: Sequence[tuple[int, Sequence[str]]], names: Sequence[str]
) -> list[str]:
    """Return the groups of rows in order: bins by their numbers, values by their names.

    Args:
        columns: of :func:`group_names`, as are `rows`.
        rows: see there.
        names: the groups that it returned.
    """
    keys: dict[str, tuple[Key, ...]] = {}
    for (_, row), name in zip(rows, names, strict=True):
        if name and name not in keys:
            keys[name] = tuple(_key(column, column.cell(row)) for column in columns)
    return sorted(keys, key=keys.__getitem__)


def find_unbinned(columns: Sequence[GroupColumn], rows: Sequence[tuple[int, Sequence[str]]]) -> str:
    """Return the name of a column without bins that holds many different numbers and nothing else; empty if none."""
    for column in columns:
        if not column.edges:
            values = {cell for _, row in rows if not _is_empty(cell := column.cell(row))}
            if len(values) > MOST_NUMBERS and all(_number(value) is not None for value in values):
                return column.name
    return ""


def _next_column(pieces: Sequence[str], places: Mapping[str, int], header: Sequence[str]) -> tuple[GroupColumn, int]:
    """Read the first column, and how many pieces it takes; the name of a column may have commas and colons itself."""
    for used in range(len(pieces), 0, -1):
        name = ",".join(pieces[:used])
        if name.lower() in places:
            place = places[name.lower()]
            return GroupColumn(header[place], place), used
    for used in range(1, len(pieces) + 1):
        name, colon, first = ",".join(pieces[:used]).rpartition(":")
        if colon and name.strip().lower() in places:
            place = places[name.strip().lower()]
            edges = [first]
            for piece in pieces[used:]:
                if _number(piece) is None:
                    break
                edges.append(piece)
            return GroupColumn(header[place], place, _edges(header[place], edges)), used + len(edges) - 1
    near = did_you_mean(pieces[0], header)
    raise FacepartError(
        f"has no column {pieces[0]!r}{near}, only {one_line(', '.join(header)) if header else 'none'}; "
        "name the one with the groups with --group-column"
    )


def _edges(name: str, texts: Sequence[str]) -> tuple[float, ...]:
    found = []
    for text in texts:
        number = _number(text)
        if number is None:
            what = f"{text.strip()!r} is not a number" if text.strip() else "has no edges of bins"
            raise UsageError(f"--group-column {name}: {what}; write e.g. {name}:18,30,45,60")
        found.append(number)
    if any(low >= high for low, high in pairwise(found)):
        raise UsageError(f"--group-column {name}: the edges of bins must ascend, as in {name}:18,30,45,60")
    return tuple(found)


def _values(column: GroupColumn, rows: Sequence[tuple[int, Sequence[str]]]) -> list[str]:
    """Return the value, or the name of the bin, of each row; empty for an empty cell."""
    cells = [column.cell(row) for _, row in rows]
    if not column.edges:
        return cells
    numbers: dict[str, float] = {}
    for (line, _), cell in zip(rows, cells, strict=True):
        number = _number(cell)
        if number is None and not _is_empty(cell):
            raise FacepartError(
                one_line(f"line {line}: {column.name} {cell!r} is not a number; correct it, or leave it empty")
            )
        if number is not None:
            numbers[cell] = number
    bins = column.bin_names(list(numbers.values()))
    return [bins[bisect_right(column.edges, numbers[cell])] if cell in numbers else "" for cell in cells]


def _key(column: GroupColumn, cell: str) -> Key:
    number = _number(cell) if column.edges else None
    return (0, cell) if number is None else (bisect_right(column.edges, number), "")


def _is_empty(cell: str) -> bool:
    return not cell or cell.lower() in _NO_NUMBER


def _number(text: str) -> float | None:
    """Read a finite number; None for anything else."""
    try:
        number = float(text)
    except ValueError:
        return None
    # Adding 0 makes a negative zero a plain one.
    return number + 0.0 if math.isfinite(number) and "_" not in text else None


def _between(low: float, high: float, counted: bool) -> str:
    if not counted:
        return f"{_text(low)}_to_{_text(high)}"
    last = high - 1
    return _text(low) if last == low else f"{_text(low)}-{_text(last)}"


def _text(number: float) -> str:
    return str(number).removesuffix(".0")
