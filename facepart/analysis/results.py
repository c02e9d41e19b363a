"""What changes when a part is occluded: one row of figures for each part, with 95 % confidence intervals (CI).

The baseline thresholds are kept, since a system in use does not move its threshold when part of a face is hidden: the
FMR with a part occluded is taken at the thresholds where the baseline photos have an FMR of 1e-3 and 1e-4. There, the
threshold is treated as fixed, in the CI too. Differences from the baseline are paired by subject.

The figures of one condition, and the distances between two, are those of the table of metrics
(:mod:`facepart.analysis.metrics.metric_table`).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from statistics import fmean
from typing import Any, NamedTuple

from facepart.analysis.choices import Weight
from facepart.analysis.influence import SubjectScores, mean_influence
from facepart.analysis.intervals import UNKNOWN, Interval, interval, rate_interval, ratio_interval
from facepart.analysis.metrics import (
    DISTANCES,
    METRICS,
    STUDY_FMRS,
    authentic_mean_influence,
    binned_mode,
    fmr_influence,
    fmr_suffix,
    subject_mean_influence,
    supports,
    threshold_at_fmr,
)

# What is compared: occluded vs occluded photos; occluded probes vs baseline gallery; photos with the area-matched
# control of the part occluded, vs the same; photos with the equal-area patch of the part occluded, vs the same;
# photos with all but the part occluded, vs the same.
WITHIN, CROSS, CONTROL, EQUAL_AREA_PATCH = "within", "cross", "control", "equal_area"
KEEP_ONLY = "keep_only"
# A part's control: its shape moved, or none, because nowhere else on the face is room for it.
MOVED, NOT_CONTROLLABLE = "moved", "not controllable"
# A part has a rank if it was found on at least this share of a group's photos: what holds on fewer may not hold on
# the rest.
MIN_FOUND = 0.5
# All groups together, in rankings.
ALL_GROUPS = "all"


@dataclass(frozen=True)
class RowKey:
    """What a row of results is about.

    Attributes:
        recogniser: name of the recogniser whose scores these are.
        group: the group of subjects.
        part: the part that is occluded.
        occlusion: name of the occlusion method (:attr:`facepart.occlusion.method.OcclusionMethod.name`); ``blur`` is
            that of the original study.
        comparison: ``within`` (occluded vs occluded photos), ``cross`` (occluded probes vs baseline gallery),
            ``control`` (photos with area-matched control regions occluded, vs the same), ``equal_area`` (photos
            with the part's equal-area patch occluded, vs the same) or ``keep_only`` (photos with all but the part
            occluded, vs the same).
        photos: photos of the group.
        subjects: subjects of the group.
        undetected: photos in which the part was not detected.
        photos_compared: photos that the row is about: by default those in which the part was detected, and for a
            control those in which it fits.
        subjects_compared: subjects on these photos.
        share: mean share of the head (face and hair) that the part covers on these photos.
        replaced: mean share of the image area that was replaced on these photos, soft borders counted in proportion.
        control: ``moved`` if the part has an area-matched control, ``not controllable`` if there is no room for one
            on the face; empty in a study without controls.
    """

    recogniser: str = field(default="", kw_only=True)
    group: str
    part: str
    occlusion: str
    comparison: str
    photos: int
    subjects: int
    undetected: int
    photos_compared: int
    subjects_compared: int
    share: float
    replaced: float
    control: str = ""

    @property
    def is_on_few_photos(self) -> bool:
        """Whether the part was detected in too few photos of the group for a rank."""
        return self.photos - self.undetected < MIN_FOUND * self.photos


@dataclass(frozen=True)
class PartResult(RowKey):
    """The results of one part in one group; NaN with too few scores, without a CI with too few subjects.

    Attributes:
        authentic_n: number of authentic scores with the part occluded.
        impostor_n: number of impostor scores with the part occluded.
        authentic_effective: effective number of subjects behind the authentic scores.
        impostor_effective: effective number of subjects behind the impostor scores.
        d_prime_baseline: d' of the baseline.
        d_prime: d' with the part occluded.
        d_prime_change: the second minus the first.
        impostor_mean_baseline: mean impostor score of the baseline.
        impostor_mean: mean impostor score with the part occluded.
        impostor_shift: the second minus the first.
        impostor_shift_subjects: the same with all pairs of subjects weighted alike, however many photos they have.
        shift_per_percent: `impostor_shift` per 1 % of image area, as `replaced` has it.
        control_shift: the shift with the area-matched control regions occluded instead, over all positions.
        importance: the effect of the part net of its control: `impostor_shift` minus `control_shift`, both on the
            photos in which the control fits.
        importance_subjects: the same with all pairs of subjects weighted alike.
        control_shift_subjects: `control_shift`, likewise.
        impostor_mode: most frequent impostor score with the part occluded, in bins of 0.01.
        impostor_mode_shift: that minus the one of the baseline.
        impostor_ks: Kolmogorov-Smirnov statistic between baseline and occluded impostor scores.
        impostor_wasserstein: Wasserstein distance between them.
        impostor_d_prime: standardised difference (Cohen's d) between them.
        authentic_mean: mean authentic score with the part occluded.
        authentic_shift: that minus the one of the baseline.
        authentic_shift_subjects: the same with all subjects weighted alike.
        authentic_ks: Kolmogorov-Smirnov statistic between baseline and occluded authentic scores.
        authentic_wasserstein: Wasserstein distance between them.
        eer: equal error rate with the part occluded; of a control without a CI where the sums by subject of one of
            its draws do not reach down to the threshold.
        eer_baseline: equal error rate of the baseline.
        fmr_at_baseline_1e3: FMR with the part occluded at the baseline threshold for FMR 1e-3.
        fmr_ratio_1e3: that divided by the FMR of the baseline there.
        fmr_at_baseline_1e4: as above, for FMR 1e-4.
        fmr_ratio_1e4: as above.
        fnmr_1e3: FNMR with the part occluded, at its own threshold for FMR 1e-3.
        fnmr_1e3_baseline: FNMR of the baseline, at its own threshold.
        fnmr_1e4: as above, for FMR 1e-4.
        fnmr_1e4_baseline: as above.
        rank1_rate: rank-1 identification rate with the part occluded.
        rank1_rate_baseline: the same of the baseline.
        rank1_rate_change: the first minus the second.
        rank10_rate: as above, at rank 10.
        rank10_rate_baseline: as above.
        rank10_rate_change: as above.
        further: column -> figure, of those metrics in the table that have no field here.
    """

    authentic_n: int = 0
    impostor_n: int = 0
    authentic_effective: float = math.nan
    impostor_effective: float = math.nan
    d_prime_baseline: Interval = UNKNOWN
    d_prime: Interval = UNKNOWN
    d_prime_change: Interval = UNKNOWN
    impostor_mean_baseline: Interval = UNKNOWN
    impostor_mean: Interval = UNKNOWN
    impostor_shift: Interval = UNKNOWN
    impostor_shift_subjects: Interval = UNKNOWN
    shift_per_percent: Interval = UNKNOWN
    control_shift: Interval = UNKNOWN
    importance: Interval = UNKNOWN
    importance_subjects: Interval = UNKNOWN
    control_shift_subjects: Interval = UNKNOWN
    impostor_mode: float = math.nan
    impostor_mode_shift: float = math.nan
    impostor_ks: float = math.nan
    impostor_wasserstein: float = math.nan
    impostor_d_prime: float = math.nan
    authentic_mean: Interval = UNKNOWN
    authentic_shift: Interval = UNKNOWN
    authentic_shift_subjects: Interval = UNKNOWN
    authentic_ks: float = math.nan
    authentic_wasserstein: float = math.nan
    eer: Interval = UNKNOWN
    eer_baseline: Interval = UNKNOWN
    fmr_at_baseline_1e3: Interval = UNKNOWN
    fmr_ratio_1e3: Interval = UNKNOWN
    fmr_at_baseline_1e4: Interval = UNKNOWN
    fmr_ratio_1e4: Interval = UNKNOWN
    fnmr_1e3: Interval = UNKNOWN
    fnmr_1e3_baseline: Interval = UNKNOWN
    fnmr_1e4: Interval = UNKNOWN
    fnmr_1e4_baseline: Interval = UNKNOWN
    rank1_rate: Interval = UNKNOWN
    rank1_rate_baseline: Interval = UNKNOWN
    rank1_rate_change: Interval = UNKNOWN
    rank10_rate: Interval = UNKNOWN
    rank10_rate_baseline: Interval = UNKNOWN
    rank10_rate_change: Interval = UNKNOWN
    further: Mapping[str, Interval | float] = field(default_factory=dict)

    def figure(self, column: str) -> Any:
        """Return the content of a column of :func:`result_columns`."""
        return self.further[column] if column in self.further else getattr(self, column)

    def weighted(self, column: str, weight: Weight) -> Interval:
        """Return a shift, or the importance, by a weighting of the photos.

        Args:
            column: ``impostor_shift``, ``control_shift``, ``importance`` or ``authentic_shift``.
            weight: what counts alike.
        """
        found: Interval = getattr(self, f"{column}_subjects" if weight == "subjects" else column)
        return found

    def shift_by_area(self, weight: Weight) -> Interval:
        """Return the impostor shift per 1 % of image area by a weighting of the photos."""
        percent = 100 * self.replaced
        return self.weighted("impostor_shift", weight).scaled(1 / percent) if percent else UNKNOWN


class ResultColumn(NamedTuple):
    """A column of results.csv.

    Attributes:
        name: what it is called.
        has_interval: whether it is an :class:`facepart.analysis.intervals.Interval`.
    """

    name: str
    has_interval: bool


def result_columns() -> list[ResultColumn]:
    """Return the columns of results.csv in order: the fields of :class:`PartResult`, then metrics without a field."""
    columns = [
        ResultColumn(each.name, each.type is Interval) for each in fields(PartResult) if each.name != "further"
    ]
    named = {column.name for column in columns}
    found = [ResultColumn(metric.column_name(each), True) for metric in METRICS for each in metric.columns]
    found += [ResultColumn(f"{kind}_{distance.name}", False) for distance in DISTANCES for kind in distance.kinds]
    return columns + [column for column in found if column.name not in named]


def part_result(
    key: RowKey,
    baseline: SubjectScores,
    draws: Sequence[SubjectScores],
    from_embeddings: Mapping[str, Interval],
) -> PartResult:
    """Compute the figures of one part; what needs authentic scores is unknown where there are none.

    Args:
        key: what the row is about.
        baseline: the scores of the same photos unoccluded.
        draws: the scores with the part occluded; of a control, one set for each draw. A figure is the mean over the
            draws: if their scores were put together, draws that shift scores differently would seem to spread them.
        from_embeddings: column -> figure: those columns that follow from the embeddings
            (:func:`facepart.analysis.contrasts.contrast`), ``impostor_shift`` among them.

    Raises:
        FacepartError: there are no impostor scores.
    """
    percent = 100 * key.replaced
    mode = fmean(binned_mode(each.scores.impostor) for each in draws)
    shift = from_embeddings["impostor_shift"]
    figures: dict[str, Any] = {
        "authentic_n": sum(each.scores.authentic.n for each in draws),
        "impostor_n": sum(each.scores.impostor.n for each in draws),
        "authentic_effective": draws[0].effective_authentic,
        "impostor_effective": draws[0].effective,
        "shift_per_percent": shift.scaled(1 / percent) if percent else UNKNOWN,
        "impostor_mode": mode,
        "impostor_mode_shift": round(mode - binned_mode(baseline.scores.impostor), 6),
        **_authentic_shifts(baseline, draws),
        **_fmr_at_baseline(baseline, draws),
        **_metrics(baseline, draws),
        **_distances(baseline, draws),
        # Last: the means' own intervals are exact, where those from sums by subject are a little too long.
        **from_embeddings,
    }
    names = {each.name for each in fields(PartResult)}
    return PartResult(
        **vars(key),
        **{name: figure for name, figure in figures.items() if name in names},
        further={name: figure for name, figure in figures.items() if name not in names},
    )


def _metrics(baseline: SubjectScores, draws: Sequence[SubjectScores]) -> dict[str, Interval]:
    """Compute the metrics of the table."""
    figures = {}
    for metric in METRICS:
        for column in metric.columns:
            if column == "change":
                found = metric.change(baseline, *draws)
            elif column == "baseline":
                found = metric.interval(baseline)
            else:
                # The scores of cross are of each pair twice: they support no lower FMR than the baseline's do.
                found = metric.interval(*draws) if metric.is_supported(baseline) else UNKNOWN
            figures[metric.column_name(column)] = found
    return figures


def _distances(baseline: SubjectScores, draws: Sequence[SubjectScores]) -> dict[str, float]:
    """Compute the distances of the table, for each kind of scores that there are."""
    figures = {}
    for distance in DISTANCES:
        for kind in distance.kinds:
            before, *after = (getattr(each.scores, kind) for each in (baseline, *draws))
            known = before.n and all(each.n for each in after)
            figures[f"{kind}_{distance.name}"] = (
                fmean(distance.compute(before, each) for each in after) if known else math.nan
            )
    return figures


def _authentic_shifts(baseline: SubjectScores, draws: Sequence[SubjectScores]) -> dict[str, Interval]:
    """Compute the shift of the mean authentic score, with all pairs weighted alike and with all subjects."""
    if not all(each.scores.authentic.n for each in (baseline, *draws)):
        return {}
    means = {"authentic_shift": authentic_mean_influence, "authentic_shift_subjects": subject_mean_influence}
    return {
        name: interval(mean_influence([mean(each) for each in draws]).minus(mean(baseline)))
        for name, mean in means.items()
    }


def _fmr_at_baseline(baseline: SubjectScores, draws: Sequence[SubjectScores]) -> dict[str, Interval]:
    """Compute the FMR at the baseline thresholds, and its ratio to that of the baseline, for each FMR of a study."""
    figures = {}
    for target in STUDY_FMRS:
        if supports(baseline.scores.impostor, target):
            threshold = threshold_at_fmr(baseline.scores.impostor, target)
            rate = mean_influence([fmr_influence(each, threshold) for each in draws])
            # As many pairs share no subject as there are half subjects: the least number of independent scores.
            figures[f"fmr_at_baseline_{fmr_suffix(target)}"] = rate_interval(rate, rate.effective / 2)
            ratio = ratio_interval(rate, fmr_influence(baseline, threshold))
            figures[f"fmr_ratio_{fmr_suffix(target)}"] = ratio
    return figures
