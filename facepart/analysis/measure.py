"""A design and its groups -> all figures: every part, method and group, the rankings, and groups compared."""

import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.contrasts import resample_subjects
from facepart.analysis.design import BASELINE_CONDITION, Condition, Design
from facepart.analysis.differentials import (
    EACH_GROUP,
    TARGETS,
    Differential,
    ShiftDifference,
    differential,
    shift_differences,
)
from facepart.analysis.embedding_means import GroupMeans
from facepart.analysis.group_data import GroupData
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import MIN_SUBJECTS, UNKNOWN, interval
from facepart.analysis.ranking import (
    IMPORTANCE,
    SHIFT,
    PairwiseDifference,
    PartEffects,
    Ranked,
    order_parts,
    rank_parts,
)
from facepart.analysis.results import ALL_GROUPS, CONTROL, CROSS, WITHIN, PartResult, RowKey, part_result
from facepart.occlusion.occlusion import BASELINE, Occlusion
from facepart.scores.files import GroupScores
from facepart.scores.ranks import SubjectRanks
from facepart.scores.subject_sums import merged

# How often subjects are resampled, and what seeds the draws, along with the group's name. With 2,000 resamples, a
# share of first ranks is known to about 0.02.
RESAMPLES = 2000
SEED = 20231


@dataclass(frozen=True)
class Figures:
    """All figures of a study; see :class:`facepart.report.content.Content`."""

    results: list[PartResult]
    ranked_by: str
    rankings: dict[str, list[Ranked]]
    shift_differences: list[ShiftDifference]
    differentials: list[Differential]


@dataclass(frozen=True)
class _GroupFigures:
    results: list[PartResult]
    shifts: dict[Occlusion, Influence]
    effects: PartEffects


def measure(design: Design, groups: Mapping[str, GroupData], threshold_group: str | None) -> Figures:
    """Compute all figures.

    Args:
        design: what was compared.
        groups: the design's groups, by name.
        threshold_group: whose baseline scores set the threshold at which groups are compared; None for all groups'.
    """
    results: list[PartResult] = []
    shifts: dict[Occlusion, dict[str, Influence]] = {}
    effects: dict[str, PartEffects] = {}
    means = {name: GroupMeans(data) for name, data in groups.items()}
    for name, data in groups.items():
        found = _measure_group(design, name, data, means[name])
        results += found.results
        effects[name] = found.effects
        for occlusion, shift in found.shifts.items():
            shifts.setdefault(occlusion, {})[name] = shift
    subjects = {name: list(data.subjects) for name, data in groups.items()}
    return Figures(
        results=results,
        ranked_by=IMPORTANCE if design.draws else SHIFT,
        rankings=rank_parts(effects, _differences(design, effects, means)),
        shift_differences=[
            each
            for occlusion, by_group in shifts.items()
            for each in shift_differences(occlusion.part, occlusion.method.name, by_group, subjects)
        ],
        differentials=list(_differentials(design, groups, threshold_group or ALL_GROUPS)),
    )


def merged_scores(draws: Sequence[SubjectScores]) -> SubjectScores:
    """Add up the scores of several draws of a control."""
    scores = reduce(GroupScores.merged_with, (draw.scores for draw in draws))
    ranks = [draw.ranks for draw in draws if draw.ranks is not None]
    all_ranks = reduce(SubjectRanks.merged_with, ranks) if ranks else None
    return SubjectScores(scores, merged([draw.sums for draw in draws]), all_ranks)


