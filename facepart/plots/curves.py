"""FMR and FNMR as curves: ROC, DET, and both rates against the threshold, of several sets in one figure.

Every curve goes through points that the scores have, some hundreds of them, chosen so that on the figure's axes no
two neighbours are far apart. The thresholds at FMRs of 1e-2 to 1e-6 are marked, as far as the impostor scores support
them (:mod:`facepart.analysis.metrics.operating_point`). ROC and DET curves end where fewer than ten false matches are
left: below, a curve is mostly chance.
"""

import math
from collections.abc import Iterator, Sequence
from statistics import NormalDist
from typing import Any, NamedTuple

import numpy as np
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, NullFormatter
from numpy.typing import NDArray

from facepart.analysis.metrics import REPORTED_FMRS, ErrorRates, OperatingPoint, eer_from_rates, operating_point
from facepart.analysis.metrics.operating_point import MIN_FALSE_MATCHES
from facepart.plots import palette, style
from facepart.plots.frame import add_legend, make_axes
from facepart.plots.sets import ScoreSet, refuse_too_many

# Points of a curve; a 300 dpi print of the axes is about 1,200 wide.
MOST_POINTS = 600
# Labelled rates of the DET plot's axes.
_DET_TICKS = (1e-8, 1e-7, 1e-6, 1e-5, 1e-4, 1e-3, 0.01, 0.05, 0.2, 0.4, 0.6, 0.8, 0.95)
# A ROC curve without misses is shown as far down as this.
_LEAST_ROOM = 0.01
_APART = f"no threshold has false non-matches and {MIN_FALSE_MATCHES} false matches"
_TOO_FEW = f"fewer than {MIN_FALSE_MATCHES} impostor scores"
# The least rate that is labelled as a plain number of per cents.
_LEAST_PLAIN = 1e-4
_MARK = "o"
_BAND = "95 % CI by subject"
_HEADER = ("set", "label", "target_fmr", "threshold", "fmr", "fnmr", "tmr")
_BAND_HEADER = ("tmr_low", "tmr_high")
_NORMAL = NormalDist()


class Curve(NamedTuple):
    """What is drawn of a set: a part of its error rates, and the marked points."""

    rates: ErrorRates
    marked: list[tuple[float, OperatingPoint]]


def curve(entry: ScoreSet) -> Curve:
    """Choose the points of a set that are drawn, and those that are marked."""
    points = [(target, operating_point(entry.authentic, entry.impostor, target)) for target in REPORTED_FMRS]
    marked = [(target, point) for target, point in points if point is not None]
    return Curve(_thinned(entry.rates), marked)


def roc_curves(
    sets: Sequence[ScoreSet], title: str | None = None, *, bands: bool = False, min_tmr: float | None = None
) -> Figure:
    """Draw ROC curves: the TMR, 1 - FNMR, against the FMR on a logarithmic axis.

    Args:
        sets: one to twelve.
        title: stands on top.
        bands: also the confidence band of each curve (:mod:`facepart.plots.bands`).
        min_tmr: where the TMR axis begins, below 1; None for what the curves and bands need.

    Raises:
        FacepartError: there are no sets, or more than twelve; or there is to be a band of a set whose sums by
            subject are not known.
    """
    with style.house_style():
        figure, axes, curves = _begin(sets, len(style.SET_LOOKS))
        least, fmrs = 1.0, list[float]()
        for (rates, marked), entry, (colour, line) in zip(curves, sets, style.SET_LOOKS, strict=False):
            drawn = _supported(rates, entry)
            fmrs += rates.fmr[drawn].tolist()
            _line(axes, rates.fmr[drawn], 1 - rates.fnmr[drawn], colour, line)
            least = min([least, *(1 - rates.fnmr[drawn]).tolist()])
            if bands:
                fmr, low, high, _ = entry.band
                axes.fill_between(fmr, low, high, color=colour, alpha=palette.BAND_OPACITY, linewidth=0)
                least = min([least, *low.tolist()])
            at = {point.threshold: (point.fmr, 1 - point.fnmr) for point in _on_curve(marked, entry)}
            _marks(axes, at, colour, named=len(sets) == 1)
        room = max(1 - least, _LEAST_ROOM) if min_tmr is None else 1 - min_tmr
        axes.set_ylim(1 - 1.03 * room if min_tmr is None else min_tmr, 1 + 0.03 * room)
        axes.set_xscale("log")
        _label_powers(axes.xaxis)
        axes.set_xlim(_power_below(min(fmrs, default=1.0)), 1)
        if not fmrs:
            _say(axes, _TOO_FEW)
        axes.set_xlabel("False Match Rate")
        axes.set_ylabel("True Match Rate")
        _end(axes, sets, curves, title, {_BAND: {"linewidth": 7, "alpha": palette.BAND_OPACITY}} if bands else None)
    return figure


