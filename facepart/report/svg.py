"""Axes and lines as SVG, small in bytes; colours and line styles are classes of ``report.css``.

A chart that is drawn by the page's own style fits light and dark windows and paper alike.
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from markupsafe import Markup, escape
from numpy.typing import ArrayLike, NDArray

from facepart.analysis.intervals import Interval

# Lines are drawn in whole quarters of a pixel: finer than a screen shows, and short to write.
_FINE = 4
# Between the CIs of several curves at one place, pixels.
_APART = 3.5


class Axes(NamedTuple):
    """A chart's size, its margins and the values at the ends of its axes; pixels, and units of the axes."""

    x: tuple[float, float]
    y: tuple[float, float]
    width: int = 320
    height: int = 200
    left: int = 40
    right: int = 8
    top: int = 8
    bottom: int = 38

    def across(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the places of values on the x axis, pixels."""
        share = (np.asarray(values, np.float64) - self.x[0]) / (self.x[1] - self.x[0])
        return self.left + share * (self.width - self.left - self.right)

    def down(self, values: ArrayLike) -> NDArray[np.float64]:
        """Return the places of values on the y axis, pixels from the top."""
        share = (np.asarray(values, np.float64) - self.y[0]) / (self.y[1] - self.y[0])
        return self.height - self.bottom - share * (self.height - self.top - self.bottom)


class Ticks(NamedTuple):
    """The labels of an axis, each at its value, and what the axis shows."""

    values: Sequence[float]
    labels: Sequence[str]
    title: str


def chart(axes: Axes, x: Ticks, y: Ticks, inside: str, text: str, name: str = "") -> Markup:
    """Make a chart: a grid with its labels, and what is drawn inside.

    Args:
        axes: where things lie.
        x: labels of the x axis; likewise `y`.
        y: a label may be empty.
        inside: the lines, SVG.
        text: what it shows, with figures, for those who do not see it.
        name: an id.
    """
    left, right, top, bottom = axes.left, axes.width - axes.right, axes.top, axes.height - axes.bottom
    pieces = [f'<path class="grid" d="{"".join(f"M{left} {_at(place)}H{right}" for place in axes.down(y.values))}"/>']
    pieces += [f'<path class="axis" d="M{left} {top}V{bottom}H{right}"/>']
    pieces += [
        f'<text class="tick middle" x="{_at(place)}" y="{bottom + 14}">{escape(label)}</text>'
        for place, label in zip(axes.across(x.values), x.labels, strict=True)
        if label
    ]
    pieces += [
        f'<text class="tick end" x="{left - 5}" y="{_at(place + 4)}">{escape(label)}</text>'
        for place, label in zip(axes.down(y.values), y.labels, strict=True)
        if label
    ]
    middle = (top + bottom) / 2
    pieces += [
        f'<text class="title middle" x="{(left + right) / 2:g}" y="{axes.height - 6}">{escape(x.title)}</text>',
        f'<text class="title middle" transform="translate(11 {middle:g})rotate(-90)">{escape(y.title)}</text>',
    ]
    named = f' id="{name}"' if name else ""
    return Markup(  # noqa: S704 - all texts are escaped
        f'<svg class="chart" role="img"{named} viewBox="0 0 {axes.width} {axes.height}">'
        f"<title>{escape(text)}</title>{''.join(pieces)}{inside}</svg>"
    )


def line(axes: Axes, x: ArrayLike, y: ArrayLike, kind: str) -> str:
    """Draw a line through points; `kind` is its class."""
    places = np.stack([axes.across(x), axes.down(y)], axis=-1)
    steps = np.rint(places * _FINE).astype(np.int64)
    if not len(steps):
        return ""
    steps = steps[_turns(steps)]
    start = " ".join(map(str, steps[0].tolist()))
    moves = " ".join(map(str, np.diff(steps, axis=0).ravel().tolist())).replace(" -", "-")
    return f'<path class="line {kind}" transform="scale({1 / _FINE})" d="M{start}l{moves or "0 0"}"/>'


def band(axes: Axes, figure: Interval, kind: str) -> str:
    """Shade the CI of a figure on the x axis; nothing without a CI. `kind` is its class."""
    if not math.isfinite(figure.low):
        return ""
    left, right = axes.across([figure.low, figure.high]).tolist()
    return (
        f'<path class="band {kind}" d="M{left:.1f} {axes.top}H{right:.1f}V{axes.height - axes.bottom}H{left:.1f}z"/>'
    )


def whisker(axes: Axes, x: float, ends: tuple[float, float], place: int, kind: str) -> str:
    """Draw a CI on the y axis: a line with two ends, beside those of other places. `kind` is its class."""
    across = float(axes.across(x)) + _APART * place
    high, low = axes.down(ends).tolist()
    cap = "m-2 0h4"
    return f'<path class="whisker {kind}" d="M{across:.1f} {low:.1f}V{high:.1f}{cap}M{across:.1f} {low:.1f}{cap}"/>'


def _turns(steps: NDArray[np.int64]) -> NDArray[np.intp]:
    """Choose the points in which a line turns: those amid a horizontal or vertical stretch say nothing."""
    before, after = steps[1:-1] - steps[:-2], steps[2:] - steps[1:-1]
    amid = ((before == 0) & (after == 0)).any(axis=1) & (before * after >= 0).all(axis=1)
    return np.concatenate([[0], np.flatnonzero(~amid) + 1, [len(steps) - 1]]) if len(steps) > 1 else np.array([0])


def _at(place: float) -> str:
    return f"{place:.1f}".removesuffix(".0")
