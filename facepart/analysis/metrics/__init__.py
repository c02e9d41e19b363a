"""Metrics of scores, one a module: its formula and source, the metric, and the influence of each subject on it.

A metric takes scores as vectors (any real dtype, finite, not empty) or counted, as
:class:`facepart.scores.ScoreDistribution`; a larger score means more alike. Both forms give the same figure. Metrics
compute in float64 and do not depend on the order of scores. Metrics of groups (:func:`inequity`, :func:`gini`,
:func:`garbe`, :func:`fairness_discrepancy_rate`) take the error rates of the groups instead; :func:`cmc` and
:func:`identification_rate` take the ranks of probes.

A function ``<metric>_influence`` takes the scores of a group with their sums by subject, and returns the same figure
with the influence of each subject on it (:mod:`facepart.analysis.influence`), which standard errors are made of.

:data:`METRICS` and :data:`DISTANCES` (:mod:`facepart.analysis.metrics.metric_table`) are the metrics that `plot`,
`study` and the report give.
"""

from facepart.analysis.metrics.auc import auc
from facepart.analysis.metrics.density import density
from facepart.analysis.metrics.dprime import d_prime, d_prime_influence
from facepart.analysis.metrics.eer import eer, eer_from_rates, eer_influence, eer_interval
from facepart.analysis.metrics.error_rates import (
    ErrorRates,
    error_rates,
    fmr,
    fmr_influence,
    fnmr,
    fnmr_influence,
    threshold_at_fmr,
)
from facepart.analysis.metrics.fairness_discrepancy import fairness_discrepancy_rate
from facepart.analysis.metrics.garbe import garbe, gini
from facepart.analysis.metrics.identification import (
    cmc,
    identification_influence,
    identification_interval,
    identification_rate,
)
from facepart.analysis.metrics.inequity import inequity, max_min_ratio
from facepart.analysis.metrics.kolmogorov_smirnov import kolmogorov_smirnov, kolmogorov_smirnov_p
from facepart.analysis.metrics.mean import (
    authentic_mean_influence,
    impostor_mean_influence,
    mean_score,
    subject_mean_influence,
)
from facepart.analysis.metrics.metric_table import (
    DISTANCES,
    KINDS,
    METRICS,
    SCORE_METRICS,
    Distance,
    Metric,
)
from facepart.analysis.metrics.mode import binned_mode
from facepart.analysis.metrics.operating_point import (
    REPORTED_FMRS,
    STUDY_FMRS,
    TOO_FEW,
    OperatingPoint,
    fmr_suffix,
    fnmr_at_fmr,
    fnmr_at_fmr_influence,
    operating_point,
    supports,
    tmr_at_fmr,
)
from facepart.analysis.metrics.rank_agreement import kendall_tau, kendall_w
from facepart.analysis.metrics.shift import mean_shift
from facepart.analysis.metrics.wasserstein import wasserstein

__all__ = [
    "DISTANCES",
    "KINDS",
    "METRICS",
    "REPORTED_FMRS",
    "SCORE_METRICS",
    "STUDY_FMRS",
    "TOO_FEW",
    "Distance",
    "ErrorRates",
    "Metric",
    "OperatingPoint",
    "auc",
    "authentic_mean_influence",
    "binned_mode",
    "cmc",
    "d_prime",
    "d_prime_influence",
    "density",
    "eer",
    "eer_from_rates",
    "eer_influence",
    "eer_interval",
    "error_rates",
    "fairness_discrepancy_rate",
    "fmr",
    "fmr_influence",
    "fmr_suffix",
    "fnmr",
    "fnmr_at_fmr",
    "fnmr_at_fmr_influence",
    "fnmr_influence",
    "garbe",
    "gini",
    "identification_influence",
    "identification_interval",
    "identification_rate",
    "impostor_mean_influence",
    "inequity",
    "kendall_tau",
    "kendall_w",
    "kolmogorov_smirnov",
    "kolmogorov_smirnov_p",
    "max_min_ratio",
    "mean_score",
    "mean_shift",
    "operating_point",
    "subject_mean_influence",
    "supports",
    "threshold_at_fmr",
    "tmr_at_fmr",
    "wasserstein",
]