def det_curves(sets: Sequence[ScoreSet], title: str | None = None) -> Figure:
    """Draw DET curves: FNMR against FMR, both on normal-deviate axes.

    On these, normally distributed scores give straight lines (Martin et al., "The DET curve in assessment of
    detection task performance", Eurospeech 1997). Points where a rate is 0 or 1 lie at infinity and are not drawn.

    Args:
        sets: one to twelve.
        title: stands on top.

    Raises:
        FacepartError: there are no sets, or more than twelve.
    """
    with style.house_style():
        figure, axes, curves = _begin(sets, len(style.SET_LOOKS))
        shown: list[tuple[float, float]] = []
        for (rates, marked), entry, (colour, line) in zip(curves, sets, style.SET_LOOKS, strict=False):
            drawn = _supported(rates, entry)
            points = list(zip(rates.fmr[drawn].tolist(), rates.fnmr[drawn].tolist(), strict=True))
            finite = [point for point in points if all(0 < rate < 1 for rate in point)]
            shown += finite
            _line(axes, _deviates([x for x, _ in finite]), _deviates([y for _, y in finite]), colour, line)
            both = [point for point in _on_curve(marked, entry) if point.fmr < 1 and 0 < point.fnmr < 1]
            at = {point.threshold: (_NORMAL.inv_cdf(point.fmr), _NORMAL.inv_cdf(point.fnmr)) for point in both}
            _marks(axes, at, colour, named=len(sets) == 1)
        axes.set_xlim(_limits([x for x, _ in shown]))
        axes.set_ylim(_limits([y for _, y in shown]))
        axes.set_xticks(*_ticks(*axes.get_xlim()))
        axes.set_yticks(*_ticks(*axes.get_ylim()))
        if not shown:
            few = all(entry.impostor.n < MIN_FALSE_MATCHES for entry in sets)
            _say(axes, _TOO_FEW if few else _APART)
        axes.set_xlabel("False Match Rate (%)")
        axes.set_ylabel("False Non-Match Rate (%)")
        _end(axes, sets, curves, title)
    return figure


def fmr_fnmr_curves(sets: Sequence[ScoreSet], title: str | None = None) -> Figure:
    """Draw FMR (dashed) and FNMR (solid) against the threshold, on a logarithmic axis.

    Args:
        sets: one to six.
        title: stands on top.

    Raises:
        FacepartError: there are no sets, or more than six.
    """
    with style.house_style():
        figure, axes, curves = _begin(sets, len(palette.SET_COLOURS))
        for (rates, marked), colour in zip(curves, palette.SET_COLOURS, strict=False):
            for values, line in ((rates.fmr, style.IMPOSTOR_LINE), (rates.fnmr, style.AUTHENTIC_LINE)):
                drawn = (values > 0) & np.isfinite(rates.thresholds)
                _line(axes, rates.thresholds[drawn], values[drawn], colour, line)
            at = {point.threshold: (point.threshold, point.fmr) for _, point in marked if point.fmr > 0}
            _marks(axes, at, colour, named=len(sets) == 1)
        axes.set_yscale("log")
        _label_powers(axes.yaxis)
        axes.set_ylim(_least_rate(curves), 1)
        axes.set_xlabel("Threshold")
        axes.set_ylabel("Error Rate")
        key = {"FNMR": {"linestyle": style.AUTHENTIC_LINE}, "FMR": {"linestyle": style.IMPOSTOR_LINE}}
        _end(axes, sets, curves, title, key)
    return figure


