"""The colours and line styles of plots and report.

The colours are of the palette of Okabe and Ito ("Color Universal Design", 2008), which people with any of the common
kinds of colour blindness tell apart. Sets of scores have the four of its eight that stand out most from white paper,
in the same order in a plot and in the report. The other four are too light for lines or too near these, so the fifth
and the sixth colour were searched for: they are furthest from these four and each other, as people with normal
vision, protanopia and deuteranopia see them. Groups of subjects, whose bars have outlines, also have light colours.
"""

from typing import NamedTuple


class Shade(NamedTuple):
    """A colour, ``#rrggbb``, on a light and on a dark page."""

    light: str
    dark: str


BLUE, VERMILION, BLACK, GREEN = "#0072B2", "#D55E00", "#000000", "#009E73"
ORANGE, PURPLE, SKY_BLUE, YELLOW = "#E69F00", "#CC79A7", "#56B4E9", "#F0E442"
VIOLET, MAROON, GREY = "#963CFF", "#961E1E", "#666666"

# Sets of scores, in their order.
SETS = (
    Shade(BLUE, SKY_BLUE),
    Shade(VERMILION, "#F08A3C"),
    Shade(BLACK, "#E9EBEE"),
    Shade(GREEN, "#2FC79B"),
    Shade(VIOLET, "#B98AFF"),
    Shade(MAROON, "#E08A8A"),
)
# The same on paper.
SET_COLOURS = tuple(shade.light for shade in SETS)

# Groups of subjects, in their order; with more groups, the colours repeat.
GROUPS = (
    Shade(GREEN, GREEN),
    Shade(ORANGE, ORANGE),
    Shade(PURPLE, PURPLE),
    Shade(SKY_BLUE, SKY_BLUE),
    Shade("#59616B", "#A8B0BA"),
    Shade(YELLOW, YELLOW),
)

# An impostor shift or an importance: above 0, 0, below 0.
RISE, NO_CHANGE, FALL = VERMILION, "#C3C5C8", BLUE

# The report's page, text and lines.
PAGE = {
    "page": Shade("#FFFFFF", "#15181C"),
    "ink": Shade("#1B1F24", "#E9EBEE"),
    "quiet": Shade("#59616B", "#A8B0BA"),
    "rule": Shade("#D5D9DE", "#3A4048"),
    "panel": Shade("#F5F6F8", "#1E2227"),
    "link": Shade("#005A9C", "#7CC4F5"),
}

# Impostor scores are dashed, authentic scores solid: dashes and gaps, in line widths.
IMPOSTOR_DASHES = (3.2, 1.4)
LINE_WIDTH = 1.5  # points
# Of a confidence band around a line.
BAND_OPACITY = 0.22
