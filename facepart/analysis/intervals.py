"""Influences of subjects -> standard errors and 95 % confidence intervals (CI), which are cluster-robust.

The sum of squares over p subjects is multiplied by (p - 1) / p, as in every jackknife, and the quantile is that of
Student's t with G* - 1 degrees of freedom, with the effective number of subjects G*
(:func:`facepart.analysis.influence.effective_subjects`). For subjects with equally many scores that is p - 1, as is
usual for clustered errors (Cameron and Miller, "A practitioner's guide to cluster-robust inference", Journal of Human
Resources 50, 2015); where few subjects have most of the scores it is less (Carter, Schnepel and Steigerwald, Review
of Economics and Statistics 99, 2017), and likewise where few subjects make up most of the variance
(:attr:`facepart.analysis.influence.Influence.degrees`).

With fewer than ten effective subjects there is no CI: so few give no reliable estimate of how much subjects differ.
Nor is there one where fewer than two effective subjects make up the variance. These are all the refusals that depend
on how subjects differ: a stricter one leaves out studies that happened to draw an unusual subject, and the CIs of the
remaining ones miss the truth more often than without it. :func:`why_no_interval` says why a figure has no CI.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

import numpy as np

from facepart.analysis.influence import Influence, log_ratio
from facepart.analysis.place_variance import VarianceComponent, add_components, mean_component
from facepart.analysis.student_t import upper_quantile
from facepart.analysis.wilson import wilson_interval

LEVEL = 0.95
# The least effective number of subjects for a CI (Carter, Schnepel and Steigerwald, "Asymptotic behavior of a t-test
# robust to cluster heterogeneity", Review of Economics and Statistics 99, 2017).
MIN_SUBJECTS = 10
# The least degrees of freedom: those of two subjects.
MIN_DEGREES = 1


class Interval(NamedTuple):
    """A figure with its 95 % CI; NaN where something is not known.

    Attributes:
        value: the figure.
        error: its standard error.
        low: lower end of the CI.
        high: upper end.
        effective: the effective number of subjects that it rests on.
        no_ci: why the figure has no CI, for readers; empty if it has one, or if there is no figure.
    """

    value: float
    error: float
    low: float
    high: float
    effective: float = math.nan
    no_ci: str = ""

    def scaled(self, factor: float) -> "Interval":
        """Return the figure in another unit; `factor` is above 0."""
        return Interval(
            self.value * factor,
            self.error * factor,
            self.low * factor,
            self.high * factor,
            self.effective,
            self.no_ci,
        )


# A figure that is not known.
UNKNOWN = Interval(math.nan, math.nan, math.nan, math.nan)


def has_interval(influence: Influence) -> bool:
    """Return whether a figure has a CI: there are enough subjects, and the influence of each is known."""
    return not why_no_interval(influence)


def why_no_interval(influence: Influence) -> str:
    """Say why a figure has no CI; empty if it has one."""
    if influence.effective < MIN_SUBJECTS:
        return f"fewer than {MIN_SUBJECTS} effective subjects ({influence.effective:.1f})"
    if influence.degrees < MIN_DEGREES:
        return "fewer than two effective subjects make up its variance"
    if not np.isfinite(influence.by_subject).all():
        return "the sums by subject do not reach down to the threshold"
    if not math.isfinite(influence.places.variance):
        return "a single control position does not show how positions differ"
    return ""


def degrees_of_freedom(influence: Influence) -> float:
    """Return the degrees of freedom of the variance between subjects."""
    return min(influence.effective - 1, influence.degrees)


def interval_degrees(influence: Influence) -> float:
    """Return the degrees of freedom of a figure's CI: of its variance between subjects and between control places."""
    return _component(influence).degrees


def variance(influence: Influence) -> float:
    """Estimate the variance of a figure."""
    return _component(influence).variance


def _component(influence: Influence) -> VarianceComponent:
    """Estimate the variance of a figure with its degrees of freedom."""
    found = add_components([_subject_component(influence), influence.places])
    return found._replace(degrees=min(found.degrees, degrees_of_freedom(influence)))


def _subject_component(influence: Influence) -> VarianceComponent:
    """Estimate the variance between subjects."""
    subjects = influence.subjects or max(int(np.count_nonzero(influence.by_subject)), 1)
    # At least that of independent pairs of subjects: the estimate of the dependence can be negative by chance.
    squares = float(np.dot(influence.by_subject, influence.by_subject)) * (subjects - 1) / subjects
    spread = max(squares - influence.double_counted, influence.double_counted)
    return VarianceComponent(spread, degrees_of_freedom(influence))


def score_quantile(influence: Influence) -> float:
    """Return the quantile of Student's t for a 95 % CI of a figure, without what control places add."""
    return _quantile(degrees_of_freedom(influence))


