"""Scores -> figures, one metric a module.

Every metric takes scores as vectors (any real dtype, finite, not empty) or counted, as
:class:`facepart.scores.ScoreDistribution`; a larger score means more alike. It gives the same for both forms,
computes in float64, and does not ask for an order. What compares groups (:func:`inequity`, :func:`gini`,
:func:`garbe`, :func:`fairness_discrepancy_rate`) takes their error rates instead, one a group;
:func:`cmc` and :func:`identification_rate` take ranks, one a probe.
"""

from facepart.metrics.auc import auc
from facepart.metrics.dprime import d_prime
from facepart.metrics.eer import eer, eer_of
from facepart.metrics.error_rates import ErrorRates, error_rates, fmr, fnmr, threshold_at_fmr
from facepart.metrics.fairness_discrepancy import fairness_discrepancy_rate
from facepart.metrics.garbe import garbe, gini
from facepart.metrics.identification import cmc, identification_rate
from facepart.metrics.inequity import inequity, max_min_ratio
from facepart.metrics.kolmogorov_smirnov import kolmogorov_smirnov, kolmogorov_smirnov_p
from facepart.metrics.operating_point import (
    REPORTED_FMRS,
    TOO_FEW,
    OperatingPoint,
    fnmr_at_fmr,
    operating_point,
    supports,
    tmr_at_fmr,
)
from facepart.metrics.rank_agreement import kendall_tau
from facepart.metrics.shift import mean_shift
from facepart.metrics.wasserstein import wasserstein

__all__ = [
    "REPORTED_FMRS",
    "TOO_FEW",
    "ErrorRates",
    "OperatingPoint",
    "auc",
    "cmc",
    "d_prime",
    "eer",
    "eer_of",
    "error_rates",
    "fairness_discrepancy_rate",
    "fmr",
    "fnmr",
    "fnmr_at_fmr",
    "garbe",
    "gini",
    "identification_rate",
    "inequity",
    "kendall_tau",
    "kolmogorov_smirnov",
    "kolmogorov_smirnov_p",
    "max_min_ratio",
    "mean_shift",
    "operating_point",
    "supports",
    "threshold_at_fmr",
    "tmr_at_fmr",
    "wasserstein",
]
