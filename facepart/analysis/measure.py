"""A design and its groups -> all figures: every part, method and group, rankings, and groups compared."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import EQUAL_AREA, IMPORTANCE, SHIFT, Weight
from facepart.analysis.criteria import CRITERIA, FEW_PATCHES, Compared, Unsupported
from facepart.analysis.design import Design
from facepart.analysis.differentials import (
    EACH_GROUP,
    Differential,
    ShiftDifference,
    differential,
    shift_differences,
)
from facepart.analysis.embedding_means import Effect, GroupMeans, net_of, shift_of
from facepart.analysis.group_data import GroupData
from facepart.analysis.influence import Influence, SubjectScores, lay_out
from facepart.analysis.intervals import Interval, interval
from facepart.analysis.metrics import STUDY_FMRS, d_prime_influence
from facepart.analysis.place_variance import place_variance
from facepart.analysis.ranking import PartEffects, Ranked, order_parts, rank_mean, rank_parts
from facepart.analysis.results import (
    ALL_GROUPS,
    CONTROL,
    CROSS,
    EQUAL_AREA_PATCH,
    KEEP_ONLY,
    MIN_FOUND,
    MOVED,
    NOT_CONTROLLABLE,
    WITHIN,
    PartResult,
    RowKey,
    part_result,
)
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region


@dataclass(frozen=True)
class Figures:
    """All figures of a study by one recogniser.

    Attributes:
        results: a row for each group, part, method and comparison.
        ranked_by: the criterion that the study's ranking is by.
        rankings: criterion -> group, or ``all``, -> its parts, the one that matters most first. A criterion that no
            group supports is left out, and so is a part that has no rank by it.
        shift_differences: the shifts of every two groups, compared, and with a control also the importances.
        differentials: the error rates of the groups, compared; none for one group.
        unsupported: criterion -> group -> part -> why its scores do not support the criterion; parts that were found
            on too few photos for any rank are left out.
        effects: criterion of `rankings` -> group -> the effects of its parts that the ranking is made from.
        keep_only_rankings: group, or ``all``, -> its parts by d' with only that part left, the largest first; empty
            without keep-only or authentic scores.
        weight: whether `ranking` weights all ``pairs`` of photos alike in mean scores, or all pairs of ``subjects``.
    """

    results: list[PartResult]
    ranked_by: str
    rankings: dict[str, dict[str, list[Ranked]]]
    shift_differences: list[ShiftDifference]
    differentials: list[Differential]
    unsupported: dict[str, dict[str, dict[str, str]]] = field(default_factory=dict)
    effects: Mapping[str, Mapping[str, PartEffects]] = field(default_factory=dict)
    keep_only_rankings: Mapping[str, Sequence[Ranked]] = field(default_factory=dict)
    weight: Weight = "pairs"

    @property
    def ranking(self) -> dict[str, list[Ranked]]:
        """The study's ranking: group, or ``all``, -> its parts."""
        return self.rankings.get(self.ranked_by, {})


def measure(design: Design, groups: Mapping[str, GroupData], threshold_group: str | None) -> Figures:
    """Compute all figures of one recogniser.

    Args:
        design: what was compared, with this recogniser alone (:meth:`facepart.analysis.design.Design.of_recogniser`).
        groups: the design's groups, by name, with the scores of this recogniser.
        threshold_group: the group whose baseline scores set the threshold that all groups share; None for all groups.
    """
    (recogniser,) = design.recognisers
    measured = {name: _GroupMeasurement(design, name, data) for name, data in groups.items()}
    subjects = {name: data.subjects.tolist() for name, data in groups.items()}
    rankings, effects = {}, {}
    for criterion in CRITERIA:
        by_group = {name: PartEffects(group.effects[criterion], subjects[name]) for name, group in measured.items()}
        if any(found.effects for found in by_group.values()):
            rankings[criterion] = rank_parts(by_group, _differences(criterion, by_group, measured))
            effects[criterion] = by_group
    differences = shift_differences(
        {
            (occlusion.part, occlusion.method.name): {
                name: group.shifts[occlusion] for name, group in measured.items() if occlusion in group.shifts
            }
            for occlusion in design.part_occlusions
        },
        subjects,
        design.margin,
    )
    differences += _importance_differences(design, measured, subjects)
    differentials = _differentials(design, groups, threshold_group or ALL_GROUPS)
    return Figures(
        results=[row for group in measured.values() for row in group.results],
        ranked_by=design.rank_by or (IMPORTANCE if IMPORTANCE in rankings else SHIFT),
        rankings=rankings,
        shift_differences=[replace(each, recogniser=recogniser) for each in differences],
        differentials=[replace(each, recogniser=recogniser) for each in differentials],
        unsupported={
            criterion: {name: group.unsupported[criterion] for name, group in measured.items()}
            for criterion in CRITERIA
            if any(group.unsupported[criterion] for group in measured.values())
        },
        effects=effects,
        keep_only_rankings=_keep_only_rankings(
            {name: PartEffects(group.kept, subjects[name]) for name, group in measured.items()}
        ),
        weight=design.weight,
    )


