"""Histograms and ROC curves, a small chart for each part and group, all on the same axes so that they compare.

A band in a histogram is the 95 % CI of a mean impostor score; a bar at a ROC curve that of the TMR at an FMR.
"""

import math
from typing import NamedTuple

import numpy as np
from markupsafe import Markup
from numpy.typing import NDArray

from facepart.analysis.intervals import UNKNOWN, Interval
from facepart.analysis.metrics import STUDY_FMRS, fmr_suffix
from facepart.analysis.metrics.operating_point import MIN_FALSE_MATCHES
from facepart.analysis.results import CONTROL, CROSS, WITHIN, PartResult
from facepart.plots.curves import curve
from facepart.plots.histogram import LEAST_BINS_FOR_LINES, Bins, bin_width, bins, shown_range
from facepart.plots.sets import ScoreSet
from facepart.plots.style import power_of_ten
from facepart.report.formatting import per_cent, plain
from facepart.report.report_data import ReportData, ranks_by_part
from facepart.report.svg import Axes, Ticks, band, chart, line, whisker
from facepart.report.templating import describe
from facepart.scores import GroupScores

BASELINE = "baseline"
# No ROC chart shows FMRs below this, nor those that too few false matches support.
_LEAST_FMR = 1e-6


class Points(NamedTuple):
    """A ROC curve: float64 (k,) each."""

    fmr: NDArray[np.float64]
    tmr: NDArray[np.float64]


class Panel(NamedTuple):
    """The charts of a part in a group; without authentic scores, `roc` is empty, and without any scores both are."""

    group: str
    row: PartResult
    histogram: Markup
    roc: Markup


class PartPanels(NamedTuple):
    """The charts of a part in each group, and its place in the main ranking; 0 if it has no rank."""

    rank: int
    panels: list[Panel]


def comparisons(data: ReportData) -> list[str]:
    """Return what charts compare, in the order of the colours s0, s1, ...: ``baseline``, ``within`` and so on."""
    found = {key for group in range(len(data.groups)) for part in data.parts for key in compared(data, group, part)}
    return [key for key in (BASELINE, WITHIN, CROSS, CONTROL) if key in found]


def compared(data: ReportData, group: int, part: str) -> dict[str, GroupScores]:
    """Return the scores that the charts of a part in a group compare.

    Returns:
        As far as there are any: ``baseline`` (of the photos that the part's figures are about), ``within``, ``cross``
        and ``control``.
    """
    entry = data.groups[group]
    sources = {BASELINE: entry.baselines, WITHIN: entry.occluded, CROSS: entry.crossed}
    # Of a part that has places on few photos, the control is no control.
    if (entry.name, part) in data.main_rows(CONTROL):
        sources[CONTROL] = entry.controls
    return {key: scores[part] for key, scores in sources.items() if part in scores}


def part_panels(data: ReportData) -> dict[str, PartPanels]:
    """Draw the charts of each part, in the order of the main ranking, for each group."""
    drawn, curves, rows = histograms(data), rocs(data), data.main_rows()
    ranks = {part: rank for part, (rank, _) in ranks_by_part(data.main_ranking).items()}
    return {
        part: PartPanels(
            ranks.get(part, 0),
            [
                Panel(
                    group.name,
                    rows[group.name, part],
                    drawn.get((number, part), Markup()),
                    curves.get((number, part), Markup()),
                )
                for number, group in enumerate(data.groups)
            ],
        )
        for part in data.parts_in_order
    }


def histograms(data: ReportData) -> dict[tuple[int, str], Markup]:
    """Draw the score histograms, as in the original study: solid for authentic, dashed for impostor scores.

    Returns:
        (Number of the group, part) -> SVG.
    """
    keys = _keys(data)
    if not keys:
        return {}
    everything = [_drawable(scores) for key in keys for scores in compared(data, *key).values()]
    low, high = shown_range(everything)
    width = bin_width(everything, high - low)
    order = comparisons(data)
    curves: dict[tuple[int, str], list[tuple[str, Bins]]] = {}
    for key in keys:
        curves[key] = [
            (f"s{order.index(name)} {kind}", bins(distribution, width))
            for name, scores in compared(data, *key).items()
            for kind, distribution in zip(("impostor", "authentic"), reversed(scores), strict=True)
            if distribution.n
        ]
    tallest = max(float(drawn.densities.max()) for found in curves.values() for _, drawn in found)
    axes = Axes((low, high), (0, tallest * 1.03), left=24, right=12)
    x, y = _score_ticks(low, high), Ticks([], [], "Density")
    charts = {}
    for group, part in keys:
        sets = compared(data, group, part)
        means = _figures(data, data.groups[group].name, part, "impostor_mean")
        lines = "".join(band(axes, means[name], f"s{order.index(name)}") for name in sets)
        lines += "".join(_histogram_line(axes, drawn, kind, high - low) for kind, drawn in curves[group, part])
        text = describe("histograms", part=data.label(part), group=data.groups[group].name, sets=sets)
        charts[group, part] = chart(axes, x, y, lines, text)
    return charts


