"""Influences of subjects -> standard errors and 95 % confidence intervals (CI), which are cluster-robust.

The sum of squares over p subjects is multiplied by (p - 1) / p, as in every jackknife, and the quantile is that of
Student's t with p - 1 degrees of freedom, as is usual for clustered errors (Cameron and Miller, "A practitioner's
guide to cluster-robust inference", Journal of Human Resources 50, 2015). With fewer than ten subjects there is no
CI: so few give no reliable estimate of how much subjects differ.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from facepart.analysis.influence import Influence
from facepart.analysis.wilson import wilson_interval

LEVEL = 0.95
# The least number of subjects for a CI.
MIN_SUBJECTS = 10


class Interval(NamedTuple):
    """A figure with its 95 % CI; NaN where something is not known.

    Attributes:
        value: the figure.
        error: its standard error.
        low: lower end of the CI.
        high: upper end.
    """

    value: float
    error: float
    low: float
    high: float


# A figure that is not known.
UNKNOWN = Interval(math.nan, math.nan, math.nan, math.nan)


def has_interval(influence: Influence, subjects: int) -> bool:
    """Return whether a figure has a CI: there are enough subjects, and the influence of each is known."""
    return subjects >= MIN_SUBJECTS and bool(np.isfinite(influence.by_subject).all())


def variance(influence: Influence, subjects: int) -> float:
    """Estimate the variance of a figure.

    Args:
        influence: of each subject.
        subjects: number of subjects with scores of this kind.
    """
    # At least that of independent pairs of subjects: the estimate of the dependence can be negative by chance.
    squares = float(np.dot(influence.by_subject, influence.by_subject)) * (subjects - 1) / subjects
    return max(squares - influence.double_counted, influence.double_counted)


def interval(influence: Influence, subjects: int) -> Interval:
    """Return a figure with its symmetric CI.

    Args:
        influence: of each subject.
        subjects: number of subjects with scores of this kind.
    """
    if not has_interval(influence, subjects):
        return UNKNOWN._replace(value=influence.value)
    error = math.sqrt(variance(influence, subjects))
    reach = t_quantile((1 + LEVEL) / 2, subjects - 1) * error
    return Interval(influence.value, error, influence.value - reach, influence.value + reach)


def rate_interval(influence: Influence, subjects: int, units: float) -> Interval:
    """Return a rate with its Wilson interval, which lies within 0..1 and holds where the rate is near 0.

    Args:
        influence: of each subject.
        subjects: number of subjects with scores of this kind.
        units: the least number of independent observations, used where there are no errors at all: half the subjects
            for an FMR (the number of pairs that share no subject), the subjects for an FNMR.
    """
    if not has_interval(influence, subjects):
        return UNKNOWN._replace(value=influence.value)
    spread = variance(influence, subjects)
    low, high = wilson_interval(influence.value, spread, units, t_quantile((1 + LEVEL) / 2, subjects - 1))
    return Interval(influence.value, math.sqrt(spread), low, high)


def rate_change_interval(after: Influence, before: Influence, subjects: tuple[int, int]) -> Interval:
    r"""Return the difference of two rates of the same subjects with its CI, which holds near 0 and 1.

    There, the standard error of a rate says little, and where both rates are 1, as rank-1 rates often are, it says
    nothing. So the CI of the difference :math:`p_2 - p_1` is made from the Wilson intervals :math:`[l, u]` of the two
    rates, with :math:`\rho` their correlation, which follows from the influences:

    .. math:: p_2 - p_1 - \sqrt{(p_2 - l_2)^2 - 2 \rho (p_2 - l_2)(u_1 - p_1) + (u_1 - p_1)^2}

    and the upper end likewise with :math:`u_2` and :math:`l_1` (R. G. Newcombe, "Improved confidence intervals for
    the difference between binomial proportions based on paired data", Statistics in Medicine 17, 1998; G. Y. Zou, A.
    Donner, "Construction of confidence limits about effect measures: A general approach", Statistics in Medicine 27,
    2008).

    Args:
        after: a rate; subjects without a part in it have an influence of 0.
        before: the rate that is subtracted, of the same subjects in the same order.
        subjects: number of subjects with a part in `after`, and in `before`.

    Returns:
        Unknown ends where the CI of a rate is unknown.
    """
    difference = after.minus(before)
    one = rate_interval(after, subjects[0], subjects[0])
    other = rate_interval(before, subjects[1], subjects[1])
    error = math.sqrt(variance(difference, max(subjects)))
    correlation = _correlation(after, before)
    below = _combined(one.value - one.low, other.high - other.value, correlation)
    above = _combined(one.high - one.value, other.value - other.low, correlation)
    if math.isnan(below) or math.isnan(above):
        return UNKNOWN._replace(value=difference.value)
    return Interval(difference.value, error, difference.value - below, difference.value + above)


def ratio_interval(after: Influence, before: Influence, subjects: int) -> Interval:
    """Return the ratio of two rates of the same subjects with its CI, that of its logarithm.

    The ratio has no CI where either rate is 0, and is NaN where `before` is 0.
    """
    if not after.value or not before.value:
        return UNKNOWN._replace(value=after.value / before.value if before.value else math.nan)
    ratio = after.value / before.value
    logarithm = Influence(math.log(ratio), after.by_subject / after.value - before.by_subject / before.value, 0.0)
    _, error, low, high = interval(logarithm, subjects)
    return Interval(ratio, ratio * error, math.exp(low), math.exp(high))


def mean_interval(figures: Sequence[tuple[Influence, int]]) -> Interval:
    """Return the mean of a figure over groups of different subjects, equally weighted.

    The variances add up; the degrees of freedom are those of Welch and Satterthwaite (B. L. Welch, "The
    generalization of Student's problem when several different population variances are involved", Biometrika 34,
    1947).

    Args:
        figures: for each group the figure, and its number of subjects; the mean of no groups is unknown.
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
    """Return a quantile of Student's t, by the expansion in 1 / degrees of Abramowitz and Stegun, 26.7.5.

    Args:
        share: above 0, below 1.
        degrees: degrees of freedom; for 95 % CIs, accurate to 4 decimals from 9 on.

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


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one**2 - 2 * correlation * one * other + other**2, 0.0))


def _correlation(after: Influence, before: Influence) -> float:
    """Return the correlation of two figures of the same subjects; 0 where one does not vary."""
    lengths = math.sqrt(
        float(np.dot(after.by_subject, after.by_subject)) * float(np.dot(before.by_subject, before.by_subject))
    )
    return float(np.dot(after.by_subject, before.by_subject)) / lengths if lengths else 0.0
