"""A design and its groups -> all figures: every part, method and group, rankings, and groups compared."""

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
    Differential,
    ShiftDifference,
    differential,
    shift_differences,
)
from facepart.analysis.embedding_means import GroupMeans
from facepart.analysis.group_data import GroupData
from facepart.analysis.influence import Influence, SubjectScores
from facepart.analysis.intervals import MIN_SUBJECTS, UNKNOWN, interval
from facepart.analysis.metrics import STUDY_FMRS
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

# How often subjects are resampled, and the seed of the resamples, which the group's name is added to. With 2,000
# resamples, the share in which a part is ranked first is known to about 0.02.
RESAMPLES = 2000
SEED = 20231


@dataclass(frozen=True)
class Figures:
    """All figures of a study.

    Attributes:
        results: a row for each group, part, method and comparison.
        ranked_by: ``impostor_shift`` or, with a control, ``importance``.
        rankings: group, or ``all``, -> its parts, the one with the largest effect first.
        shift_differences: the shifts of every two groups, compared.
        differentials: the error rates of the groups, compared; none for one group.
    """

    results: list[PartResult]
    ranked_by: str
    rankings: dict[str, list[Ranked]]
    shift_differences: list[ShiftDifference]
    differentials: list[Differential]


def measure(design: Design, groups: Mapping[str, GroupData], threshold_group: str | None) -> Figures:
    """Compute all figures.

    Args:
        design: what was compared.
        groups: the design's groups, by name.
        threshold_group: the group whose baseline scores set the threshold that all groups share; None for all groups.
    """
    measured = {name: _GroupMeasurement(design, name, data).figures() for name, data in groups.items()}
    effects = {name: group.effects for name, group in measured.items()}
    subjects = {name: list(data.subjects) for name, data in groups.items()}
    return Figures(
        results=[row for group in measured.values() for row in group.results],
        ranked_by=IMPORTANCE if design.draws else SHIFT,
        rankings=rank_parts(effects, _differences(design, measured)),
        shift_differences=[
            each
            for occlusion in design.part_occlusions
            for each in shift_differences(
                occlusion.part,
                occlusion.method.name,
                {name: group.shifts[occlusion] for name, group in measured.items()},
                subjects,
            )
        ],
        differentials=list(_differentials(design, groups, threshold_group or ALL_GROUPS)),
    )


def merged_scores(draws: Sequence[SubjectScores]) -> SubjectScores:
    """Add up the scores of several draws of a control."""
    scores = reduce(GroupScores.merged_with, (draw.scores for draw in draws))
    ranks = [draw.ranks for draw in draws if draw.ranks is not None]
    all_ranks = reduce(SubjectRanks.merged_with, ranks) if ranks else None
    return SubjectScores(scores, merged([draw.sums for draw in draws]), all_ranks)


@dataclass(frozen=True)
class _GroupFigures:
    """The figures of every part in one group.

    Attributes:
        means: the mean impostor scores in all conditions.
        results: the rows.
        shifts: the shift of each occlusion of a part.
        effects: the effect of each part, by the main method.
    """

    means: GroupMeans
    results: list[PartResult]
    shifts: dict[Occlusion, Influence]
    effects: PartEffects


