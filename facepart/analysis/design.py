"""The experiment as a design: every figure belongs to one cell, recogniser x occlusion x comparison x group."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from facepart.occlusion.method import OcclusionMethod
from facepart.occlusion.occlusion import BASELINE, Occlusion, Region

# Occluded photos are compared with each other, or as probes with a gallery of baseline photos.
Comparison = Literal["within", "cross"]


class Condition(NamedTuple):
    """What is compared within each group.

    Attributes:
        occlusion: of the photos, or of the probes.
        comparison: what the photos are compared with.
    """

    occlusion: Occlusion
    comparison: Comparison = "within"

    @property
    def name(self) -> str:
        """Its name, fit for a file."""
        return f"cross_{self.occlusion.name}" if self.comparison == "cross" else self.occlusion.name

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
        recognisers: names of the recognisers.
        parts: the parts that are occluded, in their usual order.
        methods: how they are occluded; the first is the main method, which rankings and pictures are about.
        draws: of the area-matched control of each part, by the main method; 0 for no control.
        cross: whether occluded photos are also compared with the baseline photos.
        groups: names of the groups of subjects.
    """

    recognisers: tuple[str, ...]
    parts: tuple[str, ...]
    methods: tuple[OcclusionMethod, ...]
    draws: int
    cross: bool
    groups: tuple[str, ...]

    @property
    def main(self) -> OcclusionMethod:
        """The main method."""
        return self.methods[0]

    def of_part(self, part: str) -> Occlusion:
        """Return the occlusion of a part by the main method."""
        return Occlusion(Region(part), self.main)

    def controls_of(self, occlusion: Occlusion) -> list[Occlusion]:
        """Return the draws of an occlusion's control; none for methods other than the main one."""
        if occlusion.method != self.main:
            return []
        return [Occlusion(Region(occlusion.part, draw), self.main) for draw in range(1, self.draws + 1)]

    @property
    def part_occlusions(self) -> list[Occlusion]:
        """Every part occluded by every method."""
        return [Occlusion(Region(part), method) for method in self.methods for part in self.parts]

    @property
    def occlusions(self) -> list[Occlusion]:
        """All occlusions but the baseline: every part by every method, then the controls, draw by draw."""
        controls = [
            Occlusion(Region(part, draw), self.main) for draw in range(1, self.draws + 1) for part in self.parts
        ]
        return self.part_occlusions + controls

    @property
    def shown(self) -> list[Occlusion]:
        """The occlusions that pictures show: each part by the main method, and one draw of its control."""
        return [each for each in self.occlusions if each.method == self.main and each.region.draw < 2]

    @property
    def conditions(self) -> list[Condition]:
        """All conditions, the baseline first."""
        crossed: Sequence[str] = self.parts if self.cross else ()
        return [
            BASELINE_CONDITION,
            *(Condition(occlusion) for occlusion in self.occlusions),
            *(Condition(self.of_part(part), "cross") for part in crossed),
        ]

    def cells(self) -> Iterator[Cell]:
        """Yield all cells, every group's baseline before any occlusion."""
        for recogniser in self.recognisers:
            for group in self.groups:
                yield Cell(recogniser, BASELINE_CONDITION, group)
            for group in self.groups:
                for condition in self.conditions[1:]:
                    yield Cell(recogniser, condition, group)