def curve_table(sets: Sequence[ScoreSet], *, whole: bool = True, bands: bool = False) -> Iterator[tuple[object, ...]]:
    """Yield the rows of these figures' table: a header, the marked points of each set, and those of its curve.

    A marked point names the FMR it is for; that of a curve leaves it empty.

    Args:
        sets: those of the figure.
        whole: whether the curve's points with fewer than ten false matches are among them.
        bands: whether the points of the confidence bands are among the marked ones, with the ends of their intervals
            in two more columns.

    Raises:
        FacepartError: there are to be bands of a set whose sums by subject are not known.
    """
    yield _HEADER + (_BAND_HEADER if bands else ())
    for number, entry in enumerate(sets, 1):
        rates, marked = curve(entry)
        named = dict(marked)
        ends: dict[float, tuple[float, float]] = {}
        if bands:
            fmrs, lows, highs, points = entry.band
            ends = dict(zip(fmrs.tolist(), zip(lows.tolist(), highs.tolist(), strict=True), strict=True))
            named |= dict(zip(ends, points, strict=True))
        without_ends = ("",) * len(_BAND_HEADER) if bands else ()
        for target in sorted(named, reverse=True):
            threshold, fmr, fnmr = named[target]
            yield number, entry.label, target, threshold, fmr, fnmr, 1 - fnmr, *ends.get(target, without_ends)
        drawn = np.ones(len(rates.fmr), np.bool_) if whole else _supported(rates, entry)
        for threshold, fmr, fnmr in zip(*(values[drawn].tolist() for values in rates), strict=True):
            yield number, entry.label, "", threshold, fmr, fnmr, 1 - fnmr, *without_ends


def supported_table(sets: Sequence[ScoreSet]) -> Iterator[tuple[object, ...]]:
    """Yield the rows of a ROC or DET plot's table: curves end at ten false matches, see :func:`curve_table`."""
    yield from curve_table(sets, whole=False)


def _supported(rates: ErrorRates, entry: ScoreSet) -> NDArray[np.bool_]:
    """Find the points with enough false matches, as every supported FMR has (:func:`operating_point`)."""
    # A hair below, so that ten false matches are enough however their share is rounded.
    return rates.fmr * entry.impostor.n >= MIN_FALSE_MATCHES * (1 - 1e-9)


def _on_curve(marked: Sequence[tuple[float, OperatingPoint]], entry: ScoreSet) -> list[OperatingPoint]:
    """Return the marked points that :func:`_supported` keeps; ties can leave fewer false matches than expected."""
    return [each for _, each in marked if each.fmr * entry.impostor.n >= MIN_FALSE_MATCHES * (1 - 1e-9)]


def _say(axes: Axes, text: str) -> None:
    """Write in the middle of the axes why there is no curve."""
    axes.text(0.5, 0.5, text, transform=axes.transAxes, ha="center", va="center", color=palette.GREY)


