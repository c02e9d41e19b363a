r"""The interval of the difference of two rates that are measured on the same subjects.

Near 0 and 1 the standard error of a rate says little, and of two rates that are both 1, as rank-1 rates often are, it
says nothing. So the interval of the difference :math:`p_2 - p_1` is made from those of the rates, Wilson's, with
:math:`\rho` the correlation of the two:

.. math:: p_2 - p_1 - \sqrt{(p_2 - l_2)^2 - 2 \rho (p_2 - l_2)(u_1 - p_1) + (u_1 - p_1)^2}

and the upper end likewise with :math:`u_2` and :math:`l_1` (R. G. Newcombe, "Improved confidence intervals for the
difference between binomial proportions based on paired data", Statistics in Medicine 17, 1998; G. Y. Zou, A. Donner,
"Construction of confidence limits about effect measures: A general approach", Statistics in Medicine 27, 2008).
:math:`\rho` follows from how much each subject moves either rate, and is 0 where a rate does not vary.
"""

import math

import numpy as np

from facepart.analysis.influence import Influence
from facepart.analysis.intervals import Interval, rate_interval, variance


def rate_change_interval(after: Influence, before: Influence, people: tuple[int, int]) -> Interval:
    """Give the difference of two rates with its interval.

    Args:
        after: the rate that is looked at, and how much each subject moves it.
        before: the rate that is taken off, of the same subjects in the same order; those who have no part in a rate
            move it by 0.
        people: how many subjects have part in `after`, and in `before`.

    Returns:
        Unknown ends where the interval of a rate is unknown.
    """
    difference = after.minus(before)
    ours, theirs = (rate_interval(*each, each[1]) for each in zip((after, before), people, strict=True))
    error = math.sqrt(variance(difference, max(people)))
    correlation = _correlation(after, before)
    low = _reach(ours.value - ours.low, theirs.high - theirs.value, correlation)
    high = _reach(ours.high - ours.value, theirs.value - theirs.low, correlation)
    if math.isnan(low) or math.isnan(high):
        return Interval(difference.value, math.nan, math.nan, math.nan)
    return Interval(difference.value, error, difference.value - low, difference.value + high)


def _reach(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(one**2 - 2 * correlation * one * other + other**2, 0.0))


def _correlation(after: Influence, before: Influence) -> float:
    """Give the correlation of two figures of the same subjects; 0 where one does not vary."""
    lengths = math.sqrt(
        float(np.dot(after.by_subject, after.by_subject)) * float(np.dot(before.by_subject, before.by_subject))
    )
    return float(np.dot(after.by_subject, before.by_subject)) / lengths if lengths else 0.0
