"""Tables as CSV text whose cells no spreadsheet runs.

A spreadsheet takes a cell that begins with ``=``, ``+``, ``-``, ``@``, a tab or a carriage return for a formula, also
one that came from the name of a photo. Such text gets an apostrophe in front, which spreadsheets take for the mark of
text; numbers stay as they are. :func:`plain_cell` takes the apostrophe off again.
"""

import csv
import io
import re
from collections.abc import Iterable, Sequence

_FORMULA = re.compile(r"'*[=+\-@\t\r]")
_QUOTED = re.compile(r"'+[=+\-@\t\r]")
_NUMBER = re.compile(r"[+-]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?|inf|nan)")


def csv_text(rows: Iterable[Sequence[object]]) -> str:
    """Return rows as CSV, with line feeds; cells are text or numbers."""
    buffer = io.StringIO()
    csv.writer(buffer, lineterminator="\n").writerows([safe_cell(cell) for cell in row] for row in rows)
    return buffer.getvalue()


def safe_cell(cell: object) -> object:
    """Return a cell that is no formula.

    Example:
        >>> [safe_cell(cell) for cell in ("-0.25", "=1+1", "-x/001", "'tis", "'=1", 7)]
        ['-0.25', "'=1+1", "'-x/001", "'tis", "''=1", 7]
    """
    if isinstance(cell, str) and _FORMULA.match(cell) and not _NUMBER.fullmatch(cell):
        return f"'{cell}"
    return cell


def plain_cell(cell: str) -> str:
    """Return the text of a cell that :func:`safe_cell` made safe.

    Example:
        >>> [plain_cell(cell) for cell in ("'=1+1", "''=1", "'tis", "-0.25")]
        ['=1+1', "'=1", "'tis", '-0.25']
    """
    return cell[1:] if _QUOTED.match(cell) else cell
