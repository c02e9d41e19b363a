"""Influences of subjects -> standard errors and 95 % confidence intervals (CI), which are cluster-robust.

The sum of squares over p subjects is multiplied by (p - 1) / p, as in every jackknife, and the quantile is that of
Student's t with G* - 1 degrees of freedom, with the effective number of subjects G*
(:func:`facepart.analysis.influence.effective_subjects`). For subjects with equally many scores that is p - 1, as is
usual for clustered errors (Cameron and Miller, "A practitioner's guide to cluster-robust inference", Journal of Human
Resources 50, 2015); where few subjects have most of the scores it is less (Carter, Schnepel and Steigerwald, Review
of Economics and Statistics 99, 2017). With fewer than ten effective subjects there is no CI: so few give no reliable
estimate of how much subjects differ.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import NamedTuple

import numpy as np

from facepart.analysis.influence import Influence
from facepart.analysis.wilson import wilson_interval

LEVEL = 0.95
# The least effective number of subjects for a CI (Carter, Schnepel and Steigerwald, "Asymptotic behavior of a t-test
# robust to cluster heterogeneity", Review of Economics and Statistics 99, 2017).
MIN_SUBJECTS = 10


class Interval(NamedTuple):
    """A figure with its 95 % CI; NaN where something is not known.

    Attributes:
        value: the figure.
        error: its standard error.
        low: lower end of the CI.
        high: upper end.
        effective: the effective number of subjects that it rests on.
    """

    value: float
    error: float
    low: float
    high: float
    effective: float = math.nan

    def scaled(self, factor: float) -> "Interval":
        """Return the figure in another unit; `factor` is above 0."""
        return Interval(
            self.value * factor, self.error * factor, self.low * factor, self.high * factor, self.effective
        )


# A figure that is not known.
UNKNOWN = Interval(math.nan, math.nan, math.nan, math.nan)


def has_interval(influence: Influence) -> bool:
    """Return whether a figure has a CI: there are enough subjects, and the influence of each is known."""
    return influence.effective >= MIN_SUBJECTS and bool(np.isfinite(influence.by_subject).all())


def variance(influence: Influence) -> float:
    """Estimate the variance of a figure."""
    subjects = max(int(np.count_nonzero(influence.by_subject)), 1)
    # At least that of independent pairs of subjects: the estimate of the dependence can be negative by chance.
    squares = float(np.dot(influence.by_subject, influence.by_subject)) * (subjects - 1) / subjects
    return max(squares - influence.double_counted, influence.double_counted)


def interval(influence: Influence) -> Interval:
    """Return a figure with its symmetric CI; unknown ends where :func:`has_interval` says that there is none."""
    if not has_interval(influence):
        return _unknown(influence)
    error = math.sqrt(variance(influence))
    reach = _quantile(influence.effective) * error
    return Interval(influence.value, error, influence.value - reach, influence.value + reach, influence.effective)


def rate_interval(influence: Influence, units: float) -> Interval:
    """Return a rate with its Wilson interval, which lies within 0..1 and holds where the rate is near 0.

    Args:
        influence: of each subject.
        units: the least number of independent observations, used where there are no errors at all: half the effective
            subjects for an FMR (the number of pairs that share no subject), the effective subjects for an FNMR.
    """
    if not has_interval(influence):
        return _unknown(influence)
    spread = variance(influence)
    low, high = wilson_interval(influence.value, spread, units, _quantile(influence.effective))
    return Interval(influence.value, math.sqrt(spread), low, high, influence.effective)


def rate_change_interval(after: Influence, before: Influence) -> Interval:
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

    Returns:
        Unknown ends where the CI of a rate is unknown.
    """
    difference = after.minus(before)
    one, other = rate_interval(after, after.effective), rate_interval(before, before.effective)
    error = math.sqrt(variance(difference))
    correlation = _correlation(after, before)
    below = _combined(one.value - one.low, other.high - other.value, correlation)
    above = _combined(one.high - one.value, other.value - other.low, correlation)
    if math.isnan(below) or math.isnan(above):
        return _unknown(difference)
    value = difference.value
    return Interval(value, error, value - below, value + above, difference.effective)


def ratio_interval(after: Influence, before: Influence) -> Interval:
    """Return the ratio of two rates of the same subjects with its CI, that of its logarithm.

    The ratio has no CI where either rate is 0, and is NaN where `before` is 0.
    """
    if not after.value or not before.value:
        ratio = after.value / before.value if before.value else math.nan
        return UNKNOWN._replace(value=ratio, effective=min(after.effective, before.effective))
    ratio = after.value / before.value
    relative = after.by_subject / after.value - before.by_subject / before.value
    found = interval(Influence(math.log(ratio), relative, 0.0, min(after.effective, before.effective)))
    return Interval(ratio, ratio * found.error, math.exp(found.low), math.exp(found.high), found.effective)


def mean_interval(figures: Sequence[Influence]) -> Interval:
    """Return the mean of a figure over groups of different subjects, equally weighted.

    The variances add up; the degrees of freedom are those of Welch and Satterthwaite (B. L. Welch, "The
    generalization of Student's problem when several different population variances are involved", Biometrika 34,
    1947), and the effective number of subjects is one more than these.

    Args:
        figures: the figure of each group; the mean of no groups is unknown.
    """
    if not figures:
        return UNKNOWN
    value = math.fsum(figure.value for figure in figures) / len(figures)
    if not all(map(has_interval, figures)):
        return UNKNOWN._replace(value=value, effective=min(figure.effective for figure in figures))
    spreads = [variance(figure) for figure in figures]
    error = math.sqrt(math.fsum(spreads)) / len(figures)
    weights = math.fsum(spread**2 / (figure.effective - 1) for spread, figure in zip(spreads, figures, strict=True))
    fewest = math.fsum(figure.effective - 1 for figure in figures)
    effective = 1 + (math.fsum(spreads) ** 2 / weights if weights else fewest)
    reach = _quantile(effective) * error
    return Interval(value, error, value - reach, value + reach, effective)


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


def _unknown(influence: Influence) -> Interval:
    return UNKNOWN._replace(value=influence.value, effective=influence.effective)


def _quantile(effective: float) -> float:
    return t_quantile((1 + LEVEL) / 2, effective - 1)


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one**2 - 2 * correlation * one * other + other**2, 0.0))


def _correlation(after: Influence, before: Influence) -> float:
    """Return the correlation of two figures of the same subjects; 0 where one does not vary."""
    lengths = math.sqrt(
        float(np.dot(after.by_subject, after.by_subject)) * float(np.dot(before.by_subject, before.by_subject))
    )
    return float(np.dot(after.by_subject, before.by_subject)) / lengths if lengths else 0.0
