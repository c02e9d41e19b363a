"""Influences of people -> standard errors and 95 % intervals.

The squares over p people count (p - 1) / p, as in every jackknife, and the quantile is that of Student's t with p - 1
degrees of freedom, as is usual for clustered errors (Cameron and Miller, "A practitioner's guide to cluster-robust
inference", Journal of Human Resources 50, 2015). Below ten people no interval is given: so few say nothing reliable
about how much people differ.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from facepart.analysis.influence import Influence
from facepart.analysis.wilson import wilson_interval

LEVEL = 0.95
MIN_SUBJECTS = 10


class Interval(NamedTuple):
    """A figure with its uncertainty; NaN where there is none.

    Attributes:
        value: the figure.
        error: its standard error.
        low: where its 95 % interval begins.
        high: where it ends.
    """

    value: float
    error: float
    low: float
    high: float


# What stands for a figure that is not known.
UNKNOWN = Interval(math.nan, math.nan, math.nan, math.nan)


def has_interval(influence: Influence, subjects: int) -> bool:
    """Tell whether there is an interval: people enough, and what each of them adds is known."""
    return subjects >= MIN_SUBJECTS and bool(np.isfinite(influence.by_subject).all())


def variance(influence: Influence, subjects: int) -> float:
    """Estimate the variance of a figure.

    Args:
        influence: of each person.
        subjects: how many subjects have scores of this kind.
    """
    # Never less than if all pairs of people were independent: estimates of the dependence may be negative by chance.
    squares = float(np.dot(influence.by_subject, influence.by_subject)) * (subjects - 1) / subjects
    return max(squares - influence.double_counted, influence.double_counted)


def interval(influence: Influence, subjects: int) -> Interval:
    """Give a figure with its interval, the same length to either side.

    Args:
        influence: of each person.
        subjects: how many subjects have scores of this kind.
    """
    if not has_interval(influence, subjects):
        return UNKNOWN._replace(value=influence.value)
    error = math.sqrt(variance(influence, subjects))
    reach = t_quantile((1 + LEVEL) / 2, subjects - 1) * error
    return Interval(influence.value, error, influence.value - reach, influence.value + reach)


def rate_interval(influence: Influence, subjects: int, units: float) -> Interval:
    """Give a rate with its interval of Wilson's kind, within 0..1 and of use where the rate is near 0.

    Args:
        influence: of each person.
        subjects: how many subjects have scores of this kind.
        units: independent observations at the least, which count where there were no errors at all: half the people
            for an FMR (as many pairs share nobody), the people for an FNMR.
    """
    if not has_interval(influence, subjects):
        return UNKNOWN._replace(value=influence.value)
    spread = variance(influence, subjects)
    low, high = wilson_interval(influence.value, spread, units, t_quantile((1 + LEVEL) / 2, subjects - 1))
    return Interval(influence.value, math.sqrt(spread), low, high)


def ratio_interval(after: Influence, before: Influence, subjects: int) -> Interval:
    """Give the ratio of two rates of the same people with its interval, which is one of its logarithm.

    Unknown where either rate is 0.
    """
    if not after.value or not before.value:
        return UNKNOWN._replace(value=after.value / before.value if before.value else math.nan)
    ratio = after.value / before.value
    logarithm = Influence(math.log(ratio), after.by_subject / after.value - before.by_subject / before.value, 0.0)
    _, error, low, high = interval(logarithm, subjects)
    return Interval(ratio, ratio * error, math.exp(low), math.exp(high))


def mean_interval(figures: Sequence[tuple[Influence, int]]) -> Interval:
    """Give the mean of a figure over groups of different people, each counting alike.

    The variances add up; the degrees of freedom are those of Welch and Satterthwaite (B. L. Welch, "The
    generalization of Student's problem when several different population variances are involved", Biometrika 34,
    1947).

    Args:
        figures: for each group the figure, and how many people have part in it; unknown where there is no group.
    """
    if not figures:
        return UNKNOWN
    value = math.fsum(influence.value for influence, _ in figures) / len(figures)
    if not all(has_interval(*figure) for figure in figures):
        return UNKNOWN._replace(value=value)
    spreads = [variance(influence, subjects) for influence, subjects in figures]
    error = math.sqrt(math.fsum(spreads)) / len(figures)
    weights = math.fsum(spread**2 / (subjects - 1) for spread, (_, subjects) in zip(spreads, figures, strict=True))
    degrees = math.fsum(spreads) ** 2 / weights if weights else math.inf
    reach = t_quantile((1 + LEVEL) / 2, degrees) * error
    return Interval(value, error, value - reach, value + reach)


def t_quantile(share: float, degrees: float) -> float:
    """Give a quantile of Student's t, by the expansion in 1 / degrees of Abramowitz and Stegun, 26.7.5.

    Args:
        share: above 0, below 1.
        degrees: of freedom; from 9 on, right to 4 decimals for 95 % intervals.

    Example:
        >>> round(t_quantile(0.975, 9), 3), round(t_quantile(0.975, 100), 3)
        (2.262, 1.984)
    """
    z = NormalDist().inv_cdf(share)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / degrees**power for power, term in enumerate(terms, 1))