def _measure_group(design: Design, group: str, data: GroupData, means: GroupMeans) -> _GroupFigures:
    """Compute the figures of every part in a group."""
    count = len(data.subjects)
    baseline = data.scores(BASELINE_CONDITION)
    resamples = RESAMPLES if count >= MIN_SUBJECTS else 0
    weights = resample_subjects(count, resamples, SEED + zlib.crc32(group.encode()))
    unoccluded = means.resampled(BASELINE, weights)
    results: list[PartResult] = []
    shifts: dict[Occlusion, Influence] = {}
    parts: dict[str, Influence] = {}
    draws: dict[str, NDArray[np.float64]] = {}
    for occlusion in design.part_occlusions:
        shifts[occlusion] = shift = means.shift(occlusion)
        controls = design.controls_of(occlusion)
        scores = data.scores(Condition(occlusion))
        control_shift = importance = None
        if controls:
            control_shift, importance = means.control_shift(controls), means.net_of_control(occlusion, controls)
        if occlusion.method == design.main:
            parts[occlusion.part] = importance or shift
            drawn = [means.resampled(each, weights) for each in controls]
            base = np.mean(drawn, axis=0) if controls else unoccluded
            draws[occlusion.part] = means.resampled(occlusion, weights) - base
        results.append(
            part_result(
                _row_key(group, data, occlusion, WITHIN, controls),
                baseline,
                scores,
                interval(shift, count),
                control_shift=interval(control_shift, count) if control_shift else UNKNOWN,
                importance=interval(importance, count) if importance else UNKNOWN,
            )
        )
        if controls and control_shift:
            occluded = merged_scores([data.scores(Condition(each)) for each in controls])
            key = _row_key(group, data, occlusion, CONTROL, controls)
            results.append(part_result(key, baseline, occluded, interval(control_shift, count)))
        if design.cross and occlusion.method == design.main:
            crossed = data.scores(Condition(occlusion, "cross"))
            key = _row_key(group, data, occlusion, CROSS, controls)
            shift = means.shift(occlusion, cross=True)
            results.append(part_result(key, baseline, crossed, interval(shift, count)))
    return _GroupFigures(results, shifts, PartEffects(parts, count, draws))


def _row_key(group: str, data: GroupData, occlusion: Occlusion, comparison: str, controls: list[Occlusion]) -> RowKey:
    """Say what a row is about, and how much of the photos is occluded there."""
    coverage = data.coverage(controls if comparison == CONTROL else [occlusion], controls)
    return RowKey(
        group=group,
        part=occlusion.part,
        occlusion=occlusion.method.name,
        comparison=comparison,
        photos=data.photos,
        subjects=len(data.subjects),
        undetected=coverage.undetected,
        share=coverage.share,
        replaced=coverage.replaced,
        control=coverage.control,
    )


def _differences(
    design: Design, effects: Mapping[str, PartEffects], means: Mapping[str, GroupMeans]
) -> dict[tuple[str, str, str], PairwiseDifference]:
    """Compare each part with the next, in every order in which they are ranked."""
    compared = {part: [design.of_part(part), *design.controls_of(design.of_part(part))] for part in design.parts}
    found: dict[tuple[str, str, str], PairwiseDifference] = {}
    for name, order in order_parts(effects).items():
        for group in means if name == ALL_GROUPS else [name]:
            for first, second in pairwise(order):
                if (group, first, second) not in found:
                    difference = means[group].difference(compared[first], compared[second])
                    found[group, first, second] = PairwiseDifference(difference, effects[group].subjects)
    return found


def _differentials(design: Design, groups: Mapping[str, GroupData], common: str) -> Iterator[Differential]:
    """Compare the error rates of the groups, if there are several: of the baseline, then of each part."""
    if len(groups) < 2:
        return
    baselines = {group: data.scores(BASELINE_CONDITION) for group, data in groups.items()}
    impostor = {group: each.scores.impostor for group, each in baselines.items()}
    for occlusion in (BASELINE, *(design.of_part(part) for part in design.parts)):
        scores = baselines
        if occlusion != BASELINE:
            scores = {group: data.scores(Condition(occlusion)) for group, data in groups.items()}
        for target in TARGETS:
            for threshold_of in (common, EACH_GROUP):
                yield differential(occlusion.part or BASELINE.name, scores, impostor, target, threshold_of)