class _GroupMeasurement:
    """Measures one group.

    Attributes:
        results: the rows.
        shifts: the shift of each occlusion of a part.
        effects: criterion -> part -> its effect; of parts that have a rank.
        unsupported: criterion -> part -> why its scores do not support the criterion.
        control_shifts: part -> the shift by each draw of its control, (n,); of parts with an importance.
        contrasts: criterion -> part -> what its effect is made of, for criteria of mean impostor scores.
        kept: part -> d' with only that part left; of parts that were found on enough photos for a rank.
    """

    def __init__(self, design: Design, name: str, data: GroupData) -> None:
        self._design, self._name, self._data = design, name, data
        self.means = GroupMeans(data)
        self._subject_places = {subject: place for place, subject in enumerate(data.subjects.tolist())}
        self.results: list[PartResult] = []
        self.shifts: dict[Occlusion, Influence] = {}
        self.effects: dict[str, dict[str, Influence]] = {criterion: {} for criterion in CRITERIA}
        self.unsupported: dict[str, dict[str, str]] = {criterion: {} for criterion in CRITERIA}
        self.control_shifts: dict[str, NDArray[np.float64]] = {}
        self.contrasts: dict[str, dict[str, Effect]] = {criterion: {} for criterion in CRITERIA}
        self.kept: dict[str, Influence] = {}
        for occlusion in design.part_occlusions:
            self._measure(occlusion)

    def _measure(self, occlusion: Occlusion) -> None:
        """Compute the rows of an occlusion, and the part's effects by all criteria."""
        design, data, region = self._design, self._data, self._design.region_of(occlusion)
        baseline, occluded = data.scores(design.baseline_of(occlusion)), self._scores(occlusion)
        is_main = occlusion.method == design.main
        if baseline is None or occluded is None:
            key = self._key(occlusion, [occlusion], region, WITHIN)
            if not _occludes_any(data, occlusion):
                key = replace(key, photos_compared=0, subjects_compared=0)
            self.results.append(PartResult(**vars(key)))
            return
        self.shifts[occlusion] = self.means.effect(shift_of([occlusion], region), design.weight)
        controls = self._usable_controls(occlusion)
        found = self._means_of([occlusion], region)
        if controls:
            found |= self._importance_of(occlusion, controls)
        self._add_row(self._key(occlusion, [occlusion], region, WITHIN), baseline, [occluded], found)
        if controls:
            self._add_other(occlusion, controls, CONTROL)
        if is_main and design.patches:
            self._add_other(occlusion, [design.patch_of(occlusion.part)], EQUAL_AREA_PATCH)
        if is_main and design.keep_only:
            self._add_keep_only(occlusion)
        crossed = None
        if is_main and design.cross:
            crossed = data.scores(design.condition(occlusion, "cross"))
            if crossed is not None:
                key = self._key(occlusion, [occlusion], region, CROSS)
                self._add_row(key, baseline, [crossed], self._cross_means_of(occlusion, region))
        if is_main:
            self._add_effects(occlusion, controls, Compared(baseline, occluded, crossed))

    def _scores(self, occlusion: Occlusion) -> SubjectScores | None:
        """Return the scores with an occlusion; None where it changed no photo, or these show too few subjects."""
        if not _occludes_any(self._data, occlusion):
            return None
        return self._data.scores(self._design.condition(occlusion))

    def _add_keep_only(self, occlusion: Occlusion) -> None:
        """Add the row of a part that is all that is left, and take d' with it."""
        part, kept = occlusion.part, self._design.keep_only_of(occlusion.part)
        self._add_other(occlusion, [kept], KEEP_ONLY)
        scores = self._data.scores(self._design.condition(kept))
        if scores and scores.scores.authentic.n and self._found(part) >= MIN_FOUND * self._data.photos:
            names = scores.sums.subjects.tolist()
            self.kept[part] = lay_out(d_prime_influence(scores), names, self._subject_places)

    def _usable_controls(self, occlusion: Occlusion) -> list[Occlusion]:
        """Return the draws of an occlusion's control; none if the part cannot be moved on most of its photos."""
        controls = self._design.controls_of(occlusion)
        if not controls:
            return []
        placed = self._data.coverage(controls, self._design.region_of(controls[0])).photos
        usable = placed >= MIN_FOUND * self._found(occlusion.part)
        return controls if usable and self._data.scores(self._design.baseline_of(controls[0])) else []

    def _found(self, part: str) -> int:
        """Count the photos in which a part was found."""
        return self._data.photos - self._data.undetected(self._design.of_part(part))

    def _means_of(self, occlusions: Sequence[Occlusion], region: Region | None) -> dict[str, Interval]:
        """Compute the columns that follow from the embeddings, of an occlusion or of the draws of a control."""
        shift = shift_of(occlusions, region)
        means = Effect(tuple(occlusions), shift.weights[:-1], region)
        return {
            "impostor_mean_baseline": interval(self.means.mean(BASELINE, region)),
            "impostor_mean": interval(self.means.effect(means, "pairs")),
            "impostor_shift": interval(self.means.effect(shift, "pairs")),
            "impostor_shift_subjects": interval(self.means.effect(shift, "subjects")),
        }

    def _cross_means_of(self, occlusion: Occlusion, region: Region | None) -> dict[str, Interval]:
        """Compute the same columns for occluded probes against the baseline gallery."""
        return {
            "impostor_mean_baseline": interval(self.means.mean(BASELINE, region)),
            "impostor_mean": interval(self.means.mean(occlusion, region, cross=True)),
            "impostor_shift": interval(self.means.cross_shift(occlusion, region, "pairs")),
            "impostor_shift_subjects": interval(self.means.cross_shift(occlusion, region, "subjects")),
        }

    def _importance_of(self, occlusion: Occlusion, controls: Sequence[Occlusion]) -> dict[str, Interval]:
        """Compute the columns of a part net of its control, on the photos in which the control has a place."""
        region = self._design.region_of(controls[0])
        control, net = shift_of(controls, region), net_of(occlusion, controls, region)
        return {
            "control_shift": interval(self.means.effect_with_places(control, controls, "pairs")),
            "importance": interval(self.means.effect_with_places(net, controls, "pairs")),
            "importance_subjects": interval(self.means.effect_with_places(net, controls, "subjects")),
            "control_shift_subjects": interval(self.means.effect_with_places(control, controls, "subjects")),
        }

    def _add_other(self, occlusion: Occlusion, occlusions: Sequence[Occlusion], comparison: str) -> None:
        """Add the row of a part's control, the mean over its draws, of its equal-area patch, or of keep-only."""
        design, region = self._design, self._design.region_of(occlusions[0])
        baseline = self._data.scores(design.baseline_of(occlusions[0]))
        scores = [self._scores(each) for each in occlusions]
        known = [each for each in scores if each is not None]
        if baseline is not None and known:
            key = self._key(occlusion, occlusions, region, comparison)
            self._add_row(key, baseline, known, self._means_of(occlusions, region))

    def _add_row(
        self,
        key: RowKey,
        baseline: SubjectScores,
        draws: Sequence[SubjectScores],
        from_embeddings: Mapping[str, Interval],
    ) -> None:
        self.results.append(part_result(key, baseline, draws, from_embeddings))

    def _add_effects(self, occlusion: Occlusion, controls: Sequence[Occlusion], compared: Compared) -> None:
        """Take a part's effect by each criterion, if it was found on enough photos for a rank."""
        design, part, region = self._design, occlusion.part, self._design.region_of(occlusion)
        if self._found(part) < MIN_FOUND * self._data.photos:
            return
        contrasts = {SHIFT: shift_of([occlusion], region)}
        if controls:
            contrasts[IMPORTANCE] = net_of(occlusion, controls, design.region_of(controls[0]))
        patch = design.patch_of(part)
        if design.patches and self._scores(patch) is not None:
            if self._data.photos - self._data.undetected(patch) >= MIN_FOUND * self._data.photos:
                contrasts[EQUAL_AREA] = shift_of([patch], design.region_of(patch))
            else:
                self.unsupported[EQUAL_AREA][part] = FEW_PATCHES.reason
        for criterion, effect in contrasts.items():
            self.contrasts[criterion][part] = effect
            self.effects[criterion][part] = self.means.effect(effect, design.weight)
        if controls:
            draws = self.means.control_shifts(contrasts[IMPORTANCE], controls, design.weight)
            net = self.effects[IMPORTANCE][part]
            self.effects[IMPORTANCE][part] = net._replace(places=place_variance(draws))
            self.control_shifts[part] = draws
        for name, asked in CRITERIA.items():
            if asked.effect is None:
                continue
            found = asked.effect(compared)
            if isinstance(found, Unsupported):
                self.unsupported[name][part] = found.reason
            else:
                names = compared.baseline.sums.subjects.tolist()
                self.effects[name][part] = lay_out(found, names, self._subject_places)

    def difference(self, criterion: str, first: str, second: str) -> Influence:
        """Return how much larger a part's effect by a criterion is than another part's."""
        contrasts, effects = self.contrasts[criterion], self.effects[criterion]
        difference = effects[first].minus(effects[second])
        if first in contrasts and second in contrasts:
            exact = self.means.difference(contrasts[first], contrasts[second], self._design.weight)
            return exact._replace(places=difference.places)
        return difference

    def _key(
        self, occlusion: Occlusion, occlusions: Sequence[Occlusion], region: Region | None, comparison: str
    ) -> RowKey:
        """Return what a row is about, with the area that `occlusions` replace there."""
        coverage = self._data.coverage(occlusions, region)
        control = ""
        if self._design.draws and occlusion.method == self._design.main:
            control = MOVED if self._usable_controls(occlusion) else NOT_CONTROLLABLE
        return RowKey(
            recogniser=self._design.recognisers[0],
            group=self._name,
            part=occlusion.part,
            occlusion=occlusion.method.name,
            comparison=comparison,
            photos=self._data.photos,
            subjects=len(self._data.subjects),
            undetected=self._data.photos - self._found(occlusion.part),
            photos_compared=coverage.photos,
            subjects_compared=int((self._data.photo_counts(region) > 0).sum()),
            share=coverage.share,
            replaced=coverage.replaced,
            control=control,
        )


