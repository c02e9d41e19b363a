"""Pictures side by side: a photo and its blurred parts, a row a photo."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.plots import style

_PICTURE_WIDTH = 1.0  # inches
_GAP = 0.04  # between pictures, as a share of their width
_WHITE = 255


def contact_sheet(
    rows: Sequence[Sequence[NDArray[np.uint8]]], column_titles: Sequence[str], row_titles: Sequence[str] | None = None
) -> Figure:
    """Lay pictures out in a grid.

    Args:
        rows: the pictures of each row, uint8, (height, width, 3) RGB, all of one size.
        column_titles: a title for each column, set above it.
        row_titles: a title for each row, set left of it.

    Raises:
        FacepartError: there are no pictures, their sizes differ, or there are not as many titles as rows or columns.
    """
    pictures = [picture for row in rows for picture in row]
    if not pictures:
        raise FacepartError("a contact sheet needs at least one picture")
    shapes = {picture.shape for picture in pictures}
    if len(shapes) > 1 or len(pictures[0].shape) != 3 or pictures[0].shape[2] != 3:
        sizes = ", ".join(str(shape) for shape in sorted(shapes))
        raise FacepartError(f"a contact sheet needs RGB pictures of one size, not of shapes {sizes}")
    if any(len(row) != len(column_titles) for row in rows):
        raise FacepartError(f"every row of a contact sheet needs {len(column_titles)} pictures, one a column title")
    if row_titles is not None and len(row_titles) != len(rows):
        raise FacepartError(f"a contact sheet of {len(rows)} rows cannot have {len(row_titles)} row titles")

    height, width, _ = pictures[0].shape
    sheet, tops, lefts = _mosaic(rows, round(_GAP * width))
    scale = _PICTURE_WIDTH / width
    with style.house_style():
        # Room for the titles; what this estimate misses, the layout takes from the pictures.
        lines = max(title.count("\n") + 1 for title in column_titles)
        letters = max((len(line) for title in row_titles or () for line in title.splitlines()), default=0)
        size = (
            sheet.shape[1] * scale + letters * style.LETTER_WIDTH + 0.15,
            sheet.shape[0] * scale + lines * style.LINE_HEIGHT + 0.15,
        )
        figure = Figure(figsize=size, layout="constrained")
        axes = figure.add_subplot()
        axes.imshow(sheet, interpolation="lanczos")
        axes.set_xticks([left + width / 2 for left in lefts], column_titles)
        axes.set_yticks([top + height / 2 for top in tops], row_titles or [""] * len(tops))
        axes.tick_params(length=0, top=False, labeltop=True, labelbottom=False)
        axes.spines[:].set_visible(False)
    return figure


def _mosaic(rows: Sequence[Sequence[NDArray[np.uint8]]], gap: int) -> tuple[NDArray[np.uint8], list[int], list[int]]:
    """Put the pictures on one white sheet; also give the pixel rows and columns at which they begin."""
    height, width, _ = rows[0][0].shape
    tops = [index * (height + gap) for index in range(len(rows))]
    lefts = [index * (width + gap) for index in range(len(rows[0]))]
    sheet = np.full((tops[-1] + height, lefts[-1] + width, 3), _WHITE, np.uint8)
    for top, row in zip(tops, rows, strict=True):
        for left, picture in zip(lefts, row, strict=True):
            sheet[top : top + height, left : left + width] = picture
    return sheet, tops, lefts
