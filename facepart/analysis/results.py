"""How the scores of a group moved when a part was lost, in figures, with 95 % intervals.

The original photos' thresholds are kept: a system in use does not move its threshold when a face is hidden. So the
FMR with the part blurred is taken at the thresholds at which the original photos have an FMR of 1e-3 and 1e-4; there
the threshold is taken as given, in the interval too. Differences from the original photos are paired: the same people
are on both.
"""

import math
from dataclasses import dataclass

import numpy as np

from facepart.analysis.identification import identification_figures
from facepart.analysis.influence import (
    SubjectScores,
    authentic_mean_influence,
    d_prime_influence,
    eer_influence,
    fmr_influence,
    fnmr_at_fmr_influence,
    impostor_mean_influence,
)
from facepart.analysis.intervals import UNKNOWN, Interval, interval, rate_interval, ratio_interval
from facepart.analysis.metrics import d_prime as d_prime_between
from facepart.analysis.metrics import kolmogorov_smirnov, supports, threshold_at_fmr, wasserstein
from facepart.scores import GroupScores

# What was compared: photos with the part blurred among themselves; those with the original ones; photos with another
# place of the same size blurred, among themselves.
WITHIN, CROSS, CONTROL = "within", "cross", "control"
# All groups together, in rankings.
ALL_GROUPS = "all"


@dataclass(frozen=True)
class RowKey:
    """What a row of figures is about.

    Attributes:
        group: the demographic group.
        part: the part that was lost.
        occlusion: how, by :attr:`facepart.occlusion.method.OcclusionMethod.name`; ``blur`` is the original study's.
        comparison: ``within`` (photos with the part blurred among themselves), ``cross`` (those against the original
            ones) or ``control`` (photos with other places of the same size blurred, among themselves).
        photos: of the group.
        subjects: on them.
        undetected: photos in which the part was not found, which are compared as they are.
        share: mean share of the head (face and hair) that the part covers, over all photos of the group.
        replaced: mean share of the photo that was replaced, counting soft borders by how far.
        control: which control the part has: ``moved`` (the same shape elsewhere on the face), ``blobs`` (smooth blobs
            of the same area), both with their shares where photos differ; empty without one.
    """

    group: str
    part: str
    occlusion: str
    comparison: str
    photos: int
    subjects: int
    undetected: int
    share: float
    replaced: float
    control: str = ""


@dataclass(frozen=True)
class PartResult(RowKey):
    """The figures of one part in one group; NaN where there are too few scores, intervals where too few people.

    Attributes:
        authentic_n: authentic scores with the part blurred.
        impostor_n: impostor scores with the part blurred.
        d_prime_baseline: d' of the original photos.
        d_prime: d' with the part blurred.
        d_prime_change: the second less the first.
        impostor_mean_baseline: mean impostor score of the original photos.
        impostor_mean: mean impostor score with the part blurred.
        impostor_shift: the second less the first.
        shift_per_percent: that over `replaced`, for each per cent of the photo.
        control_shift: the same shift where other places of the same size are blurred, over all draws.
        importance: `impostor_shift` less `control_shift`: what the part is worth beyond its size.
        impostor_mode: most frequent impostor score, in bins of 0.01, with the part blurred.
        impostor_mode_shift: that less the one of the original photos.
        impostor_ks: Kolmogorov-Smirnov between the impostor scores before and after.
        impostor_wasserstein: Wasserstein distance between them.
        impostor_d_prime: d' between them.
        authentic_mean: mean authentic score with the part blurred.
        authentic_shift: that less the one of the original photos.
        authentic_ks: Kolmogorov-Smirnov between the authentic scores before and after.
        authentic_wasserstein: Wasserstein distance between them.
        eer: equal error rate with the part blurred.
        eer_baseline: the same of the original photos.
        fmr_at_baseline_1e3: FMR with the part blurred, at the original photos' threshold for FMR 1e-3.
        fmr_ratio_1e3: that over the original photos' FMR there: how many times more false matches.
        fmr_at_baseline_1e4: as above, for FMR 1e-4.
        fmr_ratio_1e4: as above.
        fnmr_1e3: FNMR with the part blurred, at its own threshold for FMR 1e-3.
        fnmr_1e3_baseline: the same of the original photos.
        fnmr_1e4: as above, for FMR 1e-4.
        fnmr_1e4_baseline: as above.
        rank1_rate: rank-1 identification rate with the part occluded.
        rank1_rate_baseline: the same of the baseline.
        rank1_rate_change: the first less the second.
        rank10_rate: as above, at rank 10.
        rank10_rate_baseline: as above.
        rank10_rate_change: as above.
    """

    authentic_n: int = 0
    impostor_n: int = 0
    d_prime_baseline: Interval = UNKNOWN
    d_prime: Interval = UNKNOWN
    d_prime_change: Interval = UNKNOWN
    impostor_mean_baseline: Interval = UNKNOWN
    impostor_mean: Interval = UNKNOWN
    impostor_shift: Interval = UNKNOWN
    shift_per_percent: Interval = UNKNOWN
    control_shift: Interval = UNKNOWN
    importance: Interval = UNKNOWN
    impostor_mode: float = math.nan
    impostor_mode_shift: float = math.nan
    impostor_ks: float = math.nan
    impostor_wasserstein: float = math.nan
    impostor_d_prime: float = math.nan
    authentic_mean: Interval = UNKNOWN
    authentic_shift: Interval = UNKNOWN
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