class _GroupMeasurement:
    """Measures one group; holds the baseline scores and the resamples, which are large."""

    def __init__(self, design: Design, name: str, data: GroupData) -> None:
        self._design, self._name, self._data = design, name, data
        self._subjects = len(data.subjects)
        self._means = GroupMeans(data)
        self._results: list[PartResult] = []
        self._shifts: dict[Occlusion, Influence] = {}
        self._baseline = data.scores(BASELINE_CONDITION)
        resamples = RESAMPLES if self._subjects >= MIN_SUBJECTS else 0
        self._weights = resample_subjects(self._subjects, resamples, SEED + zlib.crc32(name.encode()))
        self._resampled_baseline = self._means.resampled(BASELINE, self._weights)

    def figures(self) -> _GroupFigures:
        """Compute the figures of every part."""
        effects: dict[str, Influence] = {}
        resampled: dict[str, NDArray[np.float64]] = {}
        for occlusion in self._design.part_occlusions:
            importance = self._measure(occlusion)
            if occlusion.method == self._design.main:
                effects[occlusion.part] = importance or self._shifts[occlusion]
                resampled[occlusion.part] = self._resampled_effect(occlusion)
        effects_of_parts = PartEffects(effects, self._subjects, resampled)
        return _GroupFigures(self._means, self._results, self._shifts, effects_of_parts)

    def _measure(self, occlusion: Occlusion) -> Influence | None:
        """Compute the rows of an occlusion, and return the part's importance; None without a control."""
        controls = self._design.controls_of(occlusion)
        self._shifts[occlusion] = shift = self._means.shift(occlusion)
        control_shift = importance = None
        if controls:
            control_shift = self._means.control_shift(controls)
            importance = self._means.net_of_control(occlusion, controls)
        row = part_result(
            self._key(occlusion, WITHIN, controls),
            self._baseline,
            self._data.scores(Condition(occlusion)),
            interval(shift),
            control_shift=interval(control_shift) if control_shift else UNKNOWN,
            importance=interval(importance) if importance else UNKNOWN,
        )
        self._results.append(row)
        if controls:
            scores = merged_scores([self._data.scores(Condition(each)) for each in controls])
            key = self._key(occlusion, CONTROL, controls)
            self._results.append(part_result(key, self._baseline, scores, row.control_shift))
        if self._design.cross and occlusion.method == self._design.main:
            scores = self._data.scores(Condition(occlusion, "cross"))
            crossed = interval(self._means.shift(occlusion, cross=True))
            self._results.append(part_result(self._key(occlusion, CROSS, controls), self._baseline, scores, crossed))
        return importance

    def _resampled_effect(self, occlusion: Occlusion) -> NDArray[np.float64]:
        """Return the effect of an occlusion in each resample, (b,)."""
        controls = [self._means.resampled(each, self._weights) for each in self._design.controls_of(occlusion)]
        reference = np.mean(controls, axis=0) if controls else self._resampled_baseline
        effect: NDArray[np.float64] = self._means.resampled(occlusion, self._weights) - reference
        return effect

    def _key(self, occlusion: Occlusion, comparison: str, controls: list[Occlusion]) -> RowKey:
        """Return what a row is about, with the area that is occluded there."""
        coverage = self._data.coverage(controls if comparison == CONTROL else [occlusion], controls)
        return RowKey(
            group=self._name,
            part=occlusion.part,
            occlusion=occlusion.method.name,
            comparison=comparison,
            photos=self._data.photos,
            subjects=self._subjects,
            undetected=coverage.undetected,
            share=coverage.share,
            replaced=coverage.replaced,
            control=coverage.control,
        )


def _differences(
    design: Design, groups: Mapping[str, _GroupFigures]
) -> dict[tuple[str, str, str], PairwiseDifference]:
    """Compare each part with the next, in every order in which they are ranked."""
    compared = {part: [design.of_part(part), *design.controls_of(design.of_part(part))] for part in design.parts}
    found: dict[tuple[str, str, str], PairwiseDifference] = {}
    for name, order in order_parts({name: group.effects for name, group in groups.items()}).items():
        for group in groups if name == ALL_GROUPS else [name]:
            for first, second in pairwise(order):
                if (group, first, second) not in found:
                    difference = groups[group].means.difference(compared[first], compared[second])
                    found[group, first, second] = PairwiseDifference(difference, groups[group].effects.subjects)
    return found


def _differentials(design: Design, groups: Mapping[str, GroupData], common: str) -> Iterator[Differential]:
    """Compare the error rates of the groups, if there are several: of the baseline, then with each part occluded."""
    if len(groups) < 2:
        return
    baselines = {group: data.scores(BASELINE_CONDITION) for group, data in groups.items()}
    impostor = {group: each.scores.impostor for group, each in baselines.items()}
    for occlusion in (BASELINE, *(design.of_part(part) for part in design.parts)):
        scores = baselines
        if occlusion != BASELINE:
            scores = {group: data.scores(Condition(occlusion)) for group, data in groups.items()}
        for target in STUDY_FMRS:
            for threshold_of in (common, EACH_GROUP):
                yield differential(occlusion.part or BASELINE.name, scores, impostor, target, threshold_of)
