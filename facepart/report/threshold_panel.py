"""FMR and FNMR at any threshold, as data for ``templates/threshold.html``: the slider's counts, and its chart.

The slider stops at multiples of a step. At these the page holds how many impostor scores lie at or above the
threshold and how many authentic scores below it: whole numbers, so that what is read off is exact.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from facepart.analysis.metrics import threshold_at_fmr
from facepart.report.formatting import plain, script_json
from facepart.report.panels import compared, comparisons, fmr_ticks
from facepart.report.report_data import ReportData
from facepart.report.svg import Axes, Ticks, chart
from facepart.report.templating import describe
from facepart.scores import GroupScores

# Of the slider, in scores; wider where scores spread so far that there would be more stops than this.
_STEP = 0.005
_MOST_STOPS = 401
# The slider begins where the first group's baseline photos have this FMR.
_FIRST_FMR = 1e-3
# The chart's lowest rate is 10 to the minus this at most.
_MOST_DECADES = 6


@dataclass(frozen=True)
class Stops:
    """The thresholds of the slider: the first and the last as multiples of the step, and where it begins."""

    first: int
    last: int
    step: float
    start: int

    @property
    def count(self) -> int:
        """How many there are."""
        return self.last - self.first + 1


@dataclass(frozen=True)
class ThresholdPanel:
    """What the page's script needs: the slider's range as text, the chart, and the counts as JSON."""

    low: str
    high: str
    step: str
    start: str
    chart: Markup
    readings: Markup


def threshold_panel(data: ReportData) -> ThresholdPanel:
    """Count the scores at every stop, and draw the chart's axes; the script draws the curves into it."""
    stops = _stops(data)
    return ThresholdPanel(
        low=f"{stops.first * stops.step:.6g}",
        high=f"{stops.last * stops.step:.6g}",
        step=f"{stops.step:g}",
        start=f"{(stops.first + stops.start) * stops.step:.6g}",
        chart=_chart(data, stops),
        readings=script_json(_readings(data, stops)),
    )


def _stops(data: ReportData) -> Stops:
    """Choose the slider's stops: from the lowest score to above the highest one."""
    found = [distribution for scores in _all_scores(data) for distribution in scores if distribution.n]
    low = min(float(distribution.scores[0]) for distribution in found)
    high = max(float(distribution.scores[-1]) for distribution in found)
    step = _STEP
    while (high - low) / step > _MOST_STOPS - 2:
        step *= 2
    # Scores are whole millionths: a threshold a hair above the highest one is above all.
    first, last = math.floor(low / step), math.floor(high / step) + 1
    threshold = threshold_at_fmr(data.groups[0].baseline.impostor, _FIRST_FMR)
    return Stops(first, last, step, min(math.ceil(threshold / step - 1e-9), last) - first)


def _readings(data: ReportData, stops: Stops) -> dict[str, object]:
    """Count the scores at every stop.

    Returns:
        What the page's script reads: ``first``, ``step``, ``start`` (place of the first stop shown), ``frame`` (the
        chart's), ``counts``: the compared sets, each with ``impostor`` and ``authentic`` (how many there are),
        ``matched`` and ``missed`` (false matches and false non-matches at each stop), and ``sets``: for each group
        and part, and for each row of the page's table, the place of the set in ``counts``, or null.
    """
    thresholds = np.round(np.arange(stops.first, stops.last + 1) * stops.step, 6)
    axes = _axes(data, stops)
    # Several parts are found on the same photos, with the same baseline.
    counts: dict[str, int] = {}
    sets: list[list[list[int | None]]] = []
    for number in range(len(data.groups)):
        # By number, as in the page's lists to choose from: names are data, and any text may be one.
        sets.append([])
        for part in data.parts:
            scores = compared(data, number, part)
            written = {key: json.dumps(_counted(each, thresholds)) for key, each in scores.items()}
            sets[-1].append(
                [
                    counts.setdefault(written[key], len(counts)) if key in written else None
                    for key in comparisons(data)
                ]
            )
    return {
        "first": stops.first,
        "step": stops.step,
        "stops": stops.count,
        "start": stops.start,
        "frame": {
            "left": axes.left,
            "right": axes.width - axes.right,
            "top": axes.top,
            "bottom": axes.height - axes.bottom,
            "decades": -axes.y[0],
        },
        "counts": [json.loads(text) for text in counts],
        "sets": sets,
    }


def _chart(data: ReportData, stops: Stops) -> Markup:
    axes = _axes(data, stops)
    low, high = axes.x
    tick = 0.25 if high - low < 2.5 else 2.0 ** math.ceil(math.log2((high - low) / 6))
    values = [tick * count for count in range(math.ceil(low / tick), math.floor(high / tick) + 1)]
    x = Ticks(values, [plain(value, 2) for value in values], "Threshold")
    y = fmr_ticks(int(-axes.y[0]))._replace(title="Error rate")
    return chart(axes, x, y, '<g id="reading-lines"></g>', describe("error_rates"), name="reading-chart")


def _axes(data: ReportData, stops: Stops) -> Axes:
    largest = max(distribution.n for scores in _all_scores(data) for distribution in scores)
    decades = min(max(math.ceil(math.log10(largest)), 1), _MOST_DECADES)
    ends = (stops.first * stops.step, stops.last * stops.step)
    return Axes(ends, (-decades, 0), width=560, height=280, left=52, right=12, top=10)


def _all_scores(data: ReportData) -> Sequence[GroupScores]:
    found = [
        scores
        for number in range(len(data.groups))
        for part in data.parts
        for scores in compared(data, number, part).values()
    ]
    # Where no part was found, the panel has only the axes.
    return found or [group.baseline for group in data.groups]


def _counted(scores: GroupScores, thresholds: np.ndarray) -> dict[str, object]:
    authentic, impostor = scores
    return {
        "impostor": impostor.n,
        "authentic": authentic.n,
        "matched": (impostor.n - impostor.count_below(thresholds)).tolist(),
        "missed": authentic.count_below(thresholds).tolist(),
    }