def part_result(
    key: RowKey,
    original: SubjectScores,
    blurred: SubjectScores,
    shift: Interval,
    *,
    control_shift: Interval = UNKNOWN,
    importance: Interval = UNKNOWN,
) -> PartResult:
    """Compute the figures of one part; where there are no authentic scores, all that needs them is NaN.

    Args:
        key: what the row is about.
        original: the scores of the original photos.
        blurred: the scores with the part blurred.
        shift: of the mean impostor score (:func:`facepart.analysis.contrasts.contrast` knows its interval).
        control_shift: that of the control.
        importance: the first less the second.

    Raises:
        FacepartError: there are no impostor scores.
    """
    before, after = original.scores, blurred.scores
    subjects = key.subjects
    # People with no second photo have no part in authentic scores.
    pairs = int(np.count_nonzero(blurred.sums.authentic.count))
    modes = [_mode(scores) for scores in (before, after)]
    both = bool(before.authentic.n and after.authentic.n)
    percent = 100 * key.replaced
    figures: dict[str, Interval | float] = {
        "impostor_mean_baseline": interval(impostor_mean_influence(original), subjects),
        "impostor_mean": interval(impostor_mean_influence(blurred), subjects),
        "impostor_shift": shift,
        "shift_per_percent": Interval(*(part / percent for part in shift)) if percent else UNKNOWN,
        "control_shift": control_shift,
        "importance": importance,
        "impostor_mode": modes[1],
        "impostor_mode_shift": round(modes[1] - modes[0], 6),
        "impostor_ks": kolmogorov_smirnov(before.impostor, after.impostor),
        "impostor_wasserstein": wasserstein(before.impostor, after.impostor),
        "impostor_d_prime": d_prime_between(before.impostor, after.impostor),
    }
    for name, target in (("1e3", 1e-3), ("1e4", 1e-4)):
        if supports(before.impostor, target):
            threshold = threshold_at_fmr(before.impostor, target)
            here, there = fmr_influence(blurred, threshold), fmr_influence(original, threshold)
            figures[f"fmr_at_baseline_{name}"] = rate_interval(here, subjects, subjects / 2)
            figures[f"fmr_ratio_{name}"] = ratio_interval(here, there, subjects)
    if both:
        moved = authentic_mean_influence(blurred).minus(authentic_mean_influence(original))
        d_primes = [d_prime_influence(group) for group in (original, blurred)]
        figures |= {
            "d_prime_baseline": interval(d_primes[0], subjects),
            "d_prime": interval(d_primes[1], subjects),
            "d_prime_change": interval(d_primes[1].minus(d_primes[0]), subjects),
            "authentic_mean": interval(authentic_mean_influence(blurred), pairs),
            "authentic_shift": interval(moved, pairs),
            "authentic_ks": kolmogorov_smirnov(before.authentic, after.authentic),
            "authentic_wasserstein": wasserstein(before.authentic, after.authentic),
            "eer": rate_interval(eer_influence(blurred), pairs, pairs),
            "eer_baseline": rate_interval(eer_influence(original), pairs, pairs),
        }
        for name, target in (("1e3", 1e-3), ("1e4", 1e-4)):
            for group, ending in ((blurred, ""), (original, "_baseline")):
                if supports(group.scores.impostor, target):
                    missed = fnmr_at_fmr_influence(group, target)
                    figures[f"fnmr_{name}{ending}"] = rate_interval(missed, pairs, pairs)
    if original.ranks is not None and blurred.ranks is not None:
        figures |= identification_figures(original.ranks, blurred.ranks)
    return PartResult(**vars(key), authentic_n=after.authentic.n, impostor_n=after.impostor.n, **figures)  # type: ignore[arg-type]


def _mode(scores: GroupScores) -> float:
    """Give the middle of the fullest bin of 0.01; single millionths are too fine for a peak to show."""
    first = math.floor(scores.impostor.scores[0] * 100)
    edges = [step / 100 for step in range(first, math.ceil(scores.impostor.scores[-1] * 100) + 2)]
    fullest = int(scores.impostor.histogram(edges).argmax())
    return round((edges[fullest] + edges[fullest + 1]) / 2, 6)
