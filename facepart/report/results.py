"""How the scores of a group moved when a part was blurred, in figures.

The original photos' thresholds are kept: a system in use does not move its threshold when a face is hidden. So the
FMR with the part blurred is taken at the thresholds at which the original photos have an FMR of 1e-3 and 1e-4.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from facepart.metrics import (
    d_prime,
    fnmr_at_fmr,
    kolmogorov_smirnov,
    mean_shift,
    supports,
    threshold_at_fmr,
    wasserstein,
)
from facepart.scores import GroupScores

# How photos were compared: those with the part blurred among themselves, or with the original ones.
WITHIN, CROSS = "within", "cross"
# All groups together, in rankings.
ALL_GROUPS = "all"


@dataclass(frozen=True)
class PartResult:
    """The figures of one part in one group; NaN where there are too few scores for one.

    Attributes:
        group: the demographic group.
        part: the part that was blurred.
        comparison: ``within`` (blurred against blurred) or ``cross`` (blurred against original).
        photos: of the group.
        people: on them.
        missing: photos in which the part was not found, which are compared as they are.
        share: mean share of the head (face and hair) that the part covers, over all photos of the group.
        authentic_n: authentic scores with the part blurred.
        impostor_n: impostor scores with the part blurred.
        d_prime_original: d' of the original photos.
        d_prime: d' with the part blurred.
        d_prime_change: the second less the first.
        impostor_mean_original: mean impostor score of the original photos.
        impostor_mean: mean impostor score with the part blurred.
        impostor_shift: the second less the first; what parts are ranked by.
        impostor_mode: most frequent impostor score, in bins of 0.01, with the part blurred.
        impostor_mode_shift: that less the one of the original photos.
        impostor_ks: Kolmogorov-Smirnov between the impostor scores before and after.
        impostor_wasserstein: Wasserstein distance between them.
        impostor_d_prime: d' between them.
        authentic_mean: mean authentic score with the part blurred.
        authentic_shift: that less the one of the original photos.
        authentic_ks: Kolmogorov-Smirnov between the authentic scores before and after.
        authentic_wasserstein: Wasserstein distance between them.
        fmr_at_original_1e3: FMR with the part blurred, at the original photos' threshold for FMR 1e-3.
        times_more_1e3: that over the original photos' FMR there: how many times more false matches.
        fmr_at_original_1e4: as above, for FMR 1e-4.
        times_more_1e4: as above.
        fnmr_1e3: FNMR with the part blurred, at its own threshold for FMR 1e-3.
        fnmr_1e3_original: the same of the original photos.
        fnmr_1e4: as above, for FMR 1e-4.
        fnmr_1e4_original: as above.
    """

    group: str
    part: str
    comparison: str
    photos: int
    people: int
    missing: int
    share: float
    authentic_n: int
    impostor_n: int
    d_prime_original: float
    d_prime: float
    d_prime_change: float
    impostor_mean_original: float
    impostor_mean: float
    impostor_shift: float
    impostor_mode: float
    impostor_mode_shift: float
    impostor_ks: float
    impostor_wasserstein: float
    impostor_d_prime: float
    authentic_mean: float
    authentic_shift: float
    authentic_ks: float
    authentic_wasserstein: float
    fmr_at_original_1e3: float
    times_more_1e3: float
    fmr_at_original_1e4: float
    times_more_1e4: float
    fnmr_1e3: float
    fnmr_1e3_original: float
    fnmr_1e4: float
    fnmr_1e4_original: float


@dataclass(frozen=True)
class Ranked:
    """A part's place: parts whose loss raises impostor scores most come first."""

    part: str
    impostor_shift: float