def _occludes_any(data: GroupData, occlusion: Occlusion) -> bool:
    """Return whether an occlusion changed any photo: photos that are kept as they are would give a certain 0."""
    return data.undetected(occlusion) < data.photos


def _importance_differences(
    design: Design, groups: Mapping[str, _GroupMeasurement], subjects: Mapping[str, Sequence[str]]
) -> list[ShiftDifference]:
    """Compare the importances of every two groups, of parts that have one in both."""
    parts = {
        part: {name: group for name, group in groups.items() if part in group.control_shifts}
        for part in design.part_names
    }
    return shift_differences(
        {
            (part, design.main.name): {name: each.effects[IMPORTANCE][part] for name, each in found.items()}
            for part, found in parts.items()
        },
        subjects,
        design.margin,
        {part: {name: each.control_shifts[part] for name, each in found.items()} for part, found in parts.items()},
    )


def _keep_only_rankings(groups: Mapping[str, PartEffects]) -> dict[str, list[Ranked]]:
    """Rank the parts of each group, and of all together where there are several, by d' with only that part left."""
    if not any(found.effects for found in groups.values()):
        return {}
    together = {ALL_GROUPS: rank_mean(groups)} if len(groups) > 1 else {}
    return together | {name: rank_mean({name: found}) for name, found in groups.items()}


