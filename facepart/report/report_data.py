"""The data that a report is made from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import IMPORTANCE
from facepart.analysis.differentials import Differential, ShiftDifference
from facepart.analysis.ranking import Agreement, Ranked
from facepart.analysis.results import ALL_GROUPS, WITHIN, PartResult
from facepart.scores import GroupScores


@dataclass(frozen=True)
class ReportGroup:
    """One group's scores.

    Attributes:
        name: the group's name; ``all`` if the study has no table of subjects.
        photos: how many were compared.
        subjects: how many there are.
        baseline: the scores of the baseline photos, all of the group.
        baselines: part -> the baseline scores of those photos that the part's figures are about.
        occluded: part -> the scores with that part occluded, occluded vs occluded.
        crossed: part -> the scores with that part occluded, occluded probe vs baseline gallery; may be empty.
        controls: part -> the scores with the area-matched control regions of that part occluded, all draws together;
            empty without a control.
    """

    name: str
    photos: int
    subjects: int
    baseline: GroupScores
    baselines: Mapping[str, GroupScores]
    occluded: Mapping[str, GroupScores]
    crossed: Mapping[str, GroupScores]
    controls: Mapping[str, GroupScores]


@dataclass(frozen=True)
class ExamplePhoto:
    """A photo that the report shows with each part occluded.

    Attributes:
        subject: the subject's name.
        photo: uint8 (h, w, 3), RGB.
        occluded: part -> the photo with it occluded, likewise.
        masks: part -> uint8 (h, w), 255 where the part is.
        controls: part -> the photo with one draw of its control region occluded; empty without a control.
        control_masks: part -> uint8 (h, w), 255 in that control region; likewise.
    """

    subject: str
    photo: NDArray[np.uint8]
    occluded: Mapping[str, NDArray[np.uint8]]
    masks: Mapping[str, NDArray[np.uint8]]
    controls: Mapping[str, NDArray[np.uint8]]
    control_masks: Mapping[str, NDArray[np.uint8]]


@dataclass(frozen=True)
class AverageFace:
    """The mean of all photos.

    Attributes:
        photo: uint8 (s, s, 3), RGB.
        parts: part -> float32 (s, s), the share of the photos in which the part covers a pixel, 0..1.
    """

    photo: NDArray[np.uint8]
    parts: Mapping[str, NDArray[np.float32]]


@dataclass(frozen=True)
class ReportData:
    """Everything that a report shows.

    Attributes:
        title: stands at the top.
        parts: the parts that were occluded, in their usual order.
        groups: in the order in which they are shown; at least one.
        results: a row for each group and part, and for each comparison, control and other method that was run.
        main_method: name of the occlusion method that the report is about unless it says otherwise.
        draws: of the control region of each part and photo; 0 without a control.
        resamples: bootstrap resamples of the subjects, behind the shares of first ranks.
        ranked_by: the criterion of the study's ranking: see :mod:`facepart.analysis.criteria`.
        rankings: group, or ``all``, -> its parts, the one that matters most first, by `ranked_by`.
        rankings_by: criterion -> the same by each criterion that the study supports.
        agreements: how each method ranks the parts.
        shift_differences: differences of the impostor shift between every two groups.
        differentials: error rates of the groups, compared; empty for one group.
        face: the average face.
        examples: a few photos with each part occluded.
        provenance: models and hashes, precision, settings, versions: name -> value, in the order shown.
        failures: (photo, stage, reason) of photos that could not be processed.
        methods: paragraphs of :func:`facepart.report.methods.methods`; may be empty.
    """

    title: str
    parts: Sequence[str]
    groups: Sequence[ReportGroup]
    results: Sequence[PartResult]
    main_method: str
    draws: int
    resamples: int
    ranked_by: str
    rankings: Mapping[str, Sequence[Ranked]]
    rankings_by: Mapping[str, Mapping[str, Sequence[Ranked]]]
    agreements: Sequence[Agreement]
    shift_differences: Sequence[ShiftDifference]
    differentials: Sequence[Differential]
    face: AverageFace
    examples: Sequence[ExamplePhoto]
    provenance: Mapping[str, str]
    failures: Sequence[tuple[str, str, str]]
    methods: Sequence[str] = ()

    @property
    def controlled(self) -> bool:
        """Whether parts are ranked by importance, that is, net of a control."""
        return self.ranked_by == IMPORTANCE

    @property
    def several_groups(self) -> bool:
        """Whether there are at least two groups."""
        return len(self.groups) > 1

    @property
    def other_methods(self) -> list[str]:
        """The occlusion methods other than the main one."""
        methods = dict.fromkeys(row.occlusion for row in self.agreements)
        return [name for name in methods if name != self.main_method]

    @property
    def main_ranking(self) -> Sequence[Ranked]:
        """The ranking that the report opens with: over all groups, or that of the only group."""
        return self.rankings.get(ALL_GROUPS) or self.rankings[self.groups[0].name]

    @property
    def has_identification_rates(self) -> bool:
        """Whether any identification rate is known."""
        return any(math.isfinite(row.rank1_rate.value) for row in self.results)

    @property
    def undetected(self) -> int:
        """How often a part is not detected, over all photos."""
        return sum(row.undetected for row in self.main_rows().values())

    @property
    def without_authentic(self) -> list[str]:
        """The groups in which no subject has two photos."""
        return [group.name for group in self.groups if not group.baseline.authentic.n]

    def main_rows(self, comparison: str = WITHIN) -> dict[tuple[str, str], PartResult]:
        """Return the results of the main method in a comparison: (group, part) -> row."""
        return {
            (row.group, row.part): row
            for row in self.results
            if (row.comparison, row.occlusion) == (comparison, self.main_method)
        }
