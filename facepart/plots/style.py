"""How every plot looks: lines and sizes; its colours are those of :mod:`facepart.plots.palette`."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import matplotlib as mpl

from facepart.plots.palette import IMPOSTOR_DASHES, SET_COLOURS

AUTHENTIC_LINE: Any = "solid"
IMPOSTOR_LINE: Any = (0, IMPOSTOR_DASHES)
# Where a set is one line, a second round of colours is dashed.
SET_LOOKS = tuple((colour, line) for line in (AUTHENTIC_LINE, IMPOSTOR_LINE) for colour in SET_COLOURS)

# Inches. A column of a two-column paper is 3.3 to 3.5 wide: at that size the smallest type is still 6.5 points.
FIGURE_WIDTH = 4.8
AXES_HEIGHT = 2.7
LINE_HEIGHT = 0.19
DPI = 300

TITLE_SIZE = 10.5
LEGEND_SIZE = 9
POINTS = 72  # an inch
# As wide may a text be, in inches, of which two stand side by side in the legend.
LEGEND_COLUMN = 1.5
# How many characters fit across the figure.
LEGEND_CHARACTERS = 54
TITLE_CHARACTERS = 52
LEGEND: dict[str, Any] = {
    "loc": "lower left",
    "bbox_to_anchor": (0, 1),
    "frameon": False,
    "borderpad": 0.2,
    "borderaxespad": 0.2,
    "handlelength": 2.4,
    "handletextpad": 0.6,
    "columnspacing": 1.6,
}

_RAISED = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")

_SETTINGS: Any = {
    "font.family": "DejaVu Sans",  # the font that matplotlib itself brings: the same picture on every machine
    "font.size": 9.5,
    "axes.labelsize": 10,
    "legend.fontsize": LEGEND_SIZE,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.8,
    "text.parse_math": False,  # a label is a name: a $ in it is a $
    "svg.hashsalt": "facepart",  # the same figure gives the same file
    "svg.fonttype": "path",
    "pdf.fonttype": 42,  # TrueType: publishers refuse matplotlib's own, of Type 3
}


@contextmanager
def house_style() -> Iterator[None]:
    """Draw or save in the house style; matplotlib's own settings come back afterwards."""
    with mpl.rc_context(_SETTINGS):
        yield


def power_of_ten(power: int) -> str:
    """Write a power of ten as plain text, e.g. 10⁻³."""
    return f"10{str(power).translate(_RAISED)}"
