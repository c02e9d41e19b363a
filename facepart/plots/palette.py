"""The colours and line styles of plots and report.

The colours are of the palette of Okabe and Ito ("Color Universal Design", 2008), which people with any of the common
kinds of colour blindness tell apart. Sets of scores have the four that stand out most from white paper, in the same
order in a plot and in the report; groups of subjects, whose bars have outlines, also have lighter ones. The report has
lighter shades of most for dark windows.
"""

from typing import NamedTuple


class Shade(NamedTuple):
    """A colour, ``#rrggbb``, on a light and on a dark page."""

    light: str
    dark: str


BLUE, VERMILION, BLACK, GREEN = "#0072B2", "#D55E00", "#000000", "#009E73"
ORANGE, PURPLE, SKY_BLUE, YELLOW = "#E69F00", "#CC79A7", "#56B4E9", "#F0E442"
GREY = "#666666"

# Sets of scores, in their order.
SETS = (
    Shade(BLUE, SKY_BLUE),
    Shade(VERMILION, "#F08A3C"),
    Shade(BLACK, "#E9EBEE"),
    Shade(GREEN, "#2FC79B"),
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
