"""Histograms and ROC curves, a small chart for each part and group, all on the same axes so that they compare."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.metrics.operating_point import MIN_FALSE_MATCHES
from facepart.analysis.results import CONTROL, CROSS, WITHIN
from facepart.plots.curves import curve
from facepart.plots.histogram import LEAST_BINS_FOR_LINES, Bins, bin_width, bins, shown_range
from facepart.plots.sets import ScoreSet
from facepart.plots.style import power_of_ten
from facepart.report.content import Content
from facepart.report.markup import part_name, per_cent, plain
from facepart.report.svg import Axes, Ticks, chart, line
from facepart.scores import GroupScores

# What is compared, in the order of the colours s0, s1, s2, s3 of report.css.
ORIGINAL, LOST, CROSSED, CONTROLLED = "original", "part lost", "part lost against original", "control"
# No ROC chart shows FMRs below this; nor those that too few false matches tell.
_LEAST_FMR = 1e-6


class Points(NamedTuple):
    """A ROC curve: float64 (k,) each."""

    fmr: NDArray[np.float64]
    accepted: NDArray[np.float64]


def compared(content: Content, group: int, part: str) -> dict[str, GroupScores]:
    """Give what a chart of a part in a group compares: original, blurred, and crossed and control where there are."""
    entry = content.groups[group]
    found = {ORIGINAL: entry.original, LOST: entry.blurred[part]}
    for label, more in ((CROSSED, entry.crossed), (CONTROLLED, entry.controls)):
        if part in more:
            found[label] = more[part]
    return found


def histograms(content: Content) -> dict[tuple[int, str], str]:
    """Draw the score histograms, as in the original study: solid for authentic, dashed for impostor scores.

    Returns:
        (Number of the group, part) -> SVG.
    """
    keys = [(group, part) for group in range(len(content.groups)) for part in content.parts]
    everything = [_drawable(scores) for key in keys for scores in compared(content, *key).values()]
    low, high = shown_range(everything)
    curves: dict[tuple[int, str], list[tuple[str, Bins]]] = {}
    for key in keys:
        sets = compared(content, *key)
        width = bin_width([_drawable(scores) for scores in sets.values()], high - low)
        curves[key] = [
            (f"s{number} {kind}", bins(distribution, width))
            for number, scores in enumerate(sets.values())
            for kind, distribution in zip(("impostor", "authentic"), reversed(scores), strict=True)
            if distribution.n
        ]
    tallest = max(float(drawn.densities.max()) for found in curves.values() for _, drawn in found)
    axes = Axes((low, high), (0, tallest * 1.03), left=24, right=12)
    x, y = _score_ticks(low, high), Ticks([], [], "Relative frequency")
    return {
        (group, part): chart(
            axes,
            x,
            y,
            "".join(_histogram_line(axes, drawn, kind, high - low) for kind, drawn in curves[group, part]),
            _told(content, group, part, "Histograms"),
        )
        for group, part in keys
    }


def rocs(content: Content) -> dict[tuple[int, str], str]:
    """Draw the ROC curves: 1 - FNMR against the FMR; groups without authentic scores have none.

    Returns:
        (Number of the group, part) -> SVG.
    """
    found: dict[tuple[int, str], list[Points]] = {}
    for number, group in enumerate(content.groups):
        original = _points(group.original)
        for part in content.parts if group.original.authentic.n else ():
            later = [_points(scores) for scores in list(compared(content, number, part).values())[1:]]
            found[number, part] = [original, *later]
    drawn = [points for curves in found.values() for points in curves if len(points.fmr)]
    if not drawn:
        return {}
    decades = max(math.ceil(-math.log10(min(float(points.fmr.min()) for points in drawn)) - 1e-9), 1)
    lowest = min(float(points.accepted.min()) for points in drawn)
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (1 - lowest) <= 5 * step or step == 0.2)
    bottom = max(min(math.floor(lowest / step + 1e-9) * step, 1 - step), 0.0)
    rates = [round(bottom + step * count, 4) for count in range(round((1 - bottom) / step) + 1)]
    axes = Axes((-decades, 0), (bottom, 1), left=46)
    x = fmr_ticks(decades)
    y = Ticks(rates, [f"{rate:.0%}" for rate in rates], "True accept rate")
    return {
        key: chart(
            axes,
            x,
            y,
            "".join(line(axes, np.log10(p.fmr), p.accepted, f"s{number}") for number, p in enumerate(curves)),
            _told(content, *key, "ROC curves"),
        )
        for key, curves in found.items()
    }


def fmr_ticks(decades: int) -> Ticks:
    """Label a logarithmic axis of rates from 10^-decades to 1."""
    powers = range(-decades, 1)
    return Ticks(powers, [power_of_ten(power) if power else "1" for power in powers], "FMR")


def _score_ticks(low: float, high: float) -> Ticks:
    step = 0.5 if high - low < 4 else 2 ** math.ceil(math.log2((high - low) / 6))
    values = [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Ticks(values, [plain(value, 1) for value in values], "Match score")


def _drawable(scores: GroupScores) -> ScoreSet:
    # A group without authentic scores is drawn by its impostor scores alone.
    return ScoreSet("", scores.authentic if scores.authentic.n else scores.impostor, scores.impostor)


def _histogram_line(axes: Axes, drawn: Bins, kind: str, extent: float) -> str:
    edges, _, heights = drawn
    if extent / (edges[1] - edges[0]) >= LEAST_BINS_FOR_LINES:
        middles = (edges[:-1] + edges[1:]) / 2
        return line(axes, [edges[0], *middles, edges[-1]], [0, *heights, 0], kind)
    return line(axes, np.repeat(edges, 2), [0, *np.repeat(heights, 2), 0], kind)


def _points(scores: GroupScores) -> Points:
    """Choose the points of a ROC curve that enough false matches tell; none without authentic scores."""
    if not scores.authentic.n:
        return Points(np.empty(0), np.empty(0))
    rates = curve(ScoreSet("", *scores)).rates
    told = rates.fmr >= max(MIN_FALSE_MATCHES / scores.impostor.n, _LEAST_FMR)
    return Points(rates.fmr[told], 1 - rates.fnmr[told])


def _told(content: Content, group: int, part: str, what: str) -> str:
    """Say what a chart shows, with the figures that it is looked at for."""
    entry, sets = content.groups[group], compared(content, group, part)
    said = [f"{what}, {part_name(part)} in {entry.name}."]
    for label, scores in sets.items():
        means = f"mean impostor score {plain(scores.impostor.mean)}"
        if scores.authentic.n:
            means += f", mean authentic score {plain(scores.authentic.mean)}"
        said.append(f"{label.capitalize()}: {means}.")
    if what == "ROC curves":
        said.append(" ".join(_fnmr_told(content, entry.name, part)))
    elif not entry.original.authentic.n:
        said.append("There are no authentic scores.")
    return " ".join(said)


def _fnmr_told(content: Content, group: str, part: str) -> Sequence[str]:
    labels = {WITHIN: LOST, CROSS: CROSSED, CONTROL: CONTROLLED}
    return [
        f"FNMR at FMR 0.1\u00a0%: original {per_cent(row.fnmr_1e3_baseline.value)}, "
        f"{labels[row.comparison]} {per_cent(row.fnmr_1e3.value)}."
        for row in content.results
        if (row.group, row.part, row.occlusion) == (group, part, content.occlusion)
    ]
