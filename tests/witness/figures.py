"""Figures of raw scores, how much each subject moves them, and what follows for their uncertainty.

By NumPy and SciPy alone, each figure from its definition and from the list of all pairs; nothing of facepart is
imported. The uncertainty of a figure comes from its subjects: from how much higher the figure is than without each of
them (the influence), two-way clustered for scores that two subjects share.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import optimize, stats

from tests.witness.raw_scores import MILLION, Group, Scores, Version

# A subject's scores at or above a threshold are counted in bins of so many millionths; within a bin, every subject
# has the share of it that all scores have.
BIN = 2500
# An FMR is reported from so many expected false matches on; an interval from so many effective subjects on.
MIN_FALSE_MATCHES, FEWEST_SUBJECTS = 10, 10


class Estimate(NamedTuple):
    """A figure, its interval and its standard error, and the effective number of subjects."""

    value: float
    low: float = math.nan
    high: float = math.nan
    error: float = math.nan
    effective: float = math.nan

    def inverse(self) -> "Estimate":
        """One over a ratio, without its error."""
        value, low, high = (1 / end if end else math.nan for end in (self.value, self.high, self.low))
        return Estimate(value, low, high)

    def scaled(self, factor: float) -> "Estimate":
        low, high, error = factor * self.low, factor * self.high, factor * self.error
        return Estimate(factor * self.value, low, high, error, self.effective)


UNKNOWN = Estimate(math.nan)


class Spread(NamedTuple):
    """A variance, and its degrees of freedom."""

    variance: float
    degrees: float


CERTAIN = Spread(0.0, math.inf)


def added(*spreads: Spread) -> Spread:
    """The sum of independent variances, with the degrees of freedom of Welch and Satterthwaite."""
    known = [each for each in spreads if each.variance]
    if not known:
        return CERTAIN
    variances, degrees = np.array(known).T
    return Spread(float(variances.sum()), float(variances.sum() ** 2 / (variances**2 / degrees).sum()))


def of_places(shifts: NDArray[np.float64]) -> Spread:
    """The variance of the mean over some places, which are drawn independently of each other."""
    draws = len(shifts)
    return Spread(float(np.var(shifts, ddof=1)) / draws, draws - 1) if draws > 1 else Spread(math.nan, math.nan)


def mean_of_places(spreads: Sequence[Spread]) -> Spread:
    """The variance of a mean of figures that the same choice of places moves alike: their errors add up."""
    error = np.mean([math.sqrt(each.variance) for each in spreads])
    return Spread(float(error) ** 2, min(each.degrees for each in spreads))


@dataclass(frozen=True, eq=False)
class Figure:
    """A figure, and what is known of its uncertainty.

    Attributes:
        value: the figure.
        names: str (p,), subjects.
        influence: float64 (p,), how much higher the figure is than without each of them.
        counts: bool (p,), whether each has scores.
        effective: the effective number of subjects.
        double_counted: what the squares of the influences count twice.
        shares: float64 (p, p), symmetric: the share of every two subjects in the figure's deviation; None if unknown.
        places: what the choice of control places adds.
        most_degrees: degrees of freedom are at most so many.
        bias: by how much the figure is too large on average.
    """

    value: float
    names: NDArray[np.str_]
    influence: NDArray[np.float64]
    counts: NDArray[np.bool_]
    effective: float
    double_counted: float = 0.0
    shares: NDArray[np.float64] | None = None
    places: Spread = CERTAIN
    most_degrees: float = math.inf
    bias: float = 0.0

    @property
    def degrees(self) -> float:
        return min(self.effective - 1, self.most_degrees)

    @property
    def of_subjects(self) -> Spread:
        """What the choice of subjects adds."""
        subjects = max(int(self.counts.sum()), 1)
        squares = float((self.influence**2).sum()) * (subjects - 1) / subjects
        return Spread(max(squares - self.double_counted, self.double_counted), self.degrees)

    @property
    def spread(self) -> Spread:
        return added(self.of_subjects, self.places)

    @property
    def has_interval(self) -> bool:
        known = np.isfinite(self.influence).all() and math.isfinite(self.places.variance)
        return self.effective >= FEWEST_SUBJECTS and self.most_degrees >= 1 and bool(known)


def combined(terms: Sequence[tuple[float, Figure]], *, exact: bool = True) -> Figure:
    """A weighted sum of figures, whose subjects may differ.

    With `exact`, what two subjects share is added up as well where that is known of all figures; otherwise nothing is
    taken to be counted twice.
    """
    names = np.unique(np.concatenate([figure.names for _, figure in terms]))
    influence, counts = np.zeros(len(names)), np.zeros(len(names), bool)
    shares = np.zeros((len(names), len(names)))
    known = exact and all(figure.shares is not None for _, figure in terms)
    for weight, figure in terms:
        places = np.searchsorted(names, figure.names)
        influence[places] += weight * figure.influence
        counts[places] |= figure.counts
        if known and figure.shares is not None:
            shares[np.ix_(places, places)] += weight * figure.shares
    return Figure(
        value=float(sum(weight * figure.value for weight, figure in terms)),
        names=names,
        influence=influence,
        counts=counts,
        effective=min(figure.effective for _, figure in terms),
        double_counted=twice(shares) if known else 0.0,
        shares=shares if known else None,
        places=added(*(Spread(weight**2 * each.places.variance, each.places.degrees) for weight, each in terms)),
        most_degrees=min(figure.most_degrees for _, figure in terms),
        bias=sum(weight * figure.bias for weight, figure in terms),
    )


def mean_of_draws(figures: Sequence[Figure]) -> Figure:
    """The mean of figures of the same subjects; of a single one, itself."""
    if len(figures) == 1:
        return figures[0]
    whole = combined([(1 / len(figures), figure) for figure in figures], exact=False)
    few = any(math.isfinite(figure.most_degrees) for figure in figures)
    return replace(whole, most_degrees=of_variance(whole.influence) if few else math.inf)


def minus(one: Figure, other: Figure) -> Figure:
    """A paired difference of which is not known what two subjects share."""
    return combined([(1.0, one), (-1.0, other)], exact=False)


def twice(shares: NDArray[np.float64]) -> float:
    """The sum of the squares over every two subjects, once each."""
    return float((np.triu(shares, 1) ** 2).sum())


def effective_number(scores: NDArray[Any]) -> float:
    """The effective number of subjects who have so many scores each; 0 where there are none."""
    total = float(scores.sum())
    return total**2 / float((scores.astype(float) ** 2).sum()) if total else 0.0


# Intervals.


@cache
def quantile(degrees: float) -> float:
    return float(stats.t.ppf(0.975, degrees))


def symmetric(figure: Figure) -> Estimate:
    return mean_of_groups([figure])


def mean_of_groups(figures: Sequence[Figure]) -> Estimate:
    """The mean of independent figures, equally weighted, with the degrees of freedom of Welch and Satterthwaite."""
    value = float(np.mean([figure.value for figure in figures]))
    if not all(figure.has_interval for figure in figures):
        return Estimate(value, effective=min(figure.effective for figure in figures))
    variance = sum(figure.of_subjects.variance for figure in figures) / len(figures) ** 2
    degrees = degrees_of_mean([figure.of_subjects for figure in figures])
    whole = added(Spread(variance, degrees), mean_of_places([figure.places for figure in figures]))
    error = math.sqrt(whole.variance)
    reach = quantile(min(whole.degrees, degrees)) * error
    centre = value - float(np.mean([figure.bias for figure in figures]))
    effective = degrees_of_mean([Spread(each.of_subjects.variance, each.effective - 1) for each in figures]) + 1
    return Estimate(value, centre - reach, centre + reach, error, effective)


def degrees_of_mean(spreads: Sequence[Spread]) -> float:
    """The degrees of freedom of the mean of independent figures, from what the choice of subjects adds to each."""
    whole = added(*spreads)
    return whole.degrees if whole.variance else sum(each.degrees for each in spreads)


def wilson(figure: Figure, units: float) -> Estimate:
    """A rate: all rates that a score test does not reject, with as many independent scores as vary as much."""
    rate, variance = figure.value, figure.spread.variance
    if not figure.has_interval:
        return Estimate(rate, effective=figure.effective)
    number = units if rate in (0, 1) or variance == 0 else max(rate * (1 - rate) / variance, 1)

    def excess(other: float) -> float:
        return abs(rate - other) - quantile(figure.degrees) * math.sqrt(other * (1 - other) / number)

    ends = {"xtol": 1e-18, "rtol": 1e-14}
    low = optimize.brentq(excess, 0, rate, **ends) if rate > 0 else 0.0
    if rate == 1:
        low = optimize.brentq(excess, 0, 1 - 1e-12, **ends)
    high = optimize.brentq(excess, max(rate, 1e-15), 1, **ends) if rate < 1 else 1.0
    return Estimate(rate, low, high, math.sqrt(variance), figure.effective)


def rate_change(after: Figure, before: Figure) -> Estimate:
    """The difference of two rates of the same subjects, from the interval of each and how the two correlate.

    That is the square-and-add interval for paired proportions (Newcombe 1998).
    """
    difference = minus(after, before)
    one, other = (wilson(rate, rate.effective) for rate in (after, before))
    if math.isnan(one.error) or math.isnan(other.error):
        return Estimate(difference.value, effective=difference.effective)
    lengths = float(np.linalg.norm(after.influence) * np.linalg.norm(before.influence))
    correlation = float(after.influence @ before.influence) / lengths if lengths else 0.0
    below, above = (one.value - one.low, other.high - other.value), (one.high - one.value, other.value - other.low)
    # The difference of two correlated deviations, squared.
    square = np.array([[1, -correlation], [-correlation, 1]])
    low, high = (math.sqrt(max(float(np.array(each) @ square @ np.array(each)), 0)) for each in (below, above))
    error = math.sqrt(difference.spread.variance)
    value = difference.value
    return Estimate(value, value - low, value + high, error, difference.effective)


def ratio(after: Figure, before: Figure) -> Estimate:
    """A ratio of two rates, with the interval of its logarithm; none where either is 0."""
    effective = min(after.effective, before.effective)
    if not before.value:
        return Estimate(math.nan, effective=effective)
    value = after.value / before.value
    if not value:
        return Estimate(0.0, effective=effective)
    _, low, high, error, _ = symmetric(log_ratio(after, before))
    return Estimate(value, math.exp(low), math.exp(high), value * error, effective)


def log_ratio(after: Figure, before: Figure) -> Figure:
    relative = combined([(1 / after.value, after), (-1 / before.value, before)], exact=False)
    value = math.log(after.value / before.value)
    few = math.isfinite(relative.most_degrees)
    return replace(relative, value=value, most_degrees=of_variance(relative.influence) if few else math.inf)


def of_variance(influence: NDArray[np.float64]) -> float:
    """The effective number of subjects who make up a variance, less one."""
    return effective_number(influence**2) - 1 if influence.any() else math.inf


# Figures of raw scores.


def of_scores(
    scores: Scores,
    value: float,
    moved: Sequence[tuple[NDArray[np.float64], Sequence[NDArray[np.int64]]]],
    double_counted: float = 0.0,
) -> Figure:
    """A figure that is a sum of means of scores, to first order.

    Args:
        scores: whose subjects it is about.
        value: the figure.
        moved: for each of the means, the scores' contributions, and for each of the photos of a pair its owner.
        double_counted: what the squares of the influences count twice.
    """
    subjects = len(scores.names)
    influence, counts, effective = np.zeros(subjects), np.zeros(subjects, bool), []
    for values, owners in moved:
        total, count = float(values.sum()), len(values)
        own = sum(np.bincount(owner, values, subjects) for owner in owners)
        number = np.sum([np.bincount(owner, minlength=subjects) for owner in owners], axis=0)
        others = np.maximum(count - number, 1)
        influence += np.where(number == count, 0.0, total / count - (total - own) / others)
        counts |= number > 0
        effective.append(effective_number(number))
    return Figure(value, scores.names, influence, counts, min(effective), double_counted)


@cache
def authentic_mean(scores: Scores) -> Figure:
    values = scores.authentic / MILLION
    return of_scores(scores, float(values.mean()), [(values, [scores.owner])])


@cache
def authentic_mean_of_subjects(scores: Scores) -> Figure:
    """The mean over subjects of each one's own mean authentic score, by leaving out one subject at a time."""
    known = np.unique(scores.owner)
    own = np.array([scores.exact[scores.owner == subject].mean() for subject in known])
    influence, counts = np.zeros(len(scores.names)), np.isin(np.arange(len(scores.names)), known)
    for place, subject in enumerate(known):
        others = np.delete(own, place)
        influence[subject] = own.mean() - others.mean() if len(others) else 0.0
    return Figure(float(own.mean()), scores.names, influence, counts, float(len(known)))


