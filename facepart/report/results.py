"""How the scores of a group moved when a part was lost, in figures, with 95 % intervals.

The original photos' thresholds are kept: a system in use does not move its threshold when a face is hidden. So the
FMR with the part blurred is taken at the thresholds at which the original photos have an FMR of 1e-3 and 1e-4; there
the threshold is taken as given, in the interval too. Differences from the original photos are paired: the same people
are on both.
"""

import math
from dataclasses import dataclass

import numpy as np

from facepart.metrics import d_prime as d_prime_between
from facepart.metrics import kolmogorov_smirnov, supports, threshold_at_fmr, wasserstein
from facepart.scores import GroupScores
from facepart.uncertainty.identification import identification_figures
from facepart.uncertainty.influence import (
    PeopleScores,
    authentic_mean,
    d_prime_of,
    eer_of,
    fmr_of,
    fnmr_at_fmr_of,
    impostor_mean,
)
from facepart.uncertainty.intervals import UNKNOWN, Interval, interval, rate_interval, ratio_interval

# What was compared: photos with the part blurred among themselves; those with the original ones; photos with another
# place of the same size blurred, among themselves.
WITHIN, CROSS, CONTROL = "within", "cross", "control"
# All groups together, in rankings.
ALL_GROUPS = "all"


@dataclass(frozen=True)
class About:
    """What a row of figures is about.

    Attributes:
        group: the demographic group.
        part: the part that was lost.
        occlusion: how, by :attr:`facepart.occlusion.way.Way.name`; ``blur`` is the original study's.
        comparison: ``within`` (photos with the part blurred among themselves), ``cross`` (those against the original
            ones) or ``control`` (photos with other places of the same size blurred, among themselves).
        photos: of the group.
        people: on them.
        missing: photos in which the part was not found, which are compared as they are.
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
    people: int
    missing: int
    share: float
    replaced: float
    control: str = ""


@dataclass(frozen=True)
class PartResult(About):
    """The figures of one part in one group; NaN where there are too few scores, intervals where too few people.

    Attributes:
        authentic_n: authentic scores with the part blurred.
        impostor_n: impostor scores with the part blurred.
        d_prime_original: d' of the original photos.
        d_prime: d' with the part blurred.
        d_prime_change: the second less the first.
        impostor_mean_original: mean impostor score of the original photos.
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
        eer_original: the same of the original photos.
        fmr_at_original_1e3: FMR with the part blurred, at the original photos' threshold for FMR 1e-3.
        times_more_1e3: that over the original photos' FMR there: how many times more false matches.
        fmr_at_original_1e4: as above, for FMR 1e-4.
        times_more_1e4: as above.
        fnmr_1e3: FNMR with the part blurred, at its own threshold for FMR 1e-3.
        fnmr_1e3_original: the same of the original photos.
        fnmr_1e4: as above, for FMR 1e-4.
        fnmr_1e4_original: as above.
        rank1_rate: rank-1 identification rate with the part blurred.
        rank1_rate_original: the same of the original photos.
        rank1_rate_change: the first less the second.
        rank10_rate: as above, at rank 10.
        rank10_rate_original: as above.
        rank10_rate_change: as above.
    """

    authentic_n: int = 0
    impostor_n: int = 0
    d_prime_original: Interval = UNKNOWN
    d_prime: Interval = UNKNOWN
    d_prime_change: Interval = UNKNOWN
    impostor_mean_original: Interval = UNKNOWN
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
    eer_original: Interval = UNKNOWN
    fmr_at_original_1e3: Interval = UNKNOWN
    times_more_1e3: Interval = UNKNOWN
    fmr_at_original_1e4: Interval = UNKNOWN
    times_more_1e4: Interval = UNKNOWN
    fnmr_1e3: Interval = UNKNOWN
    fnmr_1e3_original: Interval = UNKNOWN
    fnmr_1e4: Interval = UNKNOWN
    fnmr_1e4_original: Interval = UNKNOWN
    rank1_rate: Interval = UNKNOWN
    rank1_rate_original: Interval = UNKNOWN
    rank1_rate_change: Interval = UNKNOWN
    rank10_rate: Interval = UNKNOWN
    rank10_rate_original: Interval = UNKNOWN
    rank10_rate_change: Interval = UNKNOWN


def part_result(
    about: About,
    original: PeopleScores,
    blurred: PeopleScores,
    shift: Interval,
    *,
    control_shift: Interval = UNKNOWN,
    importance: Interval = UNKNOWN,
) -> PartResult:
    """Compute the figures of one part; where there are no authentic scores, all that needs them is NaN.

    Args:
        about: what the row is about.
        original: the scores of the original photos.
        blurred: the scores with the part blurred.
        shift: of the mean impostor score (:func:`facepart.uncertainty.contrasts.contrast` knows its interval).
        control_shift: that of the control.
        importance: the first less the second.

    Raises:
        FacepartError: there are no impostor scores.
    """
    before, after = original.scores, blurred.scores
    people = about.people
    # People with no second photo have no part in authentic scores.
    pairs = int(np.count_nonzero(blurred.sums.authentic.count))
    modes = [_mode(scores) for scores in (before, after)]
    both = bool(before.authentic.n and after.authentic.n)
    percent = 100 * about.replaced
    figures: dict[str, Interval | float] = {
        "impostor_mean_original": interval(impostor_mean(original), people),
        "impostor_mean": interval(impostor_mean(blurred), people),
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
            here, there = fmr_of(blurred, threshold), fmr_of(original, threshold)
            figures[f"fmr_at_original_{name}"] = rate_interval(here, people, people / 2)
            figures[f"times_more_{name}"] = ratio_interval(here, there, people)
    if both:
        moved = authentic_mean(blurred).minus(authentic_mean(original))
        d_primes = [d_prime_of(group) for group in (original, blurred)]
        figures |= {
            "d_prime_original": interval(d_primes[0], people),
            "d_prime": interval(d_primes[1], people),
            "d_prime_change": interval(d_primes[1].minus(d_primes[0]), people),
            "authentic_mean": interval(authentic_mean(blurred), pairs),
            "authentic_shift": interval(moved, pairs),
            "authentic_ks": kolmogorov_smirnov(before.authentic, after.authentic),
            "authentic_wasserstein": wasserstein(before.authentic, after.authentic),
            "eer": rate_interval(eer_of(blurred), pairs, pairs),
            "eer_original": rate_interval(eer_of(original), pairs, pairs),
        }
        for name, target in (("1e3", 1e-3), ("1e4", 1e-4)):
            for group, ending in ((blurred, ""), (original, "_original")):
                if supports(group.scores.impostor, target):
                    missed = fnmr_at_fmr_of(group, target)
                    figures[f"fnmr_{name}{ending}"] = rate_interval(missed, pairs, pairs)
    if original.ranks is not None and blurred.ranks is not None:
        figures |= identification_figures(original.ranks, blurred.ranks)
    return PartResult(**vars(about), authentic_n=after.authentic.n, impostor_n=after.impostor.n, **figures)  # type: ignore[arg-type]


def _mode(scores: GroupScores) -> float:
    """Give the middle of the fullest bin of 0.01; single millionths are too fine for a peak to show."""
    first = math.floor(scores.impostor.scores[0] * 100)
    edges = [step / 100 for step in range(first, math.ceil(scores.impostor.scores[-1] * 100) + 2)]
    fullest = int(scores.impostor.histogram(edges).argmax())
    return round((edges[fullest] + edges[fullest + 1]) / 2, 6)
