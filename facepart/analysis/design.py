"""The experiment as a design: every figure belongs to one cell, recogniser x occlusion x comparison x group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from facepart.analysis.choices import Undetected, Weight
from facepart.analysis.shapley import Coalitions, players_of
from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region
from facepart.occlusion.parts import PARTS, Part, unite

# Occluded photos are compared with each other, or as probes with a gallery of baseline photos.
Comparison = Literal["within", "cross"]


class Condition(NamedTuple):
    """What is compared within each group.

    Attributes:
        occlusion: of the photos, or of the probes.
        comparison: what the photos are compared with.
        photos_of: compare only the photos in which this region was found; None for all photos of the group.
    """

    occlusion: Occlusion
    comparison: Comparison = "within"
    photos_of: Region | None = None

    @property
    def name(self) -> str:
        """Its name, fit for a file: ``nose``, ``cross_nose``, ``baseline``, ``baseline_photos_with_nose``."""
        name = f"cross_{self.occlusion.name}" if self.comparison == "cross" else self.occlusion.name
        # An occlusion is compared on one set of photos, its baseline on several.
        chosen = self.photos_of is not None and self.occlusion == BASELINE
        return f"{name}_photos_with_{Occlusion(self.photos_of).name}" if chosen and self.photos_of else name

    def pairs(self, photos: int) -> int:
        """Count the pairs of so many photos, including those that are left out."""
        return photos * photos if self.comparison == "cross" else photos * (photos - 1) // 2


class Cell(NamedTuple):
    """One cell of the design: a recogniser's scores of one group in one condition."""

    recogniser: str
    condition: Condition
    group: str


BASELINE_CONDITION = Condition(BASELINE)


