"""Authentic and impostor score distributions as histograms, of up to four sets in one figure."""

import math
import textwrap
from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.transforms import ScaledTranslation
from numpy.typing import NDArray

from facepart.errors import FacepartError
from facepart.metrics import d_prime
from facepart.plots import style
from facepart.plots.scores import ScoreSet

# The scores that are always shown; the axis is widened where scores lie outside.
SHOWN = (-0.5, 1.0)
# Bins of the shown range: at least so many, or a distribution loses its shape; at most so many, or print cannot
# show them.
FEWEST_BINS, MOST_BINS = 40, 300
# With so many bins a step is narrower than a dash of the impostor line: the curve goes through the bins' middles.
LEAST_BINS_FOR_LINES = 100


def shown_range(sets: Sequence[ScoreSet]) -> tuple[float, float]:
    """Give the range of the score axis: -0.5 to 1, and as far as scores reach."""
    lowest = min(float(scores.min()) for entry in sets for scores in (entry.authentic, entry.impostor))
    highest = max(float(scores.max()) for entry in sets for scores in (entry.authentic, entry.impostor))
    margin = 0.02 * (max(highest, SHOWN[1]) - min(lowest, SHOWN[0]))
    low = SHOWN[0] if lowest >= SHOWN[0] else lowest - margin
    high = SHOWN[1] if highest <= SHOWN[1] else highest + margin
    return low, high


def bin_width(sets: Sequence[ScoreSet], extent: float) -> float:
    """Choose one bin width for all curves of a figure, so that their heights can be compared.

    The rule of Freedman and Diaconis ("On the histogram as a density estimator", 1981), 2 IQR n^(-1/3), for the
    curve that needs the widest bins; within 1/300 to 1/40 of the axis, and rounded down to 1, 2, 2.5 or 5 times a
    power of ten.

    Args:
        sets: the scores.
        extent: the length of the score axis.
    """
    wanted = max(_freedman_diaconis(scores) for entry in sets for scores in (entry.authentic, entry.impostor))
    width = min(max(wanted, extent / MOST_BINS), extent / FEWEST_BINS)
    # A hair up, so that a width of exactly 0.005 is not rounded down to 0.002.
    power = 10.0 ** math.floor(math.log10(width * (1 + 1e-9)))
    return power * max(step for step in (1, 2, 2.5, 5) if step * power <= width * (1 + 1e-9))


def score_histogram(sets: Sequence[ScoreSet], title: str | None = None) -> Figure:
    """Draw the score distributions: solid for authentic, dashed for impostor, one colour a set.

    Each curve is a histogram whose area is 1. The legend stands above the axes, so that it covers nothing, and
    gives each set's d'.

    Args:
        sets: one to four.
        title: stands on top.

    Raises:
        FacepartError: there are no sets, or more than four.
    """
    if not 1 <= len(sets) <= len(style.SET_COLOURS):
        raise FacepartError(f"a histogram shows 1 to {len(style.SET_COLOURS)} sets of scores, not {len(sets)}")
    low, high = shown_range(sets)
    width = bin_width(sets, high - low)
    with style.house_style():
        figure = Figure(figsize=(style.FIGURE_WIDTH, style.AXES_HEIGHT), layout="constrained")
        axes = figure.add_subplot()
        axes.set_xlim(low, high)
        for entry, colour in zip(sets, style.SET_COLOURS, strict=False):
            _draw(axes, entry.impostor, width, colour, style.IMPOSTOR_LINE)
            _draw(axes, entry.authentic, width, colour, style.AUTHENTIC_LINE)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("Match Scores")
        axes.set_ylabel("Relative Frequency")
        _add_legend(figure, axes, sets, title)
    return figure


def _freedman_diaconis(scores: NDArray[np.float64]) -> float:
    lower, upper = np.quantile(scores, (0.25, 0.75))
    return 2 * float(upper - lower) * scores.size ** (-1 / 3)


def _draw(axes: Axes, scores: NDArray[np.float64], width: float, colour: str, line: object) -> None:
    """Draw one curve, from its first bin to its last, on the grid of multiples of `width`."""
    first = math.floor(float(scores.min()) / width)
    last = max(math.ceil(float(scores.max()) / width), first + 1)
    # A count and a range, not edges: NumPy then bins without sorting.
    counts, edges = np.histogram(scores, bins=last - first, range=(first * width, last * width))
    heights = counts / (scores.size * width)
    # Not clipped: all scores are within the axes, and a line on their edge is to have its full width.
    look: dict[str, Any] = {"color": colour, "linewidth": style.LINE_WIDTH, "linestyle": line, "clip_on": False}
    low, high = axes.get_xlim()
    if (high - low) / width >= LEAST_BINS_FOR_LINES:
        centres = (edges[:-1] + edges[1:]) / 2
        axes.plot([edges[0], *centres, edges[-1]], [0, *heights, 0], **look)
    else:
        axes.stairs(heights, edges, **look)


def _add_legend(figure: Figure, axes: Axes, sets: Sequence[ScoreSet], title: str | None) -> None:
    """Put the key of the lines, the sets and the title above the axes, and make the figure as much higher."""
    kinds = {"authentic": style.AUTHENTIC_LINE, "impostor": style.IMPOSTOR_LINE}
    key = axes.legend(
        [Line2D([], [], color=style.GREY, linewidth=style.LINE_WIDTH, linestyle=line) for line in kinds.values()],
        list(kinds),
        **(style.LEGEND | {"ncols": 2}),
    )
    axes.add_artist(key)

    labels = [f"{entry.label}: d′\u00a0=\u00a0{d_prime(entry.authentic, entry.impostor):.3f}" for entry in sets]
    columns = 2 if max(map(len, labels)) <= style.LEGEND_CHARACTERS // 2 else 1
    labels = [textwrap.fill(label, style.LEGEND_CHARACTERS) for label in labels]
    patches = [Line2D([], [], color=colour, linewidth=2.5 * style.LINE_WIDTH) for colour in style.SET_COLOURS]
    one_row_up = ScaledTranslation(0, style.LINE_HEIGHT, figure.dpi_scale_trans)
    axes.legend(
        patches[: len(sets)],
        labels,
        **(style.LEGEND | {"ncols": columns, "bbox_transform": axes.transAxes + one_row_up}),
    )
    rows = 1 + sum(label.count("\n") + 1 for label in labels) / columns
    if title:
        wrapped = textwrap.fill(title, style.TITLE_CHARACTERS)
        figure.suptitle(wrapped, fontsize=style.TITLE_SIZE)
        rows += 1.2 * (wrapped.count("\n") + 1)
    figure.set_figheight(style.AXES_HEIGHT + rows * style.LINE_HEIGHT)