def _differences(
    criterion: str, effects: Mapping[str, PartEffects], groups: Mapping[str, _GroupMeasurement]
) -> dict[tuple[str, str, str], Influence]:
    """Compare each part with the next, in every order in which they are ranked.

    Effects on mean impostor scores are compared by what they are made of, so that the variance is exact; others by
    the influences of the subjects.
    """
    found: dict[tuple[str, str, str], Influence] = {}
    for name, order in order_parts(effects).items():
        for group in groups if name == ALL_GROUPS and len(groups) > 1 else [name]:
            for first, second in pairwise(order):
                if (group, first, second) not in found:
                    found[group, first, second] = groups[group].difference(criterion, first, second)
    return found


def _differentials(design: Design, groups: Mapping[str, GroupData], common: str) -> Iterator[Differential]:
    """Compare the error rates of the groups, if there are several: of the baseline, then with each part occluded.

    With a part occluded, the thresholds are those of the baseline scores of the same photos.
    """
    if len(groups) < 2:
        return
    for occlusion in [BASELINE, *map(design.of_part, design.part_names)]:
        baselines = {group: data.scores(design.baseline_of(occlusion)) for group, data in groups.items()}
        impostor = {group: each.scores.impostor for group, each in baselines.items() if each is not None}
        scores = {
            group: data.scores(design.condition(occlusion))
            for group, data in groups.items()
            if occlusion == BASELINE or _occludes_any(data, occlusion)
        }
        known = {group: each for group, each in scores.items() if each is not None}
        for target in STUDY_FMRS:
            for threshold_of in (common, EACH_GROUP):
                if threshold_of in (*impostor, ALL_GROUPS, EACH_GROUP) and known:
                    yield differential(occlusion.part or BASELINE.name, known, impostor, target, threshold_of)
