"""How often 95 % confidence intervals hold the truth, in worlds where it is known.

Usage: python -m benchmarks.interval_coverage [--draws 400] [--setting NAME ...] [--seed 1]

Groups of photos are drawn from a world (benchmarks/interval_worlds.py), and all figures of a study are computed with
their intervals, by the same functions. Printed is, for each figure and setting, the share of the intervals that hold
the truth, in per cent, or "-" where the figure has no interval in any draw; the share of the draws in which it has
one, and in which the truth lies below it; and its bias and length, in multiples of the true error. The truths are
figures of the scores of tens of thousands of subjects; those of identification rates, which depend on the gallery,
are the mean over the draws.

With 400 draws, a share of 95 % is known to 1.1 %.
"""

import argparse
import math
import time
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from benchmarks.interval_worlds import BASELINE, CONTROL, OCCLUDED, Drawer, Group, World, mean_vectors, truth_of
from benchmarks.machine import describe
from facepart.analysis.contrasts import contrast, subject_weighted_sums
from facepart.analysis.intervals import Interval, interval, rate_interval
from facepart.analysis.metrics import (
    STUDY_FMRS,
    d_prime,
    eer,
    fmr_influence,
    fmr_suffix,
    fnmr_at_fmr,
    fnmr_influence,
    supports,
    threshold_at_fmr,
)
from facepart.analysis.metrics.mean import subject_mean_influence
from facepart.analysis.results import WITHIN, RowKey, part_result, result_columns
from facepart.scores import GroupScores

ZIPF = tuple(max(2, round(60 / rank)) for rank in range(1, 41))
SETTINGS = {
    world.name: world
    for world in (
        World("100 x 2", (2,) * 100),
        World("10 x 3", (3,) * 10),
        World("Zipf 60/rank", ZIPF),
        World("6 x 30, 54 x 2", (30,) * 6 + (2,) * 54),
        World("12 of 100", (2,) * 12 + (1,) * 88),
        World("lognormal", (2,) * 100, lognormal=1.0, along=2.0),
        World("parts differ", (2,) * 100, part_spread=2.0),
        World("FMR 1e-3", (2,) * 72),
        World("FMR 1e-4", (2,) * 225),
        World("FNMR near 0", (2,) * 100, noise=0.045, quality=0.15),
        World("1 to 6 photos", tuple(1 + number % 6 for number in range(60))),
    )
}
# Columns of results.csv that have no truth here.
# Subject-weighted figures are among the further ones.
_LEFT_OUT = (
    "shift_per_percent",
    "impostor_shift_subjects",
    "importance_subjects",
    "authentic_shift_subjects",
)

Truths = Mapping[str, float]


def figures_of(group: Group) -> dict[str, Interval]:
    """Compute every figure of a draw, with its interval."""
    before, after = group.scores[BASELINE], group.scores[OCCLUDED]
    sums = group.sums
    photos, subjects = int(sums[BASELINE].photos.sum()), before.subjects
    key = RowKey("group", "part", "blur", WITHIN, photos, subjects, 0, photos, subjects, 0.1, 0.1)
    contrasts = {
        "impostor_mean_baseline": contrast([sums[BASELINE]], [1]),
        "impostor_mean": contrast([sums[OCCLUDED]], [1]),
        "impostor_shift": contrast([sums[OCCLUDED], sums[BASELINE]], [1, -1]),
        "control_shift": contrast([sums[CONTROL], sums[BASELINE]], [1, -1]),
        "importance": contrast([sums[OCCLUDED], sums[CONTROL]], [1, -1]),
    }
    row = part_result(key, before, [after], {name: interval(each) for name, each in contrasts.items()})
    found = {
        column.name: row.figure(column.name)
        for column in result_columns()
        if column.has_interval and column.name not in _LEFT_OUT
    }
    return found | _further(group)


