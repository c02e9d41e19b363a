r"""The Wilson interval of an error rate whose scores depend on each other.

An error rate p of n independent scores has Wilson's interval: all rates u that a score test does not reject,
:math:`|p - u| \le z \sqrt{u (1 - u) / n}` (E. B. Wilson, "Probable inference, the law of succession, and statistical
inference", Journal of the American Statistical Association 22, 1927). Unlike :math:`p \pm z \cdot` standard error, it
stays between 0 and 1, and keeps its coverage near them. Scores that share subjects carry less information than as
many independent scores. So n becomes the effective number, that of independent scores that would give p the same
variance V:

.. math:: n^* = \frac{p (1 - p)}{V}

(R. Fogliato, P. Patil, P. Perona, "Confidence Intervals for Error Rates in 1:1 Matching Tasks: Critical Statistical
Analysis and Recommendations", arXiv 2306.01198, 2023, who recommend it).

Where all scores are errors, or none is, V is 0 and says nothing. The effective number then has to be chosen:

- the number of subjects, G: the cautious choice. n* is at least G for FNMR where all subjects have the same number of
  scores (:math:`M^2 / \sum m_i^2` where subject i has m_i of M), and at least G / 2 for FMR: the variance of a mean
  over all pairs of subjects is at most 2 / G of that of one pair (W. Hoeffding, "A class of statistics with
  asymptotically normal distribution", Annals of Mathematical Statistics 19, 1948), with all scores of a pair counted
  as one.
- the number of scores: the other extreme, as in the programs of the paper's authors. It treats errors that rare as
  independent, and gives too narrow an interval where few subjects cause most errors.
"""

import math

from facepart.errors import FacepartError


def effective_number(rate: float, variance: float, units: float) -> float:
    """Compute the number of independent scores that carry as much information about an error rate.

    Args:
        rate: the error rate, from 0 to 1.
        variance: of the rate, from its dependent scores; at least 0.
        units: the number of independent units, above 0, used where the rate is 0 or 1, or the variance 0. For FNMR
            the number of subjects with authentic scores, for FMR half the number of subjects, see above.

    Raises:
        FacepartError: an argument is not finite or not in its range.
    """
    if not 0 <= rate <= 1:
        raise FacepartError(f"a rate lies from 0 to 1, not at {rate}")
    if not 0 <= variance < math.inf:
        raise FacepartError(f"a variance is at least 0, not {variance}")
    if not 0 < units < math.inf:
        raise FacepartError(f"the number of units is above 0, not {units}")
    if rate in (0, 1) or variance == 0:
        return float(units)
    # No rate from 0 to 1 varies more than a single score does; an estimate of its variance may.
    return max(rate * (1 - rate) / variance, 1.0)


def wilson_interval(rate: float, variance: float, units: float, quantile: float) -> tuple[float, float]:
    """Compute the interval of an error rate.

    Args:
        rate: see :func:`effective_number`.
        variance: likewise. An estimate may by chance be less than that of independent scores, p (1 - p) / n; to be
            cautious, pass the larger of the two.
        units: likewise.
        quantile: of the normal distribution, or of Student's t for few subjects, above 0: 1.96 for 95 %.

    Returns:
        The lower and the upper end, from 0 to 1; the lower is 0 if the rate is, the upper 1 if the rate is.

    Raises:
        FacepartError: an argument is not finite or not in its range.

    Example:
        >>> low, high = wilson_interval(rate=0.1, variance=0.0009, units=100, quantile=1.96)
        >>> round(low, 4), round(high, 4)
        (0.0552, 0.1744)
        >>> low, high = wilson_interval(rate=0, variance=0, units=100, quantile=1.96)
        >>> low, round(high, 4)
        (0.0, 0.037)
    """
    number = effective_number(rate, variance, units)
    if not 0 < quantile < math.inf:
        raise FacepartError(f"a quantile is above 0, not {quantile}")
    if rate == 1:
        return 1 - wilson_interval(0, variance, units, quantile)[1], 1.0
    pull = quantile**2 / number
    high = (rate + pull / 2 + math.sqrt(pull * (rate * (1 - rate) + pull / 4))) / (1 + pull)
    # The two ends are the roots of a quadratic whose product is p^2 / (1 + pull): no digits lost near 0.
    return rate**2 / ((1 + pull) * high), min(high, 1.0)
