"""A table of a study as columns of what its cells mean, and as Parquet."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from facepart.files.csv_text import plain_cell

# Columns that are not numbers. Text is text whatever it looks like: a group may be called NA, or 01.
_TEXT = {"recogniser", "group", "part", "occlusion", "comparison", "control"}
_TEXT |= {"effect", "first", "second", "threshold_of", "refused", "ratio_to", "criterion", "method", "reason"}
_FLAGS = {"paired", "equivalent"}
_TRUTH = {"True": True, "False": False}


def table_columns(text: str) -> dict[str, list[Any]]:
    """Return the columns of a CSV file of a study.

    Returns:
        Name -> cells: text, flags, whole numbers or numbers; empty cells are None, or NaN among numbers.

    Raises:
        ValueError, KeyError, csv.Error: the text is no such table.
    """
    header, *rows = csv.reader(io.StringIO(text, newline=""), strict=True)
    columns = zip(header, zip(*rows, strict=True) if rows else [()] * len(header), strict=True)
    return {name: _column(name, cells) for name, cells in columns}


def parquet_bytes(text: str) -> bytes | None:
    """Return a CSV file of a study as Parquet, with the same columns; None if pyarrow is not installed."""
    try:
        import pyarrow
        from pyarrow import parquet
    except ImportError:
        return None
    arrays = {name: pyarrow.array(cells, _arrow_type(pyarrow, name)) for name, cells in table_columns(text).items()}
    buffer = io.BytesIO()
    parquet.write_table(pyarrow.table(arrays), buffer)
    return buffer.getvalue()


def _arrow_type(pyarrow: Any, name: str) -> Any:
    """Return the type of a column of text or flags, which may be empty; None for numbers."""
    if name in _TEXT:
        return pyarrow.string()
    return pyarrow.bool_() if name in _FLAGS else None


def _column(name: str, cells: Sequence[str]) -> list[Any]:
    if name in _TEXT:
        return [plain_cell(cell) or None for cell in cells]
    if name in _FLAGS:
        return [_TRUTH[cell] if cell else None for cell in cells]
    if cells and all(cell.removeprefix("-").isdecimal() for cell in cells):
        return [int(cell) for cell in cells]
    return [float(cell or "nan") for cell in cells]
