"""Scores -> figures, one metric a module.

Every metric takes scores as vectors (any real dtype, finite, not empty) or counted, as
:class:`facepart.scores.ScoreDistribution`; a larger score means more alike. It gives the same for both forms,
computes in float64, and does not ask for an order. What compares groups (:func:`inequity`, :func:`gini`,
:func:`garbe`, :func:`fairness_discrepancy_rate`) takes their error rates instead, one a group;
:func:`cmc` and :func:`identification_rate` take ranks, one a probe.
"""

from facepart.analysis.metrics.auc import auc
from facepart.analysis.metrics.dprime import d_prime
from facepart.analysis.metrics.eer import eer, eer_from_rates
from facepart.analysis.metrics.error_rates import ErrorRates, error_rates, fmr, fnmr, threshold_at_fmr
from facepart.analysis.metrics.fairness_discrepancy import fairness_discrepancy_rate
from facepart.analysis.metrics.garbe import garbe, gini
from facepart.analysis.metrics.identification import cmc, identification_rate
from facepart.analysis.metrics.inequity import inequity, max_min_ratio
from facepart.analysis.metrics.kolmogorov_smirnov import kolmogorov_smirnov, kolmogorov_smirnov_p
from facepart.analysis.metrics.operating_point import (
    REPORTED_FMRS,
    TOO_FEW,
    OperatingPoint,
    fnmr_at_fmr,
    operating_point,
    supports,
    tmr_at_fmr,
)
from facepart.analysis.metrics.rank_agreement import kendall_tau
from facepart.analysis.metrics.shift import mean_shift
from facepart.analysis.metrics.wasserstein import wasserstein

__all__ = [
    "REPORTED_FMRS",
    "TOO_FEW",
    "ErrorRates",
    "OperatingPoint",
    "auc",
    "cmc",
    "d_prime",
    "eer",
    "eer_from_rates",
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
