"""The table of metrics: a metric with a row here is in the output of `plot`, in results.csv and in the report.

To add a metric, write its module (formula, source, function, influence of each subject) and add its row to METRICS,
or to DISTANCES if it compares two distributions. No other file has to change.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Literal

from facepart.analysis.influence import Influence, SubjectScores, mean_influence
from facepart.analysis.intervals import UNKNOWN, Interval, interval, rate_change_interval, rate_interval
from facepart.analysis.metrics.auc import auc
from facepart.analysis.metrics.dprime import d_prime, d_prime_influence
from facepart.analysis.metrics.eer import eer, eer_influence, eer_interval
from facepart.analysis.metrics.identification import (
    REPORTED_RANKS,
    identification_influence,
    identification_rate,
)
from facepart.analysis.metrics.kolmogorov_smirnov import kolmogorov_smirnov
from facepart.analysis.metrics.mean import authentic_mean_influence, impostor_mean_influence, mean_score
from facepart.analysis.metrics.operating_point import (
    REPORTED_FMRS,
    STUDY_FMRS,
    fmr_suffix,
    fnmr_at_fmr,
    fnmr_at_fmr_influence,
    supports,
)
from facepart.analysis.metrics.wasserstein import wasserstein
from facepart.errors import FacepartError
from facepart.scores import GroupScores, ScoreDistribution

Kind = Literal["authentic", "impostor"]
KINDS: tuple[Kind, ...] = ("authentic", "impostor")
# What results.csv can have of a metric: its figure with the part occluded, that of the baseline, and the first minus
# the second, paired by subject.
Column = Literal["occluded", "baseline", "change"]


@dataclass(frozen=True)
class Metric:
    """A figure of a group in one condition.

    Attributes:
        name: in the output of `plot`.
        label: for readers.
        compute: the figure, from the scores of each of `kinds`, or from ranks; None where these do not support it.
        influence: the figure and the influence of each subject on it; None for a metric without an interval.
        kinds: the scores that it depends on; none for a metric of ranks.
        clustered_by: its interval is over the subjects with scores of this kind, or with ranks.
        is_rate: whether it is an error rate, which has an interval of Wilson's kind.
        target: the FMR that the impostor scores have to support; 0 for none.
        columns: what results.csv has of it.
        column: the name of its columns in results.csv; empty for `name`.
        own_interval: the figure with an interval of its own kind; None for one that follows from the influences.
    """

    name: str
    label: str
    compute: Callable[..., float | None]
    influence: Callable[[SubjectScores], Influence] | None = None
    kinds: tuple[Kind, ...] = KINDS
    clustered_by: Literal["authentic", "impostor", "ranks"] = "impostor"
    is_rate: bool = False
    target: float = 0.0
    columns: tuple[Column, ...] = ()
    column: str = ""
    own_interval: Callable[[SubjectScores], Interval] | None = None

    def column_name(self, column: Column) -> str:
        """Return the name of one of its columns in results.csv."""
        return (self.column or self.name) + ("" if column == "occluded" else f"_{column}")

    def value(self, scores: GroupScores) -> float:
        """Return the figure; NaN where the scores do not support it.

        Raises:
            FacepartError: there are no scores of a kind that it depends on.
        """
        found = self.compute(*(getattr(scores, kind) for kind in self.kinds))
        return math.nan if found is None else found

    def interval(self, *draws: SubjectScores) -> Interval:
        """Return the figure with its 95 % CI by subject; unknown where the scores do not support it.

        Args:
            draws: the scores; of several, those with each draw of a control, the mean of the figures.
        """
        if not all(map(self.is_supported, draws)):
            return UNKNOWN
        if self.influence is None:
            return UNKNOWN._replace(value=self._mean_value(draws))
        if self.own_interval is not None and len(draws) == 1:
            return self.own_interval(draws[0])
        found = mean_influence([self.influence(each) for each in draws])
        if self.is_rate:
            return rate_interval(found, found.effective / 2 if self.clustered_by == "impostor" else found.effective)
        return interval(found)

    def change(self, baseline: SubjectScores, *draws: SubjectScores) -> Interval:
        """Return by how much the figure changes from the baseline, paired by subject; as :meth:`interval`."""
        if not all(map(self.is_supported, (baseline, *draws))):
            return UNKNOWN
        if self.influence is None:
            return UNKNOWN._replace(value=self._mean_value(draws) - self.value(baseline.scores))
        after, before = mean_influence([self.influence(each) for each in draws]), self.influence(baseline)
        return rate_change_interval(after, before) if self.is_rate else interval(after.minus(before))

    def _mean_value(self, draws: Sequence[SubjectScores]) -> float:
        return math.fsum(self.value(each.scores) for each in draws) / len(draws)

    def is_supported(self, group: SubjectScores) -> bool:
        """Return whether there are scores of every kind, or ranks, and enough for the FMR."""
        if not self.kinds and not (group.ranks and len(group.ranks.ranks)):
            return False
        if not all(getattr(group.scores, kind).n for kind in self.kinds):
            return False
        return not self.target or supports(group.scores.impostor, self.target)


@dataclass(frozen=True)
class Distance:
    """How far two distributions of one kind of scores are apart, whichever is first.

    Attributes:
        name: in the output of `plot`, and in results.csv after the kind of the scores.
        label: for readers.
        compute: the distance.
        kinds: the scores for which results.csv has it, between baseline and occluded photos.
    """

    name: str
    label: str
    compute: Callable[[ScoreDistribution, ScoreDistribution], float]
    kinds: tuple[Kind, ...] = KINDS


def fnmr_metric(target: float) -> Metric:
    """Return the row of FNMR at an FMR; results.csv has it for STUDY_FMRS, as ``fnmr_1e3`` for 1e-3."""
    return Metric(
        f"fnmr_at_fmr_{target:.0e}",
        f"FNMR at FMR {target:g}",
        partial(fnmr_at_fmr, target=target),
        partial(fnmr_at_fmr_influence, target=target),
        clustered_by="authentic",
        is_rate=True,
        target=target,
        columns=("occluded", "baseline") if target in STUDY_FMRS else (),
        column=f"fnmr_{fmr_suffix(target)}",
    )


def rank_metric(most: int) -> Metric:
    """Return the row of the identification rate at a rank."""
    return Metric(
        f"rank{most}_rate",
        f"rank-{most} identification rate",
        partial(identification_rate, most=most),
        partial(_rank_influence, most=most),
        kinds=(),
        clustered_by="ranks",
        is_rate=True,
        columns=("occluded", "baseline", "change"),
    )


def _rank_influence(group: SubjectScores, most: int) -> Influence:
    if group.ranks is None:
        raise FacepartError("there are no ranks")
    return identification_influence(group.ranks, most)


METRICS = (
    Metric(
        "authentic_mean",
        "mean authentic score",
        mean_score,
        authentic_mean_influence,
        kinds=("authentic",),
        clustered_by="authentic",
        columns=("occluded",),
    ),
    Metric(
        "impostor_mean",
        "mean impostor score",
        mean_score,
        impostor_mean_influence,
        kinds=("impostor",),
        columns=("baseline", "occluded"),
    ),
    Metric("d_prime", "d′", d_prime, d_prime_influence, columns=("baseline", "occluded", "change")),
    Metric(
        "eer",
        "EER",
        eer,
        eer_influence,
        clustered_by="authentic",
        is_rate=True,
        columns=("occluded", "baseline"),
        own_interval=eer_interval,
    ),
    Metric("auc", "AUC", auc),
    *map(fnmr_metric, REPORTED_FMRS),
    *map(rank_metric, REPORTED_RANKS),
)
# Those that scores suffice for, without ranks.
SCORE_METRICS = tuple(metric for metric in METRICS if metric.kinds)

DISTANCES = (
    Distance("ks", "Kolmogorov-Smirnov statistic", kolmogorov_smirnov),
    Distance("wasserstein", "Wasserstein distance", wasserstein),
    Distance("d_prime", "standardised difference (Cohen's d)", d_prime, kinds=("impostor",)),
)