def _further(group: Group) -> dict[str, Interval]:
    """Figures that are no columns of results.csv: at given thresholds, of other photos, and subject-weighted."""
    before, after = group.scores[BASELINE], group.scores[OCCLUDED]
    sums, partial = group.sums, group.partial
    even = {name: subject_weighted_sums(each) for name, each in sums.items()}
    apart = [partial[OCCLUDED], partial[BASELINE], sums[CONTROL], sums[BASELINE]]
    return {
        "cross_shift": interval(contrast([group.crossed, sums[BASELINE]], [1, -1])),
        "complete_case_shift": interval(contrast(apart[:2], [1, -1])),
        "difference_of_parts": interval(contrast(apart, [1, -1, -1, 1])),
        "subject_impostor_mean": interval(contrast([even[BASELINE]], [1])),
        "subject_impostor_shift": interval(contrast([even[OCCLUDED], even[BASELINE]], [1, -1])),
        "subject_importance": interval(contrast([even[OCCLUDED], even[CONTROL]], [1, -1])),
        "subject_authentic_mean": interval(subject_mean_influence(before)),
        "subject_authentic_shift": interval(subject_mean_influence(after).minus(subject_mean_influence(before))),
    }


def rates_at(group: Group, thresholds: Mapping[str, float]) -> dict[str, Interval]:
    """Return the error rates of the baseline at given thresholds."""
    found, before = {}, group.scores[BASELINE]
    for name, threshold in thresholds.items():
        wrong = fmr_influence(before, threshold)
        found[f"fmr_at_given_{name}"] = rate_interval(wrong, wrong.effective / 2)
        if before.scores.authentic.n:
            missed = fnmr_influence(before, threshold)
            found[f"fnmr_at_given_{name}"] = rate_interval(missed, missed.effective)
    return found


def thresholds_of(scores: GroupScores) -> dict[str, float]:
    """Return the thresholds for the FMRs of a study, by the ends of their names."""
    return {fmr_suffix(target): threshold_at_fmr(scores.impostor, target) for target in STUDY_FMRS}


def truths_of(world: World) -> dict[str, float]:
    """Return the true figures, but for identification rates."""
    known = truth_of(world)
    before, after = known[BASELINE], known[OCCLUDED]
    vectors = mean_vectors(world.without_photos())
    impostor = {name: float(vectors[name] @ vectors[name]) for name in vectors}
    shift, control_shift = (impostor[name] - impostor[BASELINE] for name in (OCCLUDED, CONTROL))
    found = {
        "d_prime_baseline": d_prime(*before),
        "d_prime": d_prime(*after),
        "d_prime_change": d_prime(*after) - d_prime(*before),
        "impostor_mean_baseline": impostor[BASELINE],
        "impostor_mean": impostor[OCCLUDED],
        "impostor_shift": shift,
        "control_shift": control_shift,
        "importance": shift - control_shift,
        "authentic_mean": after.authentic.mean,
        "authentic_shift": after.authentic.mean - before.authentic.mean,
        "eer": eer(*after),
        "eer_baseline": eer(*before),
        "cross_shift": float(vectors[OCCLUDED] @ vectors[BASELINE]) - impostor[BASELINE],
        "complete_case_shift": shift,
        "difference_of_parts": shift - control_shift,
        "subject_impostor_mean": impostor[BASELINE],
        "subject_impostor_shift": shift,
        "subject_importance": shift - control_shift,
        "subject_authentic_mean": before.authentic.mean,
        "subject_authentic_shift": after.authentic.mean - before.authentic.mean,
    }
    for target in STUDY_FMRS:
        end = fmr_suffix(target)
        threshold = threshold_at_fmr(before.impostor, target)
        found[f"fnmr_{end}"] = float(fnmr_at_fmr(*after, target) or 0)
        found[f"fnmr_{end}_baseline"] = float(fnmr_at_fmr(*before, target) or 0)
        found |= _rates_there(known, threshold, end)
        found[f"fmr_at_given_{end}"] = float(before.impostor.share_from(threshold))
        found[f"fnmr_at_given_{end}"] = float(before.authentic.share_below(threshold))
    return found