def d_prime(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    one, other = first / MILLION, second / MILLION
    return float(abs(one.mean() - other.mean()) / math.sqrt((one.var() + other.var()) / 2))


@cache
def d_prime_figure(scores: Scores) -> Figure:
    """d' and how much higher it is than without each subject's scores, by leaving these out.

    Without a subject, it is negative if the means change places.
    """
    authentic, impostor = scores.authentic / MILLION, scores.impostor / MILLION
    value, subjects = d_prime(scores.authentic, scores.impostor), len(scores.names)
    influence = np.full(subjects, math.nan)
    first, second = scores.impostor_owners
    for subject in range(subjects):
        mated = scores.authentic[scores.owner != subject]
        others = scores.impostor[(first != subject) & (second != subject)]
        if len(mated) and len(others):
            turned = (mated.mean() > others.mean()) != (authentic.mean() > impostor.mean())
            influence[subject] = value - d_prime(mated, others) * (-1 if turned else 1)
    # Of impostor scores, what two subjects share is taken score by score, by the delta method.
    difference, spread = authentic.mean() - impostor.mean(), (authentic.var() + impostor.var()) / 2
    away = impostor - impostor.mean()
    moved = -away * math.copysign(1, difference) / math.sqrt(spread)
    moved -= abs(difference) * (away**2 - impostor.var()) / (4 * spread**1.5)
    return replace(
        of_scores(scores, value, [(authentic, [scores.owner]), (impostor, scores.impostor_owners)]),
        influence=influence,
        double_counted=float((moved**2).sum()) / len(impostor) ** 2,
        bias=-(subjects - 1) * float(np.mean(influence)),
    )


def above(values: NDArray[np.int64], threshold: int) -> NDArray[np.float64]:
    """Whether each score is at or above a threshold; in the threshold's bin, by the share of all scores there."""
    begin = threshold // BIN * BIN
    inside = (values >= begin) & (values < begin + BIN)
    share = float((values[inside] >= threshold).mean()) if inside.any() else 0.0
    return np.where(inside, share, (values >= begin + BIN).astype(float))


@cache
def fmr(scores: Scores, threshold: int) -> Figure:
    rate = float((scores.impostor >= threshold).mean())
    found = of_scores(scores, rate, [(above(scores.impostor, threshold), scores.impostor_owners)])
    return replace(found, most_degrees=of_variance(found.influence))


@cache
def fnmr(scores: Scores, threshold: int) -> Figure:
    rate = float((scores.authentic < threshold).mean())
    return of_scores(scores, rate, [(1 - above(scores.authentic, threshold), [scores.owner])])


def is_supported(impostor: NDArray[np.int64], target: float) -> bool:
    return round(target * len(impostor), 9) >= MIN_FALSE_MATCHES


def threshold_at(impostor: NDArray[np.int64], target: float) -> int:
    """The lowest threshold with an FMR of at most the target."""
    allowed = math.floor(round(target * len(impostor), 9))
    return int(np.sort(impostor)[::-1][allowed]) + 1


class Density:
    """The share of scores in a window about a threshold, over its width."""

    def __init__(self, values: NDArray[np.int64]) -> None:
        self._half = max(0.9 * float((values / MILLION).std()) * len(values) ** -0.2, 0.002)
        self._sorted = np.sort(values / MILLION)

    def at(self, threshold: int) -> float:
        ends = np.array([-self._half, self._half]) + threshold / MILLION
        low, high = np.searchsorted(self._sorted, ends)
        return float((high - low) / len(self._sorted)) / (2 * self._half)


@cache
def densities(scores: Scores) -> tuple[Density, Density]:
    """Of the authentic and of the impostor scores."""
    return Density(scores.authentic), Density(scores.impostor)


@cache
def fnmr_at(scores: Scores, target: float) -> Figure:
    """FNMR at the own threshold, an estimate itself: where the FMR comes out higher, it moves up."""
    threshold = threshold_at(scores.impostor, target)
    missed = fnmr(scores, threshold)
    authentic, impostor = (each.at(threshold) for each in densities(scores))
    slope = authentic / impostor if impostor else 0.0
    moved = combined([(1.0, missed), (slope, fmr(scores, threshold))], exact=False)
    return replace(moved, value=missed.value)


def share_from(values: NDArray[np.int64], thresholds: NDArray[np.int64]) -> NDArray[np.float64]:
    """The share of scores at or above each threshold: a count by a count, so that equal shares are equal floats."""
    return (len(values) - np.searchsorted(np.sort(values), thresholds)) / len(values)


@cache
def eer(scores: Scores) -> Figure:
    """Where the straight lines between neighbouring points of the DET curve cross its diagonal."""
    thresholds = np.unique(np.concatenate([scores.authentic, scores.impostor]))
    missed = np.searchsorted(np.sort(scores.authentic), thresholds) / len(scores.authentic)
    matched = share_from(scores.impostor, thresholds)
    missed, matched = np.append(missed, 1.0), np.append(matched, 0.0)  # above all scores
    after = int(np.argmax(missed >= matched))
    before = max(after - 1, 0)
    gap = missed[before] - matched[before]
    way = gap / (gap - (missed[after] - matched[after])) if after else 0.0
    value = float(matched[before] + way * (matched[after] - matched[before]))
    equal = int(thresholds[min(after, len(thresholds) - 1)])
    authentic, impostor = (each.at(equal) for each in densities(scores))
    share = authentic / (authentic + impostor) if authentic + impostor else 0.5
    moved = combined([(share, fmr(scores, equal)), (1 - share, fnmr(scores, equal))], exact=False)
    # There are many false matches at this threshold: how few make up their variance does not matter.
    return replace(moved, value=value, most_degrees=math.inf)


def eer_estimate(scores: Scores) -> Estimate:
    """The EER with all rates that a score test does not reject: at an FMR of the EER, the FNMR is the same."""
    figure = eer(scores)
    if not figure.has_interval:
        return Estimate(figure.value, effective=figure.effective)
    thresholds = np.unique(np.concatenate([scores.authentic, scores.impostor]))
    below = np.searchsorted(np.sort(scores.authentic), thresholds) / len(scores.authentic)
    above = share_from(scores.impostor, thresholds)
    equal = int(
        thresholds[min(int(np.argmax(below >= above)) if (below >= above).any() else -1, len(thresholds) - 1)]
    )
    missed, matched = fnmr(scores, equal), fmr(scores, equal)
    mated = missed.value * (1 - missed.value) / missed.spread.variance if missed.spread.variance else 0.0
    mated = min(max(mated, missed.effective), len(scores.authentic))
    others = matched.effective / 2
    if matched.spread.variance and 0 < matched.value < 1:
        others = max(matched.value * (1 - matched.value) / matched.spread.variance, 1)
    descending = np.sort(scores.impostor)[::-1]

    def accepts(rate: float) -> bool:
        allowed = math.floor(rate * len(descending) * (1 + 1e-12))
        threshold = int(descending[allowed]) + 1 if allowed < len(descending) else int(descending[-1])
        mine, theirs = (each.at(threshold) for each in densities(scores))
        slope = mine / theirs if theirs else 0.0
        variance = rate * (1 - rate) * (1 / mated + slope**2 / others)
        rise = float((scores.authentic < threshold).mean()) - rate
        return abs(rise) <= quantile(figure.degrees) * math.sqrt(variance)

    ends = []
    for outside in (0.0, 1.0):
        inside = figure.value
        for _ in range(30):
            if accepts(outside):
                inside = outside
                break
            middle = (inside + outside) / 2
            inside, outside = (middle, outside) if accepts(middle) else (inside, middle)
        ends.append(inside)
    return Estimate(figure.value, ends[0], ends[1], math.sqrt(figure.spread.variance), figure.effective)


@cache
def identification_rate(scores: Scores, most: int) -> Figure:
    """The share of the probes with a rank of at most `most`, of those that have a rank."""
    ranked = scores.probes.ranks > 0
    found = (scores.probes.ranks[ranked] <= most).astype(float)
    return of_scores(scores, float(found.mean()), [(found, [scores.probes.subjects[ranked]])])


def mode(values: NDArray[np.int64]) -> float:
    """The middle of the fullest bin of 0.01; of several the lowest."""
    bins, counts = np.unique(values // 10_000, return_counts=True)
    return float(bins[counts.argmax()] * 0.01 + 0.005)


# Means of unrounded impostor scores, pair of subjects by pair of subjects.


@cache
def impostor_mean(group: Group, version: Version, *, cross: bool = False, subjects_alike: bool = False) -> Figure:
    """A mean over all impostor scores, or over every two subjects, each pair of these counting alike.

    Across two lists a pair of subjects has scores in both directions.
    """
    member = (group.numbers[:, None] == np.arange(len(group.names))).astype(float)
    sums = member.T @ group.cosines(version, cross) @ member
    counts = member.T @ np.ones((len(member), len(member))) @ member
    sums = (sums + sums.T) / 2
    if subjects_alike:
        sums, counts = sums / counts, np.ones_like(counts)
    for matrix in (sums, counts):
        np.fill_diagonal(matrix, 0.0)
    value = sums.sum() / counts.sum()
    # Without a subject: without its row and its column.
    left, number = (each.sum() - 2 * each.sum(axis=1) for each in (sums, counts))
    influence = np.where(number > 0.5, value - left / np.maximum(number, 1), 0.0)
    shares = (sums - value * counts) / (counts.sum() / 2)
    return Figure(
        value=float(value),
        names=group.names,
        influence=influence,
        counts=np.ones(len(sums), bool),
        effective=effective_number(counts.sum(axis=1)),
        double_counted=twice(shares),
        shares=shares,
    )


def shift(
    group: Group, versions: Sequence[Version], *, cross: bool = False, subjects_alike: bool = False
) -> list[tuple[float, Figure]]:
    """How far the mean over several versions lies from the baseline's: the terms of that sum."""
    alike = {"subjects_alike": subjects_alike}
    moved = [(1 / len(versions), impostor_mean(group, each, cross=cross, **alike)) for each in versions]
    return [*moved, (-1.0, impostor_mean(group, Version("", ""), **alike))]
