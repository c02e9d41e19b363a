"""Counts that are mostly zero, as what tasks hand on: where they are not, and how many."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

# Places that are added up at a time: a table of them takes 16 MB. The whole table, with all bins of the subjects
# of a million faces, takes gigabytes.
_AT_ONCE = 1 << 22


class SparseCounts(NamedTuple):
    """The counts of a table that are not 0.

    Attributes:
        places: int64, (k,), ascending.
        counts: whole numbers, (k,), of the table's own type.
    """

    places: NDArray[np.int64]
    counts: NDArray[np.integer[Any]]


def sparse(table: NDArray[np.integer[Any]], first: int = 0) -> SparseCounts:
    """Take the counts out of a table, (n,), the places of which begin at `first`."""
    found = np.flatnonzero(table)
    return SparseCounts(found + first, table[found])


def added(parts: Sequence[SparseCounts]) -> SparseCounts:
    """Add up counts of one table, at least one; neither their order nor how they are bracketed matters.

    It takes memory for what it gives, twice, whatever the size of the table.

    Example:
        >>> one, two = sparse(np.array([0, 5, 1])), sparse(np.array([0, 2, 0, 4]))
        >>> [values.tolist() for values in added([one, two])]
        [[1, 2, 3], [7, 1, 4]]
    """
    there = [part for part in parts if len(part.places)]
    if not there:
        return parts[0]
    end = max(int(part.places[-1]) for part in there) + 1
    found = []
    for first in range(min(int(part.places[0]) for part in there), end, _AT_ONCE):
        table = np.zeros(min(_AT_ONCE, end - first), parts[0].counts.dtype)
        for places, counts in there:
            here = slice(*np.searchsorted(places, [first, first + _AT_ONCE]))
            table[places[here] - first] += counts[here]  # a place stands once in a part
        found.append(sparse(table, first))
    return SparseCounts(*(np.concatenate(values) for values in zip(*found, strict=True)))