def part_result(
    original: GroupScores,
    blurred: GroupScores,
    *,
    group: str,
    part: str,
    comparison: str,
    photos: int,
    people: int,
    missing: int,
    share: float,
) -> PartResult:
    """Compute the figures of one part; see :class:`PartResult` for the arguments and what comes of them.

    Where there are no authentic scores, all that needs them is NaN.

    Args:
        original: the scores of the original photos.
        blurred: the scores with the part blurred.
        group: see there; likewise the others.
        part: see there.
        comparison: see there.
        photos: see there.
        people: see there.
        missing: see there.
        share: see there.

    Raises:
        FacepartError: there are no impostor scores.
    """
    both = bool(original.authentic.n and blurred.authentic.n)
    d_before, d_after = (_d_prime(scores) for scores in (original, blurred))
    modes = [_mode(scores) for scores in (original, blurred)]
    kept = {target: _at_original_threshold(original, blurred, target) for target in (1e-3, 1e-4)}
    missed = {target: [_fnmr(scores, target) for scores in (blurred, original)] for target in (1e-3, 1e-4)}
    return PartResult(
        group=group,
        part=part,
        comparison=comparison,
        photos=photos,
        people=people,
        missing=missing,
        share=share,
        authentic_n=blurred.authentic.n,
        impostor_n=blurred.impostor.n,
        d_prime_original=d_before,
        d_prime=d_after,
        d_prime_change=d_after - d_before,
        impostor_mean_original=original.impostor.mean,
        impostor_mean=blurred.impostor.mean,
        impostor_shift=mean_shift(original.impostor, blurred.impostor),
        impostor_mode=modes[1],
        impostor_mode_shift=round(modes[1] - modes[0], 6),
        impostor_ks=kolmogorov_smirnov(original.impostor, blurred.impostor),
        impostor_wasserstein=wasserstein(original.impostor, blurred.impostor),
        impostor_d_prime=d_prime(original.impostor, blurred.impostor),
        authentic_mean=blurred.authentic.mean if both else math.nan,
        authentic_shift=mean_shift(original.authentic, blurred.authentic) if both else math.nan,
        authentic_ks=kolmogorov_smirnov(original.authentic, blurred.authentic) if both else math.nan,
        authentic_wasserstein=wasserstein(original.authentic, blurred.authentic) if both else math.nan,
        fmr_at_original_1e3=kept[1e-3][0],
        times_more_1e3=kept[1e-3][1],
        fmr_at_original_1e4=kept[1e-4][0],
        times_more_1e4=kept[1e-4][1],
        fnmr_1e3=missed[1e-3][0],
        fnmr_1e3_original=missed[1e-3][1],
        fnmr_1e4=missed[1e-4][0],
        fnmr_1e4_original=missed[1e-4][1],
    )


def shifts_within(results: Sequence[PartResult]) -> dict[tuple[str, str], float]:
    """Give (group, part) -> the shift that parts are ranked by."""
    return {(row.group, row.part): row.impostor_shift for row in results if row.comparison == WITHIN}


def rank_parts(results: Sequence[PartResult]) -> dict[str, list[Ranked]]:
    """Rank parts by the impostor shift within: in each group, and over all by the mean of the groups' shifts.

    Every group counts alike over all, however many photos it has.

    Returns:
        Group, or ``all``, -> the parts, the one with the largest shift first; ``all`` only for several groups.
    """
    shifts: dict[str, dict[str, list[float]]] = {}
    groups = list(dict.fromkeys(result.group for result in results))
    for (group, part), shift in shifts_within(results).items():
        for name in (group, ALL_GROUPS) if len(groups) > 1 else (group,):
            shifts.setdefault(name, {}).setdefault(part, []).append(shift)
    order = [ALL_GROUPS] * (len(groups) > 1) + groups
    return {
        name: sorted(
            (Ranked(part, math.fsum(found) / len(found)) for part, found in shifts[name].items()),
            key=lambda ranked: -ranked.impostor_shift,
        )
        for name in order
    }


def _d_prime(scores: GroupScores) -> float:
    return d_prime(*scores) if scores.authentic.n else math.nan


def _mode(scores: GroupScores) -> float:
    """Give the middle of the fullest bin of 0.01; single millionths are too fine for a peak to show."""
    first = math.floor(scores.impostor.scores[0] * 100)
    edges = [step / 100 for step in range(first, math.ceil(scores.impostor.scores[-1] * 100) + 2)]
    fullest = int(scores.impostor.histogram(edges).argmax())
    return round((edges[fullest] + edges[fullest + 1]) / 2, 6)


def _at_original_threshold(original: GroupScores, blurred: GroupScores, target: float) -> tuple[float, float]:
    """Give the FMR with the part blurred at the original photos' threshold, and how many times theirs it is."""
    if not supports(original.impostor, target):
        return math.nan, math.nan
    threshold = threshold_at_fmr(original.impostor, target)
    before, after = (float(scores.impostor.share_from(threshold)) for scores in (original, blurred))
    return after, after / before if before else math.nan


def _fnmr(scores: GroupScores, target: float) -> float:
    found = fnmr_at_fmr(*scores, target) if scores.authentic.n else None
    return math.nan if found is None else found
