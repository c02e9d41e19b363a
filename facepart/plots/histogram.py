"""Authentic and impostor score distributions as histograms, of up to six sets in one figure."""

import math
from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from numpy.typing import NDArray

from facepart.analysis.metrics import d_prime
from facepart.plots import palette, style
from facepart.plots.frame import add_legend, make_axes
from facepart.plots.sets import ScoreSet, refuse_too_many
from facepart.scores import STEPS, ScoreDistribution

# The scores that are always shown; the axis is widened where scores lie outside.
SHOWN = (-0.5, 1.0)
# Bins of the shown range: at least so many, or a distribution loses its shape; at most so many, or print cannot
# show them.
FEWEST_BINS, MOST_BINS = 40, 300
# With so many bins a step is narrower than a dash of the impostor line: the curve goes through the bins' middles.
LEAST_BINS_FOR_LINES = 100


class Bins(NamedTuple):
    """A histogram: edges (b + 1,), counts (b,) and densities (b,), whose area is 1."""

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    densities: NDArray[np.float64]


def shown_range(sets: Sequence[ScoreSet]) -> tuple[float, float]:
    """Return the range of the score axis: -0.5 to 1, and as far as scores reach."""
    lowest = min(float(scores.scores[0]) for entry in sets for scores in (entry.authentic, entry.impostor))
    highest = max(float(scores.scores[-1]) for entry in sets for scores in (entry.authentic, entry.impostor))
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
        sets: one to six.
        title: stands on top.

    Raises:
        FacepartError: there are no sets, or more than six.
    """
    refuse_too_many(sets, len(palette.SET_COLOURS))
    low, high = shown_range(sets)
    width = bin_width(sets, high - low)
    with style.house_style():
        figure, axes = make_axes()
        axes.set_xlim(low, high)
        for entry, colour in zip(sets, palette.SET_COLOURS, strict=False):
            _draw(axes, bins(entry.impostor, width), colour, style.IMPOSTOR_LINE)
            _draw(axes, bins(entry.authentic, width), colour, style.AUTHENTIC_LINE)
        axes.set_ylim(bottom=0)
        axes.set_xlabel("Match Scores")
        axes.set_ylabel("Density")
        labels = [f"{entry.label}: d′\u00a0=\u00a0{d_prime(entry.authentic, entry.impostor):.3f}" for entry in sets]
        key = {"authentic": {"linestyle": style.AUTHENTIC_LINE}, "impostor": {"linestyle": style.IMPOSTOR_LINE}}
        add_legend(axes, labels, title, key)
    return figure


def bins(scores: ScoreDistribution, width: float) -> Bins:
    """Count scores in bins from the first to the last, on the grid of multiples of `width`.

    The bounds of the bins are rounded to 6 decimals, as scores are, so that a score on a bound is always of the bin
    above it.
    """
    first = math.floor(float(scores.scores[0]) / width)
    last = max(math.floor(float(scores.scores[-1]) / width) + 1, first + 1)
    edges = np.rint(np.arange(first, last + 1) * width * STEPS) / STEPS
    counts = scores.histogram(edges)
    return Bins(edges, counts, counts / (scores.n * width))


def histogram_table(sets: Sequence[ScoreSet]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the figure's table: a header, and a row for each bin of each curve."""
    low, high = shown_range(sets)
    width = bin_width(sets, high - low)
    yield "set", "label", "kind", "from", "to", "count", "density"
    for number, entry in enumerate(sets, 1):
        for kind, scores in (("authentic", entry.authentic), ("impostor", entry.impostor)):
            edges, counts, densities = bins(scores, width)
            for place, count in enumerate(counts.tolist()):
                row = (float(edges[place]), float(edges[place + 1]), count, float(densities[place]))
                yield number, entry.label, kind, *row


def _freedman_diaconis(scores: ScoreDistribution) -> float:
    return 2 * (scores.quantile(0.75) - scores.quantile(0.25)) * float(scores.n) ** (-1 / 3)


def _draw(axes: Axes, curve: Bins, colour: str, line: object) -> None:
    """Draw one curve, from its first bin to its last."""
    edges, _, heights = curve
    # Not clipped: all scores are within the axes, and a line on their edge is to have its full width.
    look: dict[str, Any] = {"color": colour, "linewidth": palette.LINE_WIDTH, "linestyle": line, "clip_on": False}
    low, high = axes.get_xlim()
    if (high - low) / (edges[1] - edges[0]) >= LEAST_BINS_FOR_LINES:
        centres = (edges[:-1] + edges[1:]) / 2
        axes.plot([edges[0], *centres, edges[-1]], [0, *heights, 0], **look)
    else:
        axes.stairs(heights, edges, **look)