def _thinned(rates: ErrorRates) -> ErrorRates:
    """Choose points such that neighbours are near each other on every figure's axes."""
    if len(rates.thresholds) <= MOST_POINTS:
        return rates
    thresholds, fmr, fnmr = rates
    # None of these falls from one point to the next, and 0 is as far below the least rate as half of that.
    distances = [
        np.nan_to_num(thresholds, posinf=float(thresholds[-2])),
        -np.log(np.maximum(fmr, fmr[fmr > 0].min() / 2)),
        np.log(np.maximum(fnmr, fnmr[fnmr > 0].min() / 2)),
        fnmr - fmr,
    ]
    chosen = [np.array([0, len(rates.thresholds) - 1])]
    for travelled in distances:
        steps = np.linspace(travelled[0], travelled[-1], MOST_POINTS // len(distances))
        chosen.append(np.searchsorted(travelled, steps, side="left").clip(0, len(travelled) - 1))
    kept = np.unique(np.concatenate(chosen))
    return ErrorRates(*(values[kept] for values in rates))


def _begin(sets: Sequence[ScoreSet], most: int) -> tuple[Figure, Axes, list[Curve]]:
    refuse_too_many(sets, most)
    figure, axes = make_axes()
    return figure, axes, [curve(entry) for entry in sets]


def _end(
    axes: Axes,
    sets: Sequence[ScoreSet],
    curves: Sequence[Curve],
    title: str | None,
    key: dict[str, dict[str, object]] | None = None,
) -> None:
    """Add the grid, and the legend with each set's EER."""
    axes.grid(which="major", color="#DDDDDD", linewidth=0.6)
    axes.set_axisbelow(True)
    labels = [f"{entry.label}: EER\u00a0=\u00a0{eer_from_rates(entry.rates):.2%}" for entry in sets]
    targets = {"at FMR 10⁻², 10⁻³ ...": {"linestyle": "none", "marker": _MARK, "markersize": 4}}
    add_legend(axes, labels, title, (key or {}) | (targets if any(each.marked for each in curves) else {}))


def _line(axes: Axes, x: NDArray[np.float64], y: NDArray[np.float64], colour: str, line: Any = "solid") -> None:
    axes.plot(x, y, color=colour, linewidth=palette.LINE_WIDTH, linestyle=line)


def _marks(axes: Axes, points: dict[float, tuple[float, float]], colour: str, *, named: bool) -> None:
    """Draw marked points, keyed by their thresholds; write these beside them where there is room, with one set."""
    for threshold, point in points.items():
        axes.plot(*point, linestyle="none", marker=_MARK, markersize=4, color=colour)
        if named:
            axes.annotate(
                f"{threshold:.3f}",
                point,
                xytext=(4, -10),
                textcoords="offset points",
                fontsize=7.5,
                color=palette.GREY,
            )


def _label_powers(axis: Axis) -> None:
    """Label a logarithmic axis in plain text, because the house style does not read formulas."""
    axis.set_major_formatter(FuncFormatter(_as_power))
    axis.set_minor_formatter(NullFormatter())


def _limits(rates: Sequence[float]) -> tuple[float, float]:
    """Return the ends of a normal-deviate axis: from the least rate to 50 % or the largest rate."""
    low, high = _deviates([min(rates, default=1e-3), max([0.5, *rates])])
    return low - 0.1, high + 0.1


def _ticks(low: float, high: float) -> tuple[NDArray[np.float64], list[str]]:
    """Return the places and labels of a normal-deviate axis."""
    labelled = [rate for rate in _DET_TICKS if low <= _NORMAL.inv_cdf(rate) <= high]
    return _deviates(labelled), [_in_percent(rate) for rate in labelled]


def _in_percent(rate: float) -> str:
    return f"{rate * 100:g}" if rate >= _LEAST_PLAIN else _as_power(rate * 100)


def _as_power(rate: float, _position: int | None = None) -> str:
    return style.power_of_ten(round(math.log10(rate)))


def _least_rate(curves: Sequence[Curve]) -> float:
    """Return the least rate above 0 of any curve, rounded down to a power of ten."""
    return _power_below(
        min(float(values[values > 0].min()) for rates, _ in curves for values in (rates.fmr, rates.fnmr))
    )


def _power_below(rate: float) -> float:
    """Round a rate down to a power of ten, 0.1 or less."""
    # A hair up, so that a rate of exactly 1e-3 is not rounded down to 1e-4.
    return float(min(10.0 ** np.floor(np.log10(rate) + 1e-9), 0.1))


def _deviates(rates: Sequence[float]) -> NDArray[np.float64]:
    """Return the quantiles of the standard normal distribution at `rates`, each above 0 and below 1."""
    return np.array([_NORMAL.inv_cdf(rate) for rate in rates])
