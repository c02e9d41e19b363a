"""The data that a report is made from."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from facepart.analysis.choices import EQUAL_AREA, IMPORTANCE
from facepart.analysis.design import Design
from facepart.analysis.differentials import Differential, ShiftDifference
from facepart.analysis.measure import Figures
from facepart.analysis.ranking import MethodAgreement, Ranked, tied_ranks
from facepart.analysis.recogniser_agreement import RecogniserAgreement
from facepart.analysis.results import ALL_GROUPS, CONTROL, EQUAL_AREA_PATCH, WITHIN, PartResult
from facepart.analysis.shapley_figures import ShapleyFigures
from facepart.scores import GroupScores

# Criterion -> the comparison whose photos its effects are computed from, where that is not the part occluded.
_MEASURED_ON = {IMPORTANCE: CONTROL, EQUAL_AREA: EQUAL_AREA_PATCH}


def measured_on(criterion: str) -> str:
    """Return the comparison whose photos the effects by a criterion are computed from.

    Importance needs the photos in which the control fits, and equal areas those in which the patch fits.
    """
    return _MEASURED_ON.get(criterion, WITHIN)


def ranks_by_part(ranking: Sequence[Ranked]) -> dict[str, tuple[int, Ranked]]:
    """Return a ranking by part: part -> its rank, from 1, and what is known of it; in the order of the ranking.

    Parts with equal effects share a rank.
    """
    ranks = tied_ranks([each.effect.value for each in ranking])
    return {each.part: (rank, each) for rank, each in zip(ranks, ranking, strict=True)}


@dataclass(frozen=True)
class ReportGroup:
    """One group's scores.

    Attributes:
        name: the group's name; ``all`` if the study has no table of subjects.
        photos: how many were compared.
        subjects: how many there are.
        baseline: the scores of the baseline photos, all of the group.
        baselines: part -> the baseline scores of those photos that the part's figures are about.
        occluded: part -> the scores with that part occluded, occluded vs occluded. Here and in what follows, a part
            that was found on the photos of fewer than two subjects is left out.
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


# What a photo is shown with: a part occluded, its equal-area patch, all but the part, or one draw of its control.
Shown = Literal["part", "patch", "keep_only", "control"]


class OccludedExample(NamedTuple):
    """An example photo with something occluded.

    Attributes:
        photo: uint8 (h, w, 3), RGB.
        mask: uint8 (h, w), 255 where it is occluded, with keep-only where it is not; all 0 if the part was not
            detected, or if there is no place for a patch or a control.
    """

    photo: NDArray[np.uint8]
    mask: NDArray[np.uint8]


@dataclass(frozen=True)
class ExamplePhoto:
    """A photo that the report shows with each part occluded.

    Attributes:
        subject: the subject's name.
        photo: uint8 (h, w, 3), RGB.
        occluded: what -> part -> the photo with it occluded; nothing of what the study does not have.
    """

    subject: str
    photo: NDArray[np.uint8]
    occluded: Mapping[Shown, Mapping[str, OccludedExample]]


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
class RecogniserFigures:
    """The figures of a study by one of its recognisers."""

    name: str
    figures: Figures


