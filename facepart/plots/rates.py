"""The error rates of sets of scores at given FMRs and at given thresholds, as a table without a figure.

At an FMR, the threshold is the lowest with at most this FMR among these impostor scores, and there have to be enough
of them (:mod:`facepart.analysis.metrics.operating_point`). A given threshold is taken as fixed beforehand. Where a
set's sums by subject are known, its rates have 95 % intervals by subject (:mod:`facepart.analysis.influence`).
"""

import math
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from facepart.analysis.intervals import UNKNOWN, Interval, rate_interval
from facepart.analysis.metrics import fmr, fmr_influence, fnmr, fnmr_influence, operating_point
from facepart.errors import UsageError
from facepart.plots.bands import matched, tmr_at_fmr_interval
from facepart.plots.sets import ScoreSet


class Rates(NamedTuple):
    """The error rates of a set at a threshold.

    Attributes:
        number: of the set, from 1.
        label: what it is called.
        target: the FMR that the threshold is for; NaN where the threshold was given.
        threshold: NaN, as all that follows, where there are too few impostor scores for the FMR.
        fmr: the FMR reached; an interval only at a given threshold.
        tmr: 1 - FNMR.
    """

    number: int
    label: str
    target: float
    threshold: float
    fmr: Interval
    tmr: Interval


def rates_table(sets: Sequence[ScoreSet], fmrs: Sequence[float], thresholds: Sequence[float]) -> list[Rates]:
    """Return the rates of every set at every FMR, then at every threshold.

    Args:
        sets: any number.
        fmrs: each above 0 and below 1.
        thresholds: any scores.

    Raises:
        UsageError: an FMR is not above 0 and below 1, or a threshold is not finite.
    """
    for threshold in thresholds:
        if not math.isfinite(threshold):
            raise UsageError(f"a threshold is a score, not {threshold}")
    numbered = list(enumerate(sets, 1))
    return [
        *(_at_fmr(number, entry, target) for target in fmrs for number, entry in numbered),
        *(_at_threshold(number, entry, threshold) for threshold in thresholds for number, entry in numbered),
    ]


def rate_rows(found: Sequence[Rates]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of the table as a file holds it: a header, then the rates; what is not known is empty."""
    yield (
        *("set", "label", "target_fmr", "threshold", "fmr", "fmr_low", "fmr_high"),
        *("fnmr", "tmr", "tmr_low", "tmr_high"),
    )
    for row in found:
        numbers = (
            *(row.target, row.threshold, row.fmr.value, row.fmr.low, row.fmr.high),
            *(1 - row.tmr.value, row.tmr.value, row.tmr.low, row.tmr.high),
        )
        yield row.number, row.label, *("" if math.isnan(number) else float(number) for number in numbers)


def _at_fmr(number: int, entry: ScoreSet, target: float) -> Rates:
    point = operating_point(entry.authentic, entry.impostor, target)
    if point is None:
        return Rates(number, entry.label, target, math.nan, UNKNOWN, UNKNOWN)
    group = entry.by_subject
    missed = UNKNOWN._replace(value=point.fnmr)
    tmr = matched(missed) if group is None else tmr_at_fmr_interval(group, target)
    return Rates(number, entry.label, target, point.threshold, UNKNOWN._replace(value=point.fmr), tmr)


def _at_threshold(number: int, entry: ScoreSet, threshold: float) -> Rates:
    group = entry.by_subject
    if group is None:
        rates = (float(fmr(entry.impostor, threshold)), float(fnmr(entry.authentic, threshold)))
        wrong, missed = (UNKNOWN._replace(value=rate) for rate in rates)
    else:
        matches, misses = fmr_influence(group, threshold), fnmr_influence(group, threshold)
        wrong, missed = rate_interval(matches, matches.effective / 2), rate_interval(misses, misses.effective)
    return Rates(number, entry.label, math.nan, threshold, wrong, matched(missed))