@dataclass(frozen=True)
class Design:
    """What an experiment compares.

    Attributes:
        recognisers: names of the recognisers; the first is the one that the report's pictures and charts are about.
        parts: the parts that are occluded, in their usual order.
        methods: how they are occluded; the first is the main method, which rankings and pictures are about.
        draws: of the area-matched control of each part, by the main method; 0 for no control.
        cross: whether occluded photos are also compared with the baseline photos.
        groups: names of the groups of subjects.
        patches: whether an area of the same size is also occluded within each part, by the main method.
        keep_only: whether the whole photo but each part is also occluded, by the main method.
        undetected: whether photos in which a part was not detected are left out of that part's figures
            (``exclude``), or compared as they are (``keep``), as in the original study.
        weight: whether mean scores weight all ``pairs`` of photos alike, or all pairs of ``subjects``.
        rank_by: the criterion that the parts are ranked by (:mod:`facepart.analysis.criteria`); empty for the
            default, which is the first of importance and impostor shift that the study has.
        margin: a difference between groups up to which they count as equivalent; None for no such test.
        shapley: whether the joint effect of the parts that do not overlap is divided among them, for which all
            coalitions of these are occluded by the main method.
    """

    recognisers: tuple[str, ...]
    parts: tuple[Part, ...]
    methods: tuple[OcclusionMethod, ...]
    draws: int
    cross: bool
    groups: tuple[str, ...]
    patches: bool = False
    keep_only: bool = False
    undetected: Undetected = "exclude"
    weight: Weight = "pairs"
    rank_by: str = ""
    margin: float | None = None
    shapley: bool = False

    @property
    def main(self) -> OcclusionMethod:
        """The main method."""
        return self.methods[0]

    @property
    def part_names(self) -> list[str]:
        """The names of the parts."""
        return [part.name for part in self.parts]

    @property
    def measured_parts(self) -> tuple[Part, ...]:
        """The parts of which it is measured how much each occlusion removes: the standard ones and the design's."""
        return tuple(dict.fromkeys([*PARTS.values(), *self.parts]))

    def part(self, name: str) -> Part:
        """Return a part of the design by its name."""
        return next(part for part in self.parts if part.name == name)

    def label(self, part: str) -> str:
        """Return a part's name in a sentence."""
        return self.part(part).label

    def is_plural(self, part: str) -> bool:
        """Return whether a sentence says "are" of a part, not "is"."""
        return self.part(part).plural

    def of_part(self, name: str) -> Occlusion:
        """Return the occlusion of a part, by its name, by the main method."""
        return Occlusion(Region(self.part(name)), self.main)

    def of_recogniser(self, name: str) -> "Design":
        """Return the same design with one of the recognisers alone."""
        return replace(self, recognisers=(name,))

    @property
    def has_controls(self) -> bool:
        """Whether any part has a control: one was asked for, and not all parts are without positions for it."""
        return self.draws > 0 and any(part.controllable for part in self.parts)

    def controls_of(self, occlusion: Occlusion) -> list[Occlusion]:
        """Return the draws of an occlusion's control; none for other methods, or if the part has no control."""
        part = occlusion.region.part
        if occlusion.method != self.main or part is None or not part.controllable:
            return []
        return [Occlusion(Region(part, draw), self.main) for draw in range(1, self.draws + 1)]

    def patch_of(self, name: str) -> Occlusion:
        """Return the occlusion of a part's equal-area patch."""
        return Occlusion(Region(self.part(name), patch=True), self.main)

    def keep_only_of(self, name: str) -> Occlusion:
        """Return the occlusion of the whole photo but a part."""
        return Occlusion(Region(self.part(name), keep_only=True), self.main)

    @property
    def part_occlusions(self) -> list[Occlusion]:
        """Every part occluded by every method."""
        return [Occlusion(Region(part), method) for method in self.methods for part in self.parts]

    @property
    def occlusions(self) -> list[Occlusion]:
        """All occlusions but the baseline: parts by every method, patches, keep-only, and controls, draw by draw."""
        patches = [self.patch_of(name) for name in self.part_names if self.patches]
        kept = [self.keep_only_of(name) for name in self.part_names if self.keep_only]
        controls = [self.controls_of(self.of_part(name)) for name in self.part_names]
        by_draw = [draws[draw] for draw in range(self.draws) for draws in controls if draws]
        return self.part_occlusions + patches + kept + by_draw

    @property
    def players(self) -> tuple[Part, ...]:
        """The parts whose joint effect is shared out; none without Shapley values."""
        return players_of(self.parts) if self.shapley else ()

    @property
    def coalitions(self) -> Coalitions:
        """The coalitions of the players."""
        return Coalitions(len(self.players))

    @property
    def coalition_occlusions(self) -> list[Occlusion]:
        """The occlusion of each coalition, in the order of their masks, the baseline first; none if not asked for.

        A coalition of one part is that part, and one of several is their union.
        """
        if not self.shapley:
            return []
        return [self._coalition_occlusion(mask) for mask in self.coalitions.masks]

    def _coalition_occlusion(self, mask: int) -> Occlusion:
        members = [part for place, part in enumerate(self.players) if mask >> place & 1]
        singles = [single for part in members for single in part.single_parts]
        return Occlusion(Region(unite(singles)), self.main) if singles else BASELINE

    @property
    def embedded(self) -> list[Occlusion]:
        """The occlusions that photos are embedded with: those that are compared, then coalitions of several parts."""
        return list(dict.fromkeys([*self.occlusions, *self.coalition_occlusions[1:]]))

    @property
    def shown(self) -> list[Occlusion]:
        """The occlusions that pictures show, by the main method: parts, patches, keep-only, one draw of a control."""
        return [each for each in self.occlusions if each.method == self.main and each.region.draw < 2]

    def region_of(self, occlusion: Occlusion) -> Region | None:
        """Return the region on whose photos an occlusion is compared; None for all photos.

        A control is always compared on the photos in which it has a place, which do not depend on the draw; keep-only
        always on those in which the part was found: the others would show the whole face.
        """
        region = occlusion.region
        always = region.draw or region.keep_only
        if occlusion == BASELINE or (self.undetected == "keep" and not always):
            return None
        return replace(region, draw=min(region.draw, 1), keep_only=False)

    def condition(self, occlusion: Occlusion, comparison: Comparison = "within") -> Condition:
        """Return the condition in which an occlusion is compared."""
        return Condition(occlusion, comparison, self.region_of(occlusion))

    def baseline_of(self, occlusion: Occlusion) -> Condition:
        """Return the condition in which the same photos are compared unoccluded."""
        return Condition(BASELINE, photos_of=self.region_of(occlusion))

    @property
    def baselines(self) -> list[Condition]:
        """The conditions without an occlusion: all photos, then those of each region."""
        return list(dict.fromkeys([BASELINE_CONDITION, *map(self.baseline_of, self.occlusions)]))

    @property
    def conditions(self) -> list[Condition]:
        """All conditions, the baselines first."""
        crossed: Sequence[str] = self.part_names if self.cross else ()
        return [
            *self.baselines,
            *(self.condition(occlusion) for occlusion in self.occlusions),
            *(self.condition(self.of_part(name), "cross") for name in crossed),
        ]

    @property
    def least_conditions(self) -> list[Condition]:
        """The conditions if every part is found on every photo, so that all have the same baseline."""
        return [each for each in self.conditions if each == BASELINE_CONDITION or each.occlusion != BASELINE]

    def cells(self) -> Iterator[Cell]:
        """Yield all cells, every group's baselines before any occlusion."""
        count = len(self.baselines)
        for recogniser in self.recognisers:
            for conditions in (self.conditions[:count], self.conditions[count:]):
                for group in self.groups:
                    for condition in conditions:
                        yield Cell(recogniser, condition, group)
