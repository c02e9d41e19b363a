"""FMR and FNMR at any threshold: the counts behind the slider, as data inside the page, and the chart it moves over.

The slider stops at multiples of a step. At these the page holds how many impostor scores lie at or above the
threshold and how many authentic scores below it: whole numbers, so that what is read off is exact.
"""

import math
from collections.abc import Sequence

import numpy as np

from facepart.analysis.metrics import threshold_at_fmr
from facepart.report.content import Content
from facepart.report.markup import plain
from facepart.report.panels import compared, fmr_ticks
from facepart.report.svg import Axes, Ticks, chart
from facepart.scores import GroupScores

# Of the slider, in scores; wider where scores spread so far that there would be more stops than this.
_STEP = 0.005
_MOST_STOPS = 401
# The slider begins where the first group's original photos have this FMR.
_FIRST_FMR = 1e-3
# The chart's lowest rate is 10 to the minus this at most.
_MOST_DECADES = 6


def thresholds(content: Content) -> tuple[int, int, float]:
    """Choose the slider's stops: from the lowest score to above the highest one.

    Returns:
        The first and the last stop as multiples of the step, and the step.
    """
    found = [distribution for scores in _all_scores(content) for distribution in scores if distribution.n]
    low = min(float(distribution.scores[0]) for distribution in found)
    high = max(float(distribution.scores[-1]) for distribution in found)
    step = _STEP
    while (high - low) / step > _MOST_STOPS - 2:
        step *= 2
    # Scores are whole millionths: a threshold a hair above the highest one is above all.
    return math.floor(low / step), math.floor(high / step) + 1, step


def readings(content: Content) -> dict[str, object]:
    """Count the scores at every stop.

    Returns:
        What the page's script reads: ``first``, ``step``, ``start`` (place of the first stop shown), ``frame`` (the
        chart's), and for each group and part the compared sets, each with ``impostor`` and ``authentic`` (how many
        there are), ``matched`` and ``missed`` (false matches and false non-matches at each stop).
    """
    first, last, step = thresholds(content)
    stops = np.round(np.arange(first, last + 1) * step, 6)
    axes = _axes(content)
    originals = [_counted(group.original, stops) for group in content.groups]
    rest = [
        {
            part: [_counted(scores, stops) for scores in list(compared(content, number, part).values())[1:]]
            for part in content.parts
        }
        for number in range(len(content.groups))
    ]
    return {
        "first": first,
        "step": step,
        "stops": len(stops),
        "start": start_stop(content),
        "frame": {
            "left": axes.left,
            "right": axes.width - axes.right,
            "top": axes.top,
            "bottom": axes.height - axes.bottom,
            "decades": -axes.y[0],
        },
        "originals": originals,
        # By number, as in the page's lists to choose from: names are data, and any text may be one.
        "others": [[by_part[part] for part in content.parts] for by_part in rest],
    }


def start_stop(content: Content) -> int:
    """Give the place of the stop where the slider begins: an FMR of the original photos of 0.1 % or just below."""
    first, last, step = thresholds(content)
    threshold = threshold_at_fmr(content.groups[0].original.impostor, _FIRST_FMR)
    return min(math.ceil(threshold / step - 1e-9), last) - first


def reading_chart(content: Content) -> str:
    """Draw the chart's axes; the script draws the curves and the threshold into it."""
    first, last, step = thresholds(content)
    axes = _axes(content)
    tick = 0.25 if (last - first) * step < 2.5 else 2.0 ** math.ceil(math.log2((last - first) * step / 6))
    values = [tick * count for count in range(math.ceil(first * step / tick), math.floor(last * step / tick) + 1)]
    x = Ticks(values, [plain(value, 2) for value in values], "Threshold")
    y = fmr_ticks(int(-axes.y[0]))._replace(title="Error rate")
    text = "FMR and FNMR against the threshold, on a logarithmic scale, of the group and part chosen."
    return chart(axes, x, y, '<g id="reading-lines"></g>', text, name="reading-chart")


def _axes(content: Content) -> Axes:
    first, last, step = thresholds(content)
    largest = max(distribution.n for scores in _all_scores(content) for distribution in scores)
    decades = min(max(math.ceil(math.log10(largest)), 1), _MOST_DECADES)
    return Axes((first * step, last * step), (-decades, 0), width=560, height=280, left=52, right=12, top=10)


def _all_scores(content: Content) -> Sequence[GroupScores]:
    return [
        scores
        for number in range(len(content.groups))
        for part in content.parts
        for scores in compared(content, number, part).values()
    ]


def _counted(scores: GroupScores, stops: np.ndarray) -> dict[str, object]:
    authentic, impostor = scores
    return {
        "impostor": impostor.n,
        "authentic": authentic.n,
        "matched": (impostor.n - impostor.count_below(stops)).tolist(),
        "missed": authentic.count_below(stops).tolist(),
    }