@dataclass(frozen=True)
class ReportData:
    """Everything that a report shows.

    Attributes:
        title: stands at the top.
        design: what was compared.
        figures: all figures of the first recogniser, the rankings among them.
        groups: in the order in which they are shown; at least one.
        subjects: how many there are in all groups together; one may be in several.
        overlaps: part -> another part -> the share of that one that the control of the first removes, 0..1, averaged
            over draws and photos; empty without a control.
        resamples: bootstrap resamples of the subjects, behind the shares of first ranks.
        agreements: how each method ranks the parts.
        face: the average face; None for a report without faces.
        examples: a few photos with each part occluded; may be empty.
        provenance: models and hashes, precision, settings, versions: name -> value, in the order shown.
        failures: (photo, stage, reason) of photos that could not be processed.
        methods: paragraphs of :func:`facepart.report.methods.methods`; may be empty.
        recognisers: the figures by each recogniser; the one that `figures` and `groups` are about first.
        agreement: how far several recognisers agree; None for one, or if they cannot be compared.
        shapley: recogniser -> its Shapley values; empty without them.
        unaligned: why a photo, a sample of all, is no aligned crop; empty if it may be one.
    """

    title: str
    design: Design
    figures: Figures
    groups: Sequence[ReportGroup]
    subjects: int
    overlaps: Mapping[str, Mapping[str, float]]
    resamples: int
    agreements: Sequence[MethodAgreement]
    face: AverageFace | None
    examples: Sequence[ExamplePhoto]
    provenance: Mapping[str, str]
    failures: Sequence[tuple[str, str, str]]
    methods: Sequence[str] = ()
    recognisers: Sequence[RecogniserFigures] = ()
    agreement: RecogniserAgreement | None = None
    shapley: Mapping[str, ShapleyFigures] = field(default_factory=dict)
    unaligned: str = ""

    @property
    def parts(self) -> Sequence[str]:
        """The parts that were occluded, in their usual order."""
        return self.design.part_names

    @property
    def main_method(self) -> str:
        """Name of the occlusion method that the report is about unless it says otherwise."""
        return self.design.main.name

    @property
    def draws(self) -> int:
        """Draws of the control of each part; 0 without a control, also if no part of the study can have one."""
        return self.design.draws if self.design.has_controls else 0

    @property
    def results(self) -> Sequence[PartResult]:
        """A row for each group and part, and for each comparison, control and other method that was run."""
        return self.figures.results

    @property
    def by_recogniser(self) -> Sequence[RecogniserFigures]:
        """The figures by each recogniser, also of a study with one alone."""
        return self.recognisers or [RecogniserFigures(self.design.recognisers[0], self.figures)]

    @property
    def ranked_by(self) -> str:
        """The criterion of the study's ranking: see :mod:`facepart.analysis.criteria`."""
        return self.figures.ranked_by

    @property
    def rankings(self) -> Mapping[str, Sequence[Ranked]]:
        """Group, or ``all``, -> its parts that have a rank, the one that matters most first."""
        return self.figures.ranking

    @property
    def shift_differences(self) -> Sequence[ShiftDifference]:
        """Differences of the impostor shift between every two groups."""
        return self.figures.shift_differences

    @property
    def differentials(self) -> Sequence[Differential]:
        """Error rates of the groups, compared; empty for one group."""
        return self.figures.differentials

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
        return [method.name for method in self.design.methods[1:]]

    @property
    def main_group(self) -> str:
        """The group that the report opens with: ``all``, or the only group."""
        return ALL_GROUPS if self.several_groups else self.groups[0].name

    @property
    def main_ranking(self) -> Sequence[Ranked]:
        """The ranking that the report opens with: over all groups, or that of the only group; may be empty."""
        return self.ranking_of(self.main_group)

    @property
    def parts_in_order(self) -> list[str]:
        """All parts: those that have a rank in its order, then the others in their usual order."""
        ranked = [each.part for each in self.main_ranking]
        return ranked + [part for part in self.parts if part not in ranked]

    @property
    def has_identification_rates(self) -> bool:
        """Whether any identification rate is known."""
        return any(math.isfinite(row.rank1_rate.value) for row in self.results)

    @property
    def without_authentic(self) -> list[str]:
        """The groups in which no two photos of a subject were compared."""
        return [group.name for group in self.groups if not group.baseline.authentic.n]

    def label(self, part: str) -> str:
        """Return a part's name in a sentence."""
        return self.design.label(part)

    def is_plural(self, part: str) -> bool:
        """Return whether a sentence says "are" of a part, not "is"."""
        return self.design.is_plural(part)

    def ranking_of(self, group: str) -> Sequence[Ranked]:
        """Return the ranking of a group, or of ``all``; empty if no part has a rank."""
        return self.rankings.get(group, [])

    def main_rows(self, comparison: str = WITHIN) -> dict[tuple[str, str], PartResult]:
        """Return the results of the main method in a comparison: (group, part) -> row."""
        return {
            (row.group, row.part): row
            for row in self.results
            if (row.comparison, row.occlusion) == (comparison, self.main_method)
        }