def _rates_there(known: Mapping[str, GroupScores], threshold: float, end: str) -> dict[str, float]:
    """Return the true FMR with the part occluded at a threshold, and its ratio to that of the baseline."""
    rate, reference = (float(known[name].impostor.share_from(threshold)) for name in (OCCLUDED, BASELINE))
    return {f"fmr_at_baseline_{end}": rate, f"fmr_ratio_{end}": rate / reference if reference else math.nan}


@dataclass(frozen=True)
class Coverage:
    """How the intervals of a figure fared.

    Attributes:
        given: the share of the draws that have an interval.
        held: the share of these that hold the truth; NaN where there is none.
        below: the share of these that lie below the truth.
        bias: the mean of the figure minus the truth, in standard deviations of the figure.
        width: the median length of the intervals, in standard deviations of the figure, times 1 / 3.92: about 1 where
            it is as long as it should be.
    """

    given: float
    held: float
    below: float
    bias: float
    width: float


def coverage(world: World, draws: int, seed: int) -> dict[str, Coverage]:
    """Draw groups, and count."""
    truths, known = truths_of(world), truth_of(world)
    given = {fmr_suffix(t): threshold_at_fmr(known[BASELINE].impostor, t) for t in STUDY_FMRS}
    lowest = threshold_at_fmr(known[OCCLUDED].impostor, 0.4)
    drawer, rng = Drawer(world, lowest), np.random.default_rng(seed)
    rows: dict[str, list[tuple[float, float, float, float]]] = {}
    for _ in range(draws):
        group = drawer.draw(rng)
        found = figures_of(group) | rates_at(group, given)
        here = dict(truths)
        for target in STUDY_FMRS:
            if supports(group.scores[BASELINE].scores.impostor, target):
                end = fmr_suffix(target)
                threshold = threshold_at_fmr(group.scores[BASELINE].scores.impostor, target)
                for name, value in _rates_there(known, threshold, end).items():
                    found[f"{name}_realised"], here[f"{name}_realised"] = found[name], value
        for name, each in found.items():
            rows.setdefault(name, []).append((each.value, each.low, each.high, here.get(name, math.nan)))
    return {name: _summary(np.array(found)) for name, found in rows.items()}


def _summary(found: np.ndarray) -> Coverage:
    values, low, high, truth = found.T
    if np.isnan(truth).all():
        truth = np.full(len(truth), np.nanmean(values) if not np.isnan(values).all() else math.nan)
    known = np.isfinite(low)
    if not known.any():
        return Coverage(0.0, math.nan, math.nan, math.nan, math.nan)
    held = ((low <= truth) & (truth <= high))[known]
    spread = float(np.std((values - truth)[known])) or math.nan
    return Coverage(
        float(known.mean()),
        float(held.mean()),
        float((high < truth)[known].mean()),
        float((values - truth)[known].mean()) / spread,
        float(np.median((high - low)[known])) / 3.92 / spread,
    )


def main() -> None:
    """Measure, and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--draws", type=int, default=400)
    parser.add_argument("--setting", nargs="+", choices=list(SETTINGS), default=list(SETTINGS))
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    print(describe())
    for name in arguments.setting:
        begun = time.perf_counter()
        found = coverage(SETTINGS[name], arguments.draws, arguments.seed)
        print(f"{name} ({time.perf_counter() - begun:.0f} s)")
        for figure, each in found.items():
            if each.given:
                print(
                    f"  {figure:32}{100 * each.held:6.1f}  given {each.given:.2f}  truth below {each.below:.3f}  "
                    f"bias {each.bias:+.2f} and length {each.width:.2f} of the true error",
                    flush=True,
                )
            else:
                print(f"  {figure:32}-")


if __name__ == "__main__":
    main()