def interval(influence: Influence) -> Interval:
    """Return a figure with its CI, which is symmetric about the figure without its bias.

    The ends are unknown where :func:`has_interval` says that there is none.
    """
    if not has_interval(influence):
        return _unknown(influence)
    component = _component(influence)
    error = math.sqrt(component.variance)
    reach = _quantile(component.degrees) * error
    centre = influence.value - influence.bias
    return Interval(influence.value, error, centre - reach, centre + reach, influence.effective)


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
    low, high = wilson_interval(influence.value, spread, units, _quantile(degrees_of_freedom(influence)))
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
    if one.no_ci or other.no_ci:
        return _unknown(difference)._replace(no_ci=one.no_ci or other.no_ci)
    value = difference.value
    return Interval(value, error, value - below, value + above, difference.effective)


def ratio_interval(after: Influence, before: Influence) -> Interval:
    """Return the ratio of two rates of the same subjects with its CI, that of its logarithm.

    The ratio has no CI where either rate is 0, and is NaN where `before` is 0.
    """
    if not after.value or not before.value:
        ratio = after.value / before.value if before.value else math.nan
        effective, reason = min(after.effective, before.effective), "a rate is 0" if before.value else ""
        return UNKNOWN._replace(value=ratio, effective=effective, no_ci=reason)
    ratio = after.value / before.value
    found = interval(log_ratio(after, before))
    return Interval(
        ratio, ratio * found.error, math.exp(found.low), math.exp(found.high), found.effective, found.no_ci
    )


def mean_interval(figures: Sequence[Influence]) -> Interval:
    """Return the mean of a figure over groups of different subjects, equally weighted.

    The variances add up; the degrees of freedom are those of Welch and Satterthwaite (B. L. Welch, "The
    generalization of Student's problem when several different population variances are involved", Biometrika 34,
    1947). The effective number of subjects is one more than what these would be if each group had one less than its
    own effective subjects.

    Args:
        figures: the figure of each group; the mean of no groups is unknown.
    """
    if not figures:
        return UNKNOWN
    value = math.fsum(figure.value for figure in figures) / len(figures)
    if not all(map(has_interval, figures)):
        reason = next(reason for reason in map(why_no_interval, figures) if reason)
        return UNKNOWN._replace(value=value, effective=min(figure.effective for figure in figures), no_ci=reason)
    of_subjects = [_subject_component(figure) for figure in figures]
    degrees = _degrees_of_sum(of_subjects)
    spread = math.fsum(each.variance for each in of_subjects) / len(figures) ** 2
    # The groups share the places of the controls.
    places = mean_component([figure.places for figure in figures])
    whole = add_components([VarianceComponent(spread, degrees), places])
    error = math.sqrt(whole.variance)
    reach = _quantile(min(whole.degrees, degrees)) * error
    centre = value - math.fsum(figure.bias for figure in figures) / len(figures)
    of_effective = [
        each._replace(degrees=figure.effective - 1) for each, figure in zip(of_subjects, figures, strict=True)
    ]
    return Interval(value, error, centre - reach, centre + reach, 1 + _degrees_of_sum(of_effective))


def subject_degrees(figures: Sequence[Influence]) -> float:
    """Return the degrees of freedom of the variance between subjects, of the mean of figures; at least one."""
    return _degrees_of_sum([_subject_component(figure) for figure in figures])


def _degrees_of_sum(components: Sequence[VarianceComponent]) -> float:
    """Return the degrees of freedom of a sum of independent variances; of variances of 0, all of theirs."""
    found = add_components(components)
    return found.degrees if found.variance else math.fsum(each.degrees for each in components)


@lru_cache
def t_quantile(share: float, degrees: float) -> float:
    """Return a quantile of Student's t.

    Args:
        share: from 0.5 on, below 1.
        degrees: degrees of freedom.

    Example:
        >>> round(t_quantile(0.975, 9), 3), round(t_quantile(0.975, 100), 3)
        (2.262, 1.984)
    """
    return upper_quantile(1 - share, degrees)


def _unknown(influence: Influence) -> Interval:
    reason = "" if math.isnan(influence.value) else why_no_interval(influence)
    return UNKNOWN._replace(value=influence.value, effective=influence.effective, no_ci=reason)


def _quantile(degrees: float) -> float:
    return t_quantile((1 + LEVEL) / 2, degrees)


def _combined(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one**2 - 2 * correlation * one * other + other**2, 0.0))


def _correlation(after: Influence, before: Influence) -> float:
    """Return the correlation of two figures of the same subjects; 0 where one does not vary."""
    lengths = math.sqrt(
        float(np.dot(after.by_subject, after.by_subject)) * float(np.dot(before.by_subject, before.by_subject))
    )
    return float(np.dot(after.by_subject, before.by_subject)) / lengths if lengths else 0.0