def rocs(data: ReportData) -> dict[tuple[int, str], Markup]:
    """Draw the ROC curves: TMR, 1 - FNMR, against FMR; groups without authentic scores have none.

    Returns:
        (Number of the group, part) -> SVG.
    """
    order = comparisons(data)
    found: dict[tuple[int, str], dict[str, Points]] = {}
    for key in _keys(data):
        sets = compared(data, *key)
        points = {name: _points(scores, sets[BASELINE].impostor.n) for name, scores in sets.items()}
        if len(points[BASELINE].fmr):
            found[key] = points
    drawn = [points for curves in found.values() for points in curves.values() if len(points.fmr)]
    if not drawn:
        return {}
    decades = max(math.ceil(-math.log10(min(float(points.fmr.min()) for points in drawn)) - 1e-9), 1)
    cis = {key: _tmrs(data, *key) for key in found}
    ends = [1 - missed.high for bars in cis.values() for _, _, missed in bars]
    lowest = min([*ends, *(float(points.tmr.min()) for points in drawn)])
    step = next(step for step in (0.01, 0.02, 0.05, 0.1, 0.2) if (1 - lowest) <= 5 * step or step == 0.2)
    bottom = max(min(math.floor(lowest / step + 1e-9) * step, 1 - step), 0.0)
    rates = [round(bottom + step * count, 4) for count in range(round((1 - bottom) / step) + 1)]
    axes = Axes((-decades, 0), (bottom, 1), left=58)
    x = fmr_ticks(decades)
    y = Ticks(rates, [per_cent(rate, 0) for rate in rates], "TMR (1 − FNMR)")
    charts = {}
    for key, curves in found.items():
        lines = "".join(
            line(axes, np.log10(p.fmr), p.tmr, f"s{order.index(compared_as)}") for compared_as, p in curves.items()
        )
        for compared_as, target, missed in cis[key]:
            place = order.index(compared_as)
            lines += whisker(axes, math.log10(target), (1 - missed.high, 1 - missed.low), place, f"s{place}")
        name, part = data.groups[key[0]].name, key[1]
        sets = compared(data, *key)
        fnmrs = {each: rate.value for each, rate in _figures(data, name, part, "fnmr_1e3").items() if each in sets}
        text = describe("rocs", part=data.label(part), group=name, sets=sets, fnmrs=fnmrs)
        charts[key] = chart(axes, x, y, lines, text)
    return charts


def fmr_ticks(decades: int) -> Ticks:
    """Label a logarithmic axis of rates from 10^-decades to 1."""
    powers = range(-decades, 1)
    return Ticks(powers, [power_of_ten(power) if power else "1" for power in powers], "FMR")


def _keys(data: ReportData) -> list[tuple[int, str]]:
    """Return the groups, by number, and parts that have charts: those whose photos were compared."""
    return [
        (number, part) for number, group in enumerate(data.groups) for part in data.parts if part in group.baselines
    ]


def _score_ticks(low: float, high: float) -> Ticks:
    step = 0.5 if high - low < 4 else 2 ** math.ceil(math.log2((high - low) / 6))
    values = [step * count for count in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Ticks(values, [plain(value, 1) for value in values], "Score")


def _drawable(scores: GroupScores) -> ScoreSet:
    # A group without authentic scores is drawn by its impostor scores alone.
    return ScoreSet("", scores.authentic if scores.authentic.n else scores.impostor, scores.impostor)


def _histogram_line(axes: Axes, drawn: Bins, kind: str, extent: float) -> str:
    edges, _, heights = drawn
    if extent / (edges[1] - edges[0]) >= LEAST_BINS_FOR_LINES:
        middles = (edges[:-1] + edges[1:]) / 2
        return line(axes, [edges[0], *middles, edges[-1]], [0, *heights, 0], kind)
    return line(axes, np.repeat(edges, 2), [0, *np.repeat(heights, 2), 0], kind)


def _points(scores: GroupScores, pairs: int) -> Points:
    """Choose the points of a ROC curve that enough false matches support; none without authentic scores.

    Args:
        scores: of one comparison.
        pairs: impostor pairs of the baseline photos. The scores of a control, of several positions, are of the same
            pairs again and again, and support no lower FMR.
    """
    if not scores.authentic.n:
        return Points(np.empty(0), np.empty(0))
    rates = curve(ScoreSet("", *scores)).rates
    supported = rates.fmr >= max(MIN_FALSE_MATCHES / min(scores.impostor.n, pairs), _LEAST_FMR)
    return Points(rates.fmr[supported], 1 - rates.fnmr[supported])


def _figures(data: ReportData, group: str, part: str, column: str) -> dict[str, Interval]:
    """Return a figure of everything that is compared: comparison -> figure."""
    found = {BASELINE: data.main_rows()[group, part].figure(f"{column}_baseline")}
    for comparison in (WITHIN, CROSS, CONTROL):
        row = data.main_rows(comparison).get((group, part))
        found[comparison] = row.figure(column) if row else UNKNOWN
    return found


def _tmrs(data: ReportData, group: int, part: str) -> list[tuple[str, float, Interval]]:
    """List the FNMRs that have a CI: comparison, FMR, and the FNMR there."""
    return [
        (name, target, missed)
        for target in STUDY_FMRS
        for name, missed in _figures(data, data.groups[group].name, part, f"fnmr_{fmr_suffix(target)}").items()
        if name in compared(data, group, part) and math.isfinite(missed.low)
    ]
