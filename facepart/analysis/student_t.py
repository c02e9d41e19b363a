r"""Student's t distribution: its upper tail, for p-values, and its quantiles.

With :math:`\nu` degrees of freedom and :math:`t \ge 0`,

.. math:: P(T > t) = \frac12 I_x(\nu / 2, 1 / 2), \qquad x = \frac{\nu}{\nu + t^2}

where I is the regularised incomplete beta function, by its continued fraction (NIST Digital Library of Mathematical
Functions, 8.17.22, dlmf.nist.gov).
"""

import math

# From here on, the t distribution is taken for the normal one.
_NORMAL_DEGREES = 1e7
_STEPS = 2_000
_TINY = 1e-300


def t_tail(t: float, degrees: float) -> float:
    """Return the probability that Student's t exceeds a value.

    Args:
        t: the value, which may be infinite.
        degrees: degrees of freedom, above 0; infinite for the normal distribution.

    Returns:
        0..1, to 8 digits or more, also where it is small.

    Example:
        >>> round(t_tail(2.262157, 9), 6), t_tail(0.0, 9)
        (0.025, 0.5)
    """
    if t < 0:
        return 1 - t_tail(-t, degrees)
    if degrees > _NORMAL_DEGREES or math.isinf(t):
        return math.erfc(t / math.sqrt(2)) / 2
    return _incomplete_beta(degrees, t * t) / 2


def two_sided_p(value: float, error: float, degrees: float) -> float:
    """Return the p-value of a figure under the hypothesis that it is 0; NaN where it has no standard error.

    A figure with a standard error of 0 has p = 0, or p = 1 if it is 0 itself.

    Example:
        >>> round(two_sided_p(-0.0226, 0.01, 9), 3)
        0.05
    """
    if math.isnan(value) or math.isnan(error):
        return math.nan
    return 2 * t_tail(abs(value) / error if error else math.inf if value else 0.0, degrees)


def upper_quantile(tail: float, degrees: float) -> float:
    """Return the value that Student's t exceeds with a given probability.

    Args:
        tail: the probability, above 0, at most 0.5.
        degrees: degrees of freedom, above 0; infinite for the normal distribution.

    Example:
        >>> round(upper_quantile(0.025, 9), 5)
        2.26216
    """
    low, high = 0.0, 1.0
    while t_tail(high, degrees) > tail:
        low, high = high, 2 * high
    while (middle := (low + high) / 2) not in (low, high):
        if t_tail(middle, degrees) > tail:
            low = middle
        else:
            high = middle
    return high


def _incomplete_beta(degrees: float, square: float) -> float:
    """Return the regularised incomplete beta function: a = degrees / 2, b = 1/2, x = degrees / (degrees + square)."""
    a, b, x, rest = degrees / 2, 0.5, degrees / (degrees + square), square / (degrees + square)
    if not rest:
        return 1.0
    # ln x, from the side on which no digits are lost.
    log_x = math.log1p(-rest) if rest < 0.5 else math.log(x)
    front = math.exp(a * log_x + b * math.log(rest) + math.lgamma(a + b) - math.lgamma(a) - math.lgamma(b))
    # The fraction converges fast on this side of the mean; beyond it, the function is 1 minus its mirror image.
    if x < (a + 1) / (a + b + 2):
        return front * _fraction(a, b, x) / a
    return 1 - front * _fraction(b, a, rest) / b


def _fraction(a: float, b: float, x: float) -> float:
    """Evaluate the continued fraction of the incomplete beta function, by Lentz's method."""
    upper, lower = 1.0, 1 / _away_from_zero(1 - (a + b) * x / (a + 1))
    value = lower
    for step in range(1, _STEPS):
        even = step * (b - step) * x / ((a + 2 * step - 1) * (a + 2 * step))
        odd = -(a + step) * (a + b + step) * x / ((a + 2 * step) * (a + 2 * step + 1))
        for coefficient in (even, odd):
            lower = 1 / _away_from_zero(1 + coefficient * lower)
            upper = _away_from_zero(1 + coefficient / upper)
            value *= lower * upper
        if abs(lower * upper - 1) < 1e-15:
            break
    return value


def _away_from_zero(value: float) -> float:
    return value if abs(value) > _TINY else _TINY
